"""Where chaos is played: ten territories, five thousand slots, and people who are signed in."""

import hashlib
import itertools
import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from slots.audience import Role
from slots.ids import TerritoryId, new_id
from slots.rights import Action, audiences, standings
from tests.world import ACTS, COMMUNES, REASONS, URGENCIES

TERRITORIES = 10
SCHEDULES = 25  # of each territory
SLOTS_OF_A_SCHEDULE = 20
SLOT_EVERY = timedelta(minutes=100)
FIRST_AFTER = timedelta(minutes=90)
CRENEAU, PLAGE = timedelta(minutes=20), timedelta(minutes=60)
PLAGE_EVERY = 5  # each fifth slot has several seats
PLAGE_SEATS = 4
FOR_REGULATORS_EVERY = 7  # what referrers may not see
PROBE_SEATS = 20  # of the slots that only the healing probe books
# Slots that cross the horizon, or end, while we look.
MOVING_SLOTS = 10  # of each territory, of either kind
MOVING_EVERY = timedelta(seconds=9)
HORIZON = timedelta(hours=48)
REGULATORS, REFERRERS, DELEGATES = 16, 5, 2  # the last two of each territory
SESSION_FOR = timedelta(hours=12)
INSEE = "34028"


@dataclass(frozen=True)
class Person:
    """Somebody with a session, who acts in *territories* under one role."""

    id: UUID
    name: str
    role: Role
    territories: tuple[TerritoryId, ...]
    schedules: tuple[UUID, ...]  # that a delegate acts for
    token: str

    @property
    def hears(self) -> list[str]:
        return sorted(audiences(standings(frozenset({self.role}), is_neighbour=False), Action.BOOK))


@dataclass(frozen=True)
class Place:
    """A slot as it was offered."""

    id: str
    territory: TerritoryId
    capacity: int
    audience: tuple[str, ...]
    schedule: UUID


@dataclass
class Ground:
    slugs: Mapping[TerritoryId, str]
    people: list[Person]
    places: list[Place]  # grows with what is offered
    probes: dict[TerritoryId, list[Place]]  # left to the healing probe
    for_the_careless: list[Place]  # what they hold by mistake is in nobody's history

    def of(self, role: Role) -> list[Person]:
        return [person for person in self.people if person.role is role]


async def make_ground(owner: asyncpg.Connection) -> Ground:
    """Write all of it into an empty database, over the walls."""
    now = datetime.now(UTC).replace(microsecond=0)
    slugs = {TerritoryId(number): f"chaos-{number:02}" for number in range(1, TERRITORIES + 1)}
    async with owner.transaction():
        organisations = await _make_territories(owner, slugs)
        schedules = await _make_schedules(owner, slugs, organisations)
        people = _people(slugs, schedules)
        await _write_people(owner, people, organisations, now)
        places = await _make_slots(owner, schedules, people[0], now)
    probes: dict[TerritoryId, list[Place]] = defaultdict(list)
    for place in places:
        if place.capacity == PROBE_SEATS:
            probes[place.territory].append(place)
    others = [place for place in places if place.capacity != PROBE_SEATS]
    careless = [places_of_one.pop() for places_of_one in probes.values()]
    return Ground(slugs, people, others, probes, careless)


async def _make_territories(
    owner: asyncpg.Connection, slugs: Mapping[TerritoryId, str]
) -> dict[TerritoryId, UUID]:
    name, postcode, population, lat, lon = COMMUNES[INSEE]
    await owner.execute(
        "INSERT INTO commune (insee, name, postcodes, population, lat, lon)"
        " VALUES ($1, $2, ARRAY[$3], $4, $5, $6)",
        *(INSEE, name, postcode, population, lat, lon),
    )
    organisations = {number: uuid4() for number in slugs}
    for number, slug in slugs.items():
        await owner.execute(
            "INSERT INTO territory (id, slug, name, department) VALUES ($1, $2, $2, '34')",
            *(number, slug),
        )
        await owner.execute(
            "INSERT INTO organisation (id, name, kind, phone) VALUES ($1, $2, 'practice', '04')",
            *(organisations[number], slug),
        )
        await owner.executemany(
            "INSERT INTO act (territory_id, code, label) VALUES ($1, $2, $3)",
            [(number, code, label) for code, (label, *_) in ACTS.items()],
        )
        for table, labels in (("reason", REASONS), ("urgency", URGENCIES)):
            await owner.executemany(
                f"INSERT INTO {table} (territory_id, code, label, position) VALUES ($1, $2, $3, $4)",
                [(number, *pair, place) for place, pair in enumerate(labels.items(), start=1)],
            )
    return organisations


@dataclass(frozen=True)
class _Schedule:
    id: UUID
    territory: TerritoryId
    practitioner: UUID
    location: UUID


