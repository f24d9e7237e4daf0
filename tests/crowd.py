"""More people than the small world has: without accounts, for the directory."""

from random import Random
from uuid import UUID, uuid4

import asyncpg

from tests.world import HAUTS
from workers.demo.people import FAMILY_NAMES, GIVEN_NAMES

PROFESSIONS = ("10", "60", "70", "50", "40", "21")
SKILLS = ("petite chirurgie", "échographie", "plaies et cicatrisation", "pédiatrie")


async def add_person(
    conn: asyncpg.Connection,
    location_id: UUID,
    given_name: str,
    family_name: str,
    profession: str = "10",
    *,
    specialty: str | None = None,
    skills: tuple[str, ...] = (),
    languages: tuple[str, ...] = ("fr",),
    with_schedule: bool = True,
    **role: object,
) -> UUID:
    """Somebody who works at this place of HAUTS. *role*: columns of `practitioner_role`."""
    practitioner_id, role_id = uuid4(), uuid4()
    await conn.execute(
        "INSERT INTO practitioner (id, given_name, family_name, profession, specialty, skills,"
        " languages) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        *(practitioner_id, given_name, family_name, profession, specialty),
        *(list(skills), list(languages)),
    )
    await conn.execute(
        "INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id,"
        " new_patients, referral) VALUES ($1, $2, $3, $4, $5, $6)",
        *(role_id, HAUTS, practitioner_id, location_id),
        *(role.get("new_patients"), role.get("referral", "")),
    )
    if with_schedule:
        await conn.execute(
            "INSERT INTO schedule (id, territory_id, practitioner_role_id) VALUES ($1, $2, $3)",
            *(uuid4(), HAUTS, role_id),
        )
    return practitioner_id


async def add_crowd(conn: asyncpg.Connection, location_ids: list[UUID], number: int) -> None:
    """*number* invented people, always the same."""
    chance = Random(number)
    async with conn.transaction():
        for _ in range(number):
            profession = chance.choice(PROFESSIONS)
            await add_person(
                conn,
                chance.choice(location_ids),
                chance.choice(GIVEN_NAMES),
                chance.choice(FAMILY_NAMES),
                profession,
                specialty=chance.choice(("SM54", "SM15", "SM04")) if profession == "10" else None,
                skills=tuple(chance.sample(SKILLS, chance.randint(0, 2))),
                languages=("fr", *chance.sample(("es", "en", "ar"), chance.randint(0, 1))),
                new_patients=chance.choice((True, False, None)),
                referral=chance.choice(("", "Appeler le secrétariat avant d’envoyer le patient.")),
            )
    await conn.execute("ANALYZE")
