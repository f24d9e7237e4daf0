"""Reads who works where, and the words that a territory chooses for acts, reasons and urgencies."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from slots import queries
from slots.database import Connection
from slots.document import (
    LocationDocument,
    PractitionerDocument,
    ScheduleDocument,
    ServiceDocument,
)
from slots.ids import ScheduleId, TerritoryId
from slots.store.slot import schedule_of_row

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("directory.sql")


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One schedule as the directory shows it: who, where, with what skills and habits."""

    schedule: ScheduleDocument
    territory_id: TerritoryId
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    address: str
    access: str
    acts: tuple[str, ...]
    audience: tuple[str, ...]
    daily_cap: int | None
    accepts_overflow: bool


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """A place of work or a service that answers a search. *owner_id*: the person or the service.

    Where not *is_exact*, it only comes near what was typed.
    """

    id: UUID
    owner_id: UUID
    is_service: bool
    territory_id: TerritoryId
    schedule_id: UUID | None
    new_patients: bool | None
    languages: tuple[str, ...]
    lat: float  # degrees, WGS 84
    lon: float
    is_exact: bool
    rank: float


@dataclass(frozen=True, slots=True)
class DirectoryLine:
    """A person at one place, or a service, as the directory shows them; None is not known.

    *schedule_id* is None for those whose time cannot be booked here, such as pharmacists.
    """

    id: UUID
    territory_id: TerritoryId
    practitioner: PractitionerDocument | None
    service: ServiceDocument | None
    location: LocationDocument
    schedule_id: UUID | None
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    acts: tuple[str, ...]
    address: str
    access: str
    step_free: bool | None
    parking: bool | None
    referral: str
    new_patients: bool | None
    accepts_overflow: bool

    @property
    def owner(self) -> PractitionerDocument | ServiceDocument:
        """The person or the service."""
        owner = self.practitioner or self.service
        assert owner is not None
        return owner


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a territory offers; *preparation* is told to the patient.

    What is offered no more keeps its words, for the slots that still carry it.
    """

    territory_id: TerritoryId
    code: str
    label: str
    preparation: str
    prescription_required: bool
    is_offered: bool = True


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune with its centre, in degrees WGS 84."""

    insee: str
    name: str
    postcodes: tuple[str, ...]
    lat: float
    lon: float


async def directory(
    conn: Connection,
    territory_ids: Collection[TerritoryId],
    schedule_ids: Collection[ScheduleId] | None = None,
) -> list[DirectoryEntry]:
    """All schedules of these territories by name, or those of *schedule_ids* among them."""
    rows = await QUERIES["directory"].many(
        conn,
        territory_ids=list(territory_ids),
        schedule_ids=None if schedule_ids is None else list(schedule_ids),
    )
    return [_entry(row) for row in rows]


async def find_in_directory(
    conn: Connection,
    territory_ids: Collection[TerritoryId],
    typed: str,
    profession: str | None = None,
    specialty: str | None = None,
) -> list[FoundEntry]:
    """Who answers what was typed, the likest first, by name among equals.

    Accents, capitals and small words do not count. Where no entry has every word, those come that
    have words nearly like it.
    """
    rows = await QUERIES["find_in_directory"].many(
        conn,
        territory_ids=list(territory_ids),
        typed=typed,
        profession=profession,
        specialty=specialty,
    )
    return [
        FoundEntry(
            id=row["entry_id"],
            owner_id=row["owner_id"],
            is_service=row["is_service"],
            territory_id=TerritoryId(row["territory_id"]),
            schedule_id=row["schedule_id"],
            new_patients=row["new_patients"],
            languages=tuple(row["languages"]),
            lat=row["lat"],
            lon=row["lon"],
            is_exact=row["is_exact"],
            rank=row["rank"],
        )
        for row in rows
    ]


async def directory_lines(
    conn: Connection, territory_ids: Collection[TerritoryId], owner_ids: Collection[UUID]
) -> list[DirectoryLine]:
    """All places of these people and services, in no order."""
    rows = await QUERIES["directory_lines"].many(
        conn, territory_ids=list(territory_ids), owner_ids=list(owner_ids)
    )
    return [_line(row) for row in rows]


async def with_account(conn: Connection, entry_ids: Collection[UUID]) -> set[UUID]:
    """Those of these entries that somebody who signs in could publish for."""
    rows = await QUERIES["directory_with_account"].many(conn, entry_ids=list(entry_ids))
    return {row["entry_id"] for row in rows}


async def offered_since(
    conn: Connection, heard: Mapping[UUID, Iterable[str]], since: datetime
) -> dict[UUID, tuple[bool, bool]]:
    """Whether each of these schedules has offered since: to those who hear so, and to anybody.

    *heard*: by schedule, the audiences that the one who asks belongs to there.
    """
    rows = await QUERIES["offered_since"].many(
        conn,
        schedule_ids=list(heard),
        heard=[",".join(words) for words in heard.values()],
        since=since,
    )
    return {row["schedule_id"]: (row["to_viewer"], row["to_anybody"]) for row in rows}


async def communes(conn: Connection) -> list[Commune]:
    """The whole table of communes, by name. It needs no territory."""
    return [
        Commune(row["insee"], row["name"], tuple(row["postcodes"]), row["lat"], row["lon"])
        for row in await QUERIES["communes"].many(conn)
    ]


async def acts(conn: Connection, territory_ids: Collection[TerritoryId]) -> list[Act]:
    """What these territories offer, by code: a line for each territory that has it."""
    rows = await QUERIES["acts"].many(conn, territory_ids=list(territory_ids))
    return [
        Act(
            TerritoryId(row["territory_id"]),
            row["code"],
            row["label"],
            row["preparation"],
            row["prescription_required"],
            row["is_offered"],
        )
        for row in rows
    ]


async def reasons(conn: Connection, territory_id: TerritoryId) -> dict[str, str]:
    """Code → label of the reasons of a territory, in its order."""
    return _labels(await QUERIES["reasons"].many(conn, territory_id=territory_id))


async def urgencies(conn: Connection, territory_id: TerritoryId) -> dict[str, str]:
    """Code → label of the urgencies of a territory, in its order."""
    return _labels(await QUERIES["urgencies"].many(conn, territory_id=territory_id))


def _labels(rows: Sequence["Record"]) -> dict[str, str]:
    return {row["code"]: row["label"] for row in rows}


def _entry(row: "Record") -> DirectoryEntry:
    return DirectoryEntry(
        schedule=schedule_of_row(row, ScheduleId(row["id"])),
        territory_id=TerritoryId(row["territory_id"]),
        skills=tuple(row["skills"]),
        languages=tuple(row["languages"]),
        address=row["address"],
        access=row["access"],
        acts=tuple(row["default_acts"]),
        audience=tuple(row["default_audience"]),
        daily_cap=row["daily_cap"],
        accepts_overflow=row["accepts_overflow"],
    )


def _line(row: "Record") -> DirectoryLine:
    owner = schedule_of_row(row, ScheduleId(row["entry_id"]))
    return DirectoryLine(
        id=row["entry_id"],
        territory_id=TerritoryId(row["territory_id"]),
        practitioner=owner.practitioner,
        service=owner.service,
        location=owner.location,
        schedule_id=row["schedule_id"],
        skills=tuple(row["skills"]),
        languages=tuple(row["languages"]),
        acts=tuple(row["default_acts"]),
        address=row["address"],
        access=row["access"],
        step_free=row["step_free"],
        parking=row["parking"],
        referral=row["referral"],
        new_patients=row["new_patients"],
        accepts_overflow=row["accepts_overflow"],
    )
