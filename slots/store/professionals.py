"""The professionals of a territory, one by one, for who coordinates it: where they work, what they can do.

Each write answers an `Effect`, or the `Wrong` of a door that refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from slots import queries
from slots.database import Connection
from slots.ids import PractitionerId, TerritoryId
from slots.people.findings import Wrong
from slots.people.usual_acts import usual_acts
from slots.store.bringing_in import Effect

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("bringing_in.sql")


@dataclass(frozen=True, slots=True)
class PlaceOfWork:
    """Somebody at a place. What is the place's own is every colleague's too."""

    role_id: UUID
    location_id: UUID
    place: str
    insee: str
    commune: str
    address: str
    phone: str
    access: str
    step_free: bool | None
    parking: bool | None
    new_patients: bool | None
    referral: str


@dataclass(frozen=True, slots=True)
class Professional:
    """Somebody of the directory, with the places of one territory."""

    id: PractitionerId
    rpps: str
    given_name: str
    family_name: str
    profession: str
    specialty: str
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    places: tuple[PlaceOfWork, ...]

    @property
    def name(self) -> str:
        """As people say it."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Location:
    """A place of the territory to choose."""

    id: UUID
    name: str
    commune: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its rooms, at a place of the territory."""

    id: UUID
    service: str
    finess: str | None
    phone: str
    rooms: int
    new_patients: bool | None
    referral: str
    location_id: UUID
    place: str
    commune: str


async def professionals(
    conn: Connection, territory_id: TerritoryId, practitioner_id: UUID | None = None
) -> list[Professional]:
    """Everybody who works in the territory, by family name; or one of them."""
    rows = await QUERIES["professionals"].many(
        conn, territory_id=territory_id, practitioner_id=practitioner_id
    )
    by_id: dict[UUID, list[Record]] = {}
    for row in rows:
        by_id.setdefault(row["id"], []).append(row)
    return [_professional(of_one) for of_one in by_id.values()]


async def locations(conn: Connection, territory_id: TerritoryId) -> list[Location]:
    """The places of the territory, by name."""
    rows = await QUERIES["locations"].many(conn, territory_id=territory_id)
    return [Location(**dict(row)) for row in rows]


async def services(
    conn: Connection, territory_id: TerritoryId, service_id: UUID | None = None
) -> list[Service]:
    """The services of the territory, by name; or one of them."""
    rows = await QUERIES["services"].many(conn, territory_id=territory_id, service_id=service_id)
    return [Service(**dict(row)) for row in rows]


async def amend_service(
    conn: Connection, territory_id: TerritoryId, service: Service, values: Mapping[str, Any]
) -> Effect | Wrong:
    """What is said of a service. *values* are by the table's columns."""
    row = await QUERIES["put_service"].one(
        conn,
        territory_id=territory_id,
        service_id=service.id,
        location_id=service.location_id,
        name=values["service"],
        finess=values["finess"],
        phone=values["phone"],
        profession="",
        specialty="",
        rooms=values["rooms"],
        new_patients=values["new_patients"],
        referral=values["referral"],
        audience=None,
        acts=None,
        daily_cap=None,
        overflow=None,
    )
    return _answer(row)


async def amend_person(
    conn: Connection,
    territory_id: TerritoryId,
    practitioner_id: UUID,
    values: Mapping[str, Any],
) -> Effect | Wrong:
    """What is said of somebody at all their places. *values* are by the table's columns."""
    row = await QUERIES["put_practitioner"].one(
        conn,
        territory_id=territory_id,
        practitioner_id=practitioner_id,
        rpps=values["rpps"],
        email="",
        given_name=values["given_name"],
        family_name=values["family_name"],
        profession=values["profession"],
        specialty=values["specialty"],
        skills=list(values["skills"]),
        languages=list(values["languages"]),
    )
    return _answer(row)


async def put_place(
    conn: Connection, territory_id: TerritoryId, values: Mapping[str, Any]
) -> tuple[Effect | Wrong, UUID | None]:
    """A place, new or as it is called and where; and its id."""
    row = await QUERIES["put_place"].one(
        conn,
        territory_id=territory_id,
        name=values["place"],
        insee=values["insee"],
        address=values["address"],
        lat=None,
        lon=None,
        phone=values["phone"],
        amends_phone=True,
        access=values["access"],
        step_free=values["step_free"],
        parking=values["parking"],
        organisation="",
        finess="",
        kind="",
    )
    assert row is not None
    return _answer(row), row["location_id"]


async def put_place_of_work(
    conn: Connection,
    territory_id: TerritoryId,
    professional: Professional,
    location_id: UUID,
    values: Mapping[str, Any],
) -> tuple[Effect | Wrong, UUID | None]:
    """Somebody works at a place of the territory, with a schedule of its own; and the role's id."""
    row = await QUERIES["put_place_of_work"].one(
        conn,
        territory_id=territory_id,
        practitioner_id=professional.id,
        location_id=location_id,
        new_patients=values["new_patients"],
        referral=values["referral"],
        audience=None,
        acts=None,
        usual_acts=list(usual_acts(professional.profession)),
        daily_cap=None,
        overflow=None,
    )
    assert row is not None
    return _answer(row), row["id"]


async def end_place_of_work(
    conn: Connection, territory_id: TerritoryId, role_id: UUID, now: datetime
) -> Effect | Wrong:
    """Somebody works there no more; refused while anything is still to come."""
    answer = await QUERIES["end_place_of_work"].value(
        conn, territory_id=territory_id, role_id=role_id, at=now
    )
    return Effect(answer) if answer in set(Effect) else Wrong(answer)


def _answer(row: "Record | None") -> Effect | Wrong:
    assert row is not None
    answer = row["outcome"]
    return Effect(answer) if answer in set(Effect) else Wrong(answer)


def _professional(rows: "list[Record]") -> Professional:
    first = rows[0]
    names = PlaceOfWork.__dataclass_fields__
    return Professional(
        id=PractitionerId(first["id"]),
        rpps=first["rpps"] or "",
        given_name=first["given_name"],
        family_name=first["family_name"],
        profession=first["profession"],
        specialty=first["specialty"] or "",
        skills=tuple(first["skills"]),
        languages=tuple(first["languages"]),
        places=tuple(PlaceOfWork(**{name: row[name] for name in names}) for row in rows),
    )
