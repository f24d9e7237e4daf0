"""Where the rows are measured: production durability, many accounts, enough slots for every round."""

import hashlib
import itertools
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from slots.ids import SlotId, TerritoryId, new_id
from tests.world import HAUTS, World, make_world

SCHEDULES = 200
ORGANISATIONS = 100
ACCOUNTS = 7_200  # nobody comes twice: each may hold but five seats at a time
SESSION_FOR = timedelta(hours=2)


@dataclass(frozen=True)
class Place:
    territory_id: TerritoryId
    location_id: UUID
    owners: list[tuple[UUID, UUID]]  # schedules and their practitioners


@dataclass(frozen=True)
class Ground:
    world: World
    cookies: list[str]
    place: Place


async def make_ground(owner: asyncpg.Connection) -> Ground:
    """The small world; SCHEDULES of as many GPs; ACCOUNTS referrers who are signed in."""
    world = await make_world(owner)
    place = await _make_schedules(owner, HAUTS, world.locations["magalas"])
    organisations = [uuid4() for _ in range(ORGANISATIONS)]
    await owner.executemany(
        "INSERT INTO organisation (id, name, kind, phone) VALUES ($1, 'Bench', 'practice', '04')",
        [(one,) for one in organisations],
    )
    now = datetime.now(UTC)
    ids = [uuid4() for _ in range(ACCOUNTS)]
    tokens = [secrets.token_urlsafe(32) for _ in ids]
    await owner.executemany(
        "INSERT INTO account (id, email, password_hash, name, phone, organisation_id)"
        " VALUES ($1, $2, 'none', 'Bench', '0400000000', $3)",
        [
            (one, f"bench-{one}@example.test", organisations[number % ORGANISATIONS])
            for number, one in enumerate(ids)
        ],
    )
    await owner.executemany(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, $2, 'referrer')",
        [(one, HAUTS) for one in ids],
    )
    await owner.executemany(
        "INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at)"
        " VALUES ($1, $2, $3, $3, $4)",
        [
            (hashlib.sha256(token.encode()).digest(), one, now, now + SESSION_FOR)
            for one, token in zip(ids, tokens, strict=True)
        ],
    )
    await owner.execute(
        "CREATE TABLE bare_booking (slot_id uuid, seat smallint, account_id uuid,"
        " PRIMARY KEY (slot_id, seat))"
    )
    await owner.execute("GRANT SELECT, INSERT ON bare_booking TO chrono48_app")
    return Ground(world, [f"Cookie: chrono48={token}" for token in tokens], place)


async def make_territory(owner: asyncpg.Connection, made: Ground, number: int) -> Place:
    """One more territory, `bench-…`, with schedules and without slots."""
    territory_id, location_id = TerritoryId(number), uuid4()
    await owner.execute(
        "INSERT INTO territory (id, slug, name, department) VALUES ($1, $2, $2, '34')",
        territory_id,
        f"bench-{number}",
    )
    await owner.execute(
        "INSERT INTO location (id, territory_id, organisation_id, name, insee, lat, lon, phone)"
        " SELECT $1, $2, organisation_id, name, insee, lat, lon, phone FROM location WHERE id = $3",
        location_id,
        territory_id,
        made.place.location_id,
    )
    return await _make_schedules(owner, territory_id, location_id)


async def _make_schedules(
    owner: asyncpg.Connection, territory_id: TerritoryId, location_id: UUID
) -> Place:
    made = [(uuid4(), uuid4(), uuid4()) for _ in range(SCHEDULES)]
    await owner.executemany(
        "INSERT INTO practitioner (id, given_name, family_name, profession, specialty)"
        " VALUES ($1, 'Bench', $2, '10', 'SM54')",
        [(practitioner, str(number)) for number, (practitioner, _, _) in enumerate(made)],
    )
    await owner.executemany(
        "INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id)"
        " VALUES ($1, $2, $3, $4)",
        [(role, territory_id, practitioner, location_id) for practitioner, role, _ in made],
    )
    await owner.executemany(
        "INSERT INTO schedule (id, territory_id, practitioner_role_id) VALUES ($1, $2, $3)",
        [(schedule, territory_id, role) for _, role, schedule in made],
    )
    owners = [(schedule, practitioner) for practitioner, _, schedule in made]
    return Place(territory_id, location_id, owners)


async def make_slots(
    owner: asyncpg.Connection, made: Ground, count: int, *, place: Place | None = None
) -> list[SlotId]:
    """Free créneaux within the horizon; remote, so that nobody's overlap."""
    place = place or made.place
    now = datetime.now(UTC).replace(microsecond=0)
    rows: list[tuple[UUID, datetime]] = [
        (new_id(place.territory_id), now + timedelta(minutes=60 + number % 2_000))
        for number in range(count)
    ]
    await owner.executemany(
        "INSERT INTO slot (id, territory_id, schedule_id, location_id, practitioner_id, starts_at,"
        " ends_at, capacity, modality, acts, audience, offered_at, offered_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 'VR', '{consultation}', '{CPTS,SNP}', $8, $9)",
        [
            (
                *(slot_id, place.territory_id, schedule_id, place.location_id),
                *(practitioner_id, starts_at, starts_at + timedelta(minutes=20)),
                *(now, made.world.accounts["ann"].id),
            )
            for (slot_id, starts_at), (schedule_id, practitioner_id) in zip(
                rows, itertools.cycle(place.owners), strict=False
            )
        ],
    )
    return [SlotId(slot_id) for slot_id, _ in rows]