async def _make_schedules(
    owner: asyncpg.Connection,
    slugs: Mapping[TerritoryId, str],
    organisations: Mapping[TerritoryId, UUID],
) -> list[_Schedule]:
    _, _, _, lat, lon = COMMUNES[INSEE]
    made = []
    for number, slug in slugs.items():
        location = uuid4()
        await owner.execute(
            "INSERT INTO location (id, territory_id, organisation_id, name, insee, lat, lon, phone)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, '0400000000')",
            *(location, number, organisations[number], slug, INSEE, lat, lon),
        )
        made += [_Schedule(uuid4(), number, uuid4(), location) for _ in range(SCHEDULES)]
    await owner.executemany(
        "INSERT INTO practitioner (id, given_name, family_name, profession, specialty)"
        " VALUES ($1, 'Chaos', $2, '10', 'SM54')",
        [(one.practitioner, str(number)) for number, one in enumerate(made)],
    )
    roles = [uuid4() for _ in made]
    await owner.executemany(
        "INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id)"
        " VALUES ($1, $2, $3, $4)",
        [
            (role, one.territory, one.practitioner, one.location)
            for role, one in zip(roles, made, strict=True)
        ],
    )
    await owner.executemany(
        "INSERT INTO schedule (id, territory_id, practitioner_role_id) VALUES ($1, $2, $3)",
        [(one.id, one.territory, role) for role, one in zip(roles, made, strict=True)],
    )
    return made


def _people(slugs: Mapping[TerritoryId, str], schedules: list[_Schedule]) -> list[Person]:
    people = []

    def add(role: Role, territories: tuple[TerritoryId, ...], own: tuple[UUID, ...] = ()) -> None:
        name = f"{role.value}-{len(people)}"
        people.append(Person(uuid4(), name, role, territories, own, secrets.token_urlsafe(32)))

    everywhere = tuple(slugs)
    add(Role.COORDINATOR, everywhere)
    for _ in range(REGULATORS):
        add(Role.REGULATOR, everywhere)
    for number in slugs:
        own = [one.id for one in schedules if one.territory == number]
        for _ in range(REFERRERS):
            add(Role.REFERRER, (number,))
        for part in range(DELEGATES):
            add(Role.DELEGATE, (number,), tuple(own[part::DELEGATES]))
    return people


async def _write_people(
    owner: asyncpg.Connection,
    people: list[Person],
    organisations: Mapping[TerritoryId, UUID],
    now: datetime,
) -> None:
    await owner.executemany(
        "INSERT INTO account (id, email, password_hash, name, phone, organisation_id)"
        " VALUES ($1, $2, 'none', $3, '0400000000', $4)",
        [
            (one.id, f"{one.name}@example.test", one.name, organisations[one.territories[0]])
            for one in people
        ],
    )
    await owner.executemany(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, $2, $3)",
        [(one.id, number, one.role) for one in people for number in one.territories],
    )
    await owner.executemany(
        "INSERT INTO delegation (account_id, territory_id, schedule_id) VALUES ($1, $2, $3)",
        [(one.id, one.territories[0], schedule) for one in people for schedule in one.schedules],
    )
    await owner.executemany(
        "INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at)"
        " VALUES ($1, $2, $3, $3, $4)",
        [
            (hashlib.sha256(one.token.encode()).digest(), one.id, now, now + SESSION_FOR)
            for one in people
        ],
    )


async def _make_slots(
    owner: asyncpg.Connection, schedules: list[_Schedule], offerer: Person, now: datetime
) -> list[Place]:
    rows, places = [], []
    for one, (starts_at, ends_at, capacity) in _plan(schedules, now):
        for_few = capacity != PROBE_SEATS and len(rows) % FOR_REGULATORS_EVERY == 0
        audience = ("SNP",) if for_few else ("CPTS", "SNP")
        slot_id = new_id(one.territory)
        places.append(Place(str(slot_id), one.territory, capacity, audience, one.id))
        owned = (slot_id, one.territory, one.id, one.location, one.practitioner)
        rows.append((*owned, starts_at, ends_at, capacity, list(audience), now, offerer.id))
    await owner.executemany(
        "INSERT INTO slot (id, territory_id, schedule_id, location_id, practitioner_id, starts_at,"
        " ends_at, capacity, modality, acts, audience, offered_at, offered_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'AMB', '{consultation}', $9, $10, $11)",
        rows,
    )
    return places


def _plan(
    schedules: list[_Schedule], now: datetime
) -> Iterator[tuple[_Schedule, tuple[datetime, datetime, int]]]:
    """When each schedule has its slots. The first ones of a territory are the probe's."""
    numbers: defaultdict[TerritoryId, Iterator[int]] = defaultdict(itertools.count)
    for one in schedules:
        number = next(numbers[one.territory])
        for index in range(SLOTS_OF_A_SCHEDULE - 1):
            starts_at = now + FIRST_AFTER + index * SLOT_EVERY
            if number == 0:
                yield one, (starts_at, starts_at + CRENEAU, PROBE_SEATS)
            elif index % PLAGE_EVERY == 0:
                yield one, (starts_at, starts_at + PLAGE, PLAGE_SEATS)
            else:
                yield one, (starts_at, starts_at + CRENEAU, 1)
        moment = now + (number % MOVING_SLOTS + 1) * MOVING_EVERY
        if number < MOVING_SLOTS:  # goes live meanwhile
            yield one, (moment + HORIZON, moment + HORIZON + CRENEAU, 1)
        else:  # a span that ends meanwhile
            yield one, (moment - PLAGE, moment, PLAGE_SEATS)
