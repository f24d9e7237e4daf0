"""Reads who works where, and the words that a territory chooses for acts, reasons and urgencies."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from slots import queries
from slots.database import Connection
from slots.document import ScheduleDocument
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
class Act:
    """Something that a territory offers; *preparation* is told to the patient."""

    territory_id: TerritoryId
    code: str
    label: str
    preparation: str
    prescription_required: bool


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
