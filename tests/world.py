"""A small world to test in: two neighbour territories, one person per role, real communes.

| who  | is                                                             | in      |
|------|----------------------------------------------------------------|---------|
| ann  | GP at Bédarieux, professional and referrer                     | hauts   |
| bob  | GP at Magalas, professional; takes overflow                    | hauts   |
| nina | nurse at Bédarieux, ann's house; professional                  | hauts   |
| olga | ann's secretary: delegate of her schedule                      | hauts   |
| dora | secretary of the radiology service (2 rooms): its delegate     | hauts   |
| rolf | refers only; rosa is his colleague in the same practice        | hauts   |
| emma | refers from an emergency department                            | hauts   |
| cora | coordinator                                                    | hauts   |
| carl | GP at Sète, professional: a neighbour of all the above         | thau    |
| rita | regulator of the Centre 15                                     | both    |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID, uuid4

import argon2
import asyncpg

from slots.account import Account
from slots.audience import Role
from slots.ids import AccountId, OrganisationId, PractitionerId, ScheduleId, TerritoryId

HAUTS: Final = TerritoryId(1)
THAU: Final = TerritoryId(2)
SLUGS: Final = {HAUTS: "hauts-cantons-et-vignobles", THAU: "bassin-de-thau"}
PARTITIONS: Final = {HAUTS: 0, THAU: 2}  # which a Cluster of three keeps on two primaries
NAMES: Final = {HAUTS: "CPTS Hauts Cantons et Vignobles", THAU: "CPTS du Bassin de Thau"}
PASSWORD: Final = "correct cheval batterie agrafe"
CHEAP: Final = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

# insee: name, postcode, population, lat, lon (as in workers/demo/communes.csv).
COMMUNES: Final = {
    "34028": ("Bédarieux", "34600", 5_804, 43.61266, 3.16624),
    "34147": ("Magalas", "34480", 3_582, 43.48110, 3.21725),
    "34119": ("Hérépian", "34600", 1_594, 43.59178, 3.11792),
    "34301": ("Sète", "34200", 45_337, 43.39187, 3.64697),
    "34108": ("Frontignan", "34110", 24_136, 43.44822, 3.74955),
    "34172": ("Montpellier", "34000", 310_240, 43.61337, 3.86922),
}
ACTS: Final = {  # code: label, preparation, ordonnance required
    "consultation": ("Consultation", "", False),
    "home-visit": ("Visite à domicile", "", False),
    "teleconsultation": ("Téléconsultation", "", False),
    "suture": ("Suture", "", False),
    "dressing": ("Pansement complexe", "", False),
    "x-ray": ("Radiographie", "Apporter les examens antérieurs.", True),
    "ultrasound": ("Échographie", "À jeun depuis 6 h.", True),
}
REASONS: Final = {
    "fever-infection": "Fièvre, infection",
    "pain": "Douleur",
    "wound-suture": "Plaie, suture",
    "imaging": "Imagerie",
    "other": "Autre",
}
URGENCIES: Final = {
    "today": "Aujourd’hui",
    "within-24h": "Sous 24 h",
    "within-48h": "Sous 48 h",
}


@dataclass(frozen=True, slots=True)
class World:
    """What `make_world` made. Everything of a person is under their first name."""

    accounts: Mapping[str, Account]
    schedules: Mapping[str, ScheduleId]  # ann, bob, nina, carl, radiology
    practitioners: Mapping[str, PractitionerId]  # ann, bob, nina, carl
    locations: Mapping[str, UUID]  # bedarieux, magalas, hospital, sete
    services: Mapping[str, UUID]  # radiology
    hauts: TerritoryId = HAUTS
    thau: TerritoryId = THAU
    password: str = PASSWORD

    def email(self, name: str) -> str:
        """The address that *name* signs in with."""
        return self.accounts[name].email


async def make_world(owner_conn: asyncpg.Connection, *, ann_daily_cap: int | None = None) -> World:
    """Empty the database and fill it anew, in one transaction. *owner_conn*: whom no wall stops."""
    async with owner_conn.transaction():
        await owner_conn.execute(
            "TRUNCATE commune, territory, organisation, practitioner, account, audit, audit_link CASCADE"
        )
        await _make_ground(owner_conn)
        organisations = await _make_organisations(owner_conn)
        locations = await _make_locations(owner_conn, organisations)
        practitioners = await _make_practitioners(owner_conn)
        services = {"radiology": uuid4()}
        schedules = await _make_schedules(
            owner_conn, practitioners, locations, services, ann_daily_cap
        )
        accounts = {
            name: _account(name, organisations, practitioners, schedules) for name in PEOPLE
        }
        await _write_accounts(owner_conn, accounts)
    return World(accounts, schedules, practitioners, locations, services)


# name: full name, organisation, roles by territory, schedules that the account acts for.
PEOPLE: Final[dict[str, tuple[str, str, dict[TerritoryId, set[Role]], dict[str, TerritoryId]]]] = {
    "ann": (
        "Ann Martin",
        "house",
        {HAUTS: {Role.PROFESSIONAL, Role.REFERRER}},
        {"ann": HAUTS},
    ),
    "bob": ("Bob Bernard", "magalas", {HAUTS: {Role.PROFESSIONAL}}, {"bob": HAUTS}),
    "nina": ("Nina Petit", "house", {HAUTS: {Role.PROFESSIONAL}}, {"nina": HAUTS}),
    "olga": ("Olga Roux", "house", {HAUTS: {Role.DELEGATE}}, {"ann": HAUTS}),
    "dora": ("Dora Moreau", "hospital", {HAUTS: {Role.DELEGATE}}, {"radiology": HAUTS}),
    "rolf": ("Rolf Garcia", "referrers", {HAUTS: {Role.REFERRER}}, {}),
    "rosa": ("Rosa Fabre", "referrers", {HAUTS: {Role.REFERRER}}, {}),
    "emma": ("Emma Blanc", "emergency", {HAUTS: {Role.REFERRER}}, {}),
    "cora": ("Cora Faure", "cpts", {HAUTS: {Role.COORDINATOR}}, {}),
    "carl": ("Carl Durand", "sete", {THAU: {Role.PROFESSIONAL}}, {"carl": THAU}),
    "rita": ("Rita Simon", "samu", {HAUTS: {Role.REGULATOR}, THAU: {Role.REGULATOR}}, {}),
}
ORGANISATIONS: Final = {  # name, kind, phone
    "house": ("Maison de santé de Bédarieux", "centre", "0400000001"),
    "magalas": ("Cabinet de Magalas", "practice", "0400000002"),
    "hospital": ("Polyclinique des 3 Vallées", "hospital", "0400000003"),
    "referrers": ("Cabinet des Rosiers", "practice", "0400000004"),
    "emergency": ("Urgences de Béziers", "emergency", "0400000005"),
    "cpts": ("CPTS Hauts Cantons et Vignobles", "cpts", "0400000006"),
    "sete": ("Cabinet de la Corniche", "practice", "0400000007"),
    "samu": ("SAMU 34, Centre 15", "regulation", "0400000015"),
}
PRACTITIONERS: Final = {  # given name, family name, profession, specialty, skills
    "ann": ("Ann", "Martin", "10", "SM54", ["suture"]),
    "bob": ("Bob", "Bernard", "10", "SM54", []),
    "nina": ("Nina", "Petit", "60", None, ["pansement complexe"]),
    "carl": ("Carl", "Durand", "10", "SM54", []),
}
LOCATIONS: Final = {  # territory, organisation, name, insee
    "bedarieux": (HAUTS, "house", "Maison de santé de Bédarieux", "34028"),
    "magalas": (HAUTS, "magalas", "Cabinet de Magalas", "34147"),
    "hospital": (HAUTS, "hospital", "Polyclinique des 3 Vallées", "34028"),
    "sete": (THAU, "sete", "Cabinet de la Corniche", "34301"),
}
PLACES_OF_WORK: Final = {"ann": "bedarieux", "bob": "magalas", "nina": "bedarieux", "carl": "sete"}


async def _make_ground(conn: asyncpg.Connection) -> None:
    await conn.executemany(
        "INSERT INTO commune (insee, name, postcodes, population, lat, lon)"
        " VALUES ($1, $2, ARRAY[$3], $4, $5, $6)",
        [(insee, *rest) for insee, rest in COMMUNES.items()],
    )
    await conn.executemany(
        "INSERT INTO territory (id, slug, name, department, partition_id)"
        " VALUES ($1, $2, $3, '34', $4)",
        [(number, slug, NAMES[number], PARTITIONS[number]) for number, slug in SLUGS.items()],
    )
    await conn.executemany(
        "INSERT INTO territory_neighbour (territory_id, neighbour_id) VALUES ($1, $2)",
        [(HAUTS, THAU), (THAU, HAUTS)],
    )
    for territory_id in SLUGS:
        await conn.executemany(
            "INSERT INTO act (territory_id, code, label, preparation, prescription_required)"
            " VALUES ($1, $2, $3, $4, $5)",
            [(territory_id, code, *rest) for code, rest in ACTS.items()],
        )
        for table, labels in (("reason", REASONS), ("urgency", URGENCIES)):
            await conn.executemany(
                f"INSERT INTO {table} (territory_id, code, label, position) VALUES ($1, $2, $3, $4)",
                [
                    (territory_id, code, label, position)
                    for position, (code, label) in enumerate(labels.items(), start=1)
                ],
            )


async def _make_organisations(conn: asyncpg.Connection) -> dict[str, OrganisationId]:
    organisations = {name: OrganisationId(uuid4()) for name in ORGANISATIONS}
    await conn.executemany(
        "INSERT INTO organisation (id, name, kind, phone) VALUES ($1, $2, $3, $4)",
        [(organisations[name], *rest) for name, rest in ORGANISATIONS.items()],
    )
    return organisations


async def _make_locations(
    conn: asyncpg.Connection, organisations: Mapping[str, OrganisationId]
) -> dict[str, UUID]:
    locations = {name: uuid4() for name in LOCATIONS}
    await conn.executemany(
        "INSERT INTO location (id, territory_id, organisation_id, name, insee, lat, lon, phone)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (
                locations[key],
                territory_id,
                organisations[organisation],
                name,
                insee,
                *COMMUNES[insee][3:],
                ORGANISATIONS[organisation][2],
            )
            for key, (territory_id, organisation, name, insee) in LOCATIONS.items()
        ],
    )
    return locations


async def _make_practitioners(conn: asyncpg.Connection) -> dict[str, PractitionerId]:
    practitioners = {name: PractitionerId(uuid4()) for name in PRACTITIONERS}
    await conn.executemany(
        "INSERT INTO practitioner (id, rpps, given_name, family_name, profession, specialty, skills)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (practitioners[name], f"{99_900_000_000 + number}", *rest)
            for number, (name, rest) in enumerate(PRACTITIONERS.items())
        ],
    )
    return practitioners


async def _make_schedules(
    conn: asyncpg.Connection,
    practitioners: Mapping[str, PractitionerId],
    locations: Mapping[str, UUID],
    services: Mapping[str, UUID],
    ann_daily_cap: int | None,
) -> dict[str, ScheduleId]:
    roles = {name: uuid4() for name in practitioners}
    schedules = {name: ScheduleId(uuid4()) for name in (*practitioners, *services)}
    await conn.executemany(
        "INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id)"
        " VALUES ($1, $2, $3, $4)",
        [
            (roles[name], LOCATIONS[place][0], practitioners[name], locations[place])
            for name, place in PLACES_OF_WORK.items()
        ],
    )
    await conn.execute(
        "INSERT INTO healthcare_service"
        " (id, territory_id, location_id, name, finess, phone, profession, specialty, rooms)"
        " VALUES ($1, $2, $3, 'Radiologie', '340000001', '0400000013', '10', 'SM44', 2)",
        *(services["radiology"], HAUTS, locations["hospital"]),
    )
    await conn.executemany(
        "INSERT INTO schedule (id, territory_id, practitioner_role_id, healthcare_service_id,"
        " default_acts, daily_cap, accepts_overflow) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (schedules["ann"], HAUTS, roles["ann"], None, ["consultation"], ann_daily_cap, False),
            (schedules["bob"], HAUTS, roles["bob"], None, ["consultation"], None, True),
            (schedules["nina"], HAUTS, roles["nina"], None, ["dressing"], None, False),
            (schedules["carl"], THAU, roles["carl"], None, ["consultation"], None, False),
            (
                *(schedules["radiology"], HAUTS, None, services["radiology"]),
                *(["x-ray", "ultrasound"], None, False),
            ),
        ],
    )
    return schedules


def _account(
    name: str,
    organisations: Mapping[str, OrganisationId],
    practitioners: Mapping[str, PractitionerId],
    schedules: Mapping[str, ScheduleId],
) -> Account:
    """What `account_of_session` must say of this person; a test compares the two."""
    full_name, organisation, roles, acts_for = PEOPLE[name]
    member_of = {
        territory_id
        for territory_id, held in roles.items()
        if held & {Role.PROFESSIONAL, Role.DELEGATE, Role.REFERRER}
    }
    neighbour = {HAUTS: THAU, THAU: HAUTS}
    return Account(
        id=AccountId(uuid4()),
        name=full_name,
        email=f"{name}@example.test",
        phone=f"06000000{list(PEOPLE).index(name):02}",
        organisation_id=organisations[organisation],
        organisation=ORGANISATIONS[organisation][0],
        organisation_kind=ORGANISATIONS[organisation][1],
        practitioner_id=practitioners.get(name),
        roles={territory_id: frozenset(held) for territory_id, held in roles.items()},
        schedules={schedules[owner]: territory_id for owner, territory_id in acts_for.items()},
        neighbours=frozenset(neighbour[territory_id] for territory_id in member_of),
    )


async def _write_accounts(conn: asyncpg.Connection, accounts: Mapping[str, Account]) -> None:
    await conn.executemany(
        "INSERT INTO account (id, email, password_hash, name, phone, organisation_id,"
        " practitioner_id) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (
                *(account.id, account.email, password_hash(), account.name),
                *(account.phone, account.organisation_id, account.practitioner_id),
            )
            for account in accounts.values()
        ],
    )
    await conn.executemany(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, $2, $3)",
        [
            (account.id, territory_id, role)
            for account in accounts.values()
            for territory_id, held in account.roles.items()
            for role in held
        ],
    )
    await conn.executemany(
        "INSERT INTO delegation (account_id, territory_id, schedule_id) VALUES ($1, $2, $3)",
        [
            (account.id, territory_id, schedule_id)
            for account in accounts.values()
            for schedule_id, territory_id in account.schedules.items()
            if account.practitioner_id is None
        ],
    )


@cache
def password_hash() -> str:
    """One cheap hash for all: the cost of a real one is tested where passwords are."""
    return CHEAP.hash(PASSWORD)
