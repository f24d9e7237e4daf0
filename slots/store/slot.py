"""Slots in the ledger. `Slot` comes whole: with its seats, its place and its people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from slots import queries
from slots.audience import Audience
from slots.database import Connection
from slots.document import (
    LocationDocument,
    PractitionerDocument,
    ScheduleDocument,
    ServiceDocument,
    SlotCard,
)
from slots.ids import AccountId, HoldId, PractitionerId, ScheduleId, SlotId, TerritoryId
from slots.slot import Slot

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("slot.sql")


@dataclass(frozen=True, slots=True)
class ScheduleTerms:
    """What an offer takes from its schedule: whose time, where, and the owner's defaults."""

    id: ScheduleId
    territory_id: TerritoryId
    practitioner_id: PractitionerId | None
    healthcare_service_id: UUID | None
    location_id: UUID
    rooms: int
    default_audience: tuple[str, ...]
    default_acts: tuple[str, ...]
    daily_cap: int | None
    accepts_overflow: bool


@dataclass(frozen=True, slots=True)
class NewSlot:
    """A slot about to be written, its fields as the table has them."""

    id: SlotId
    territory_id: TerritoryId
    schedule_id: ScheduleId
    location_id: UUID
    practitioner_id: PractitionerId | None
    healthcare_service_id: UUID | None
    room: int | None
    starts_at: datetime
    ends_at: datetime
    capacity: int
    modality: str
    area: dict[str, Any] | None
    acts: tuple[str, ...]
    audience: tuple[str, ...]
    note: str | None
    offered_at: datetime
    offered_by: AccountId


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another slot of the same practitioner at that time, wherever it is."""

    slot_id: SlotId
    starts_at: datetime
    ends_at: datetime
    place: str


async def slots_by_id(conn: Connection, slot_ids: Iterable[SlotId]) -> dict[SlotId, Slot]:
    """These slots, whole, in one look; those behind a wall or unknown are left out."""
    rows = await QUERIES["slots_by_id"].many(conn, slot_ids=list(slot_ids))
    return {SlotId(row["id"]): slot_of_row(row) for row in rows}


async def lock_slots(conn: Connection, slot_ids: Iterable[SlotId]) -> dict[SlotId, Slot]:
    """Lock these slots until the end of the transaction, in order of their ids, then read them.

    The reading is a statement of its own, after the lock: state read before it would be old.
    """
    wanted = list(slot_ids)
    await QUERIES["lock_slots"].many(conn, slot_ids=wanted)
    return await slots_by_id(conn, wanted)


async def slots_of_schedules(
    conn: Connection, schedule_ids: Iterable[ScheduleId], since: datetime, until: datetime
) -> list[Slot]:
    """All slots of these schedules that touch the span, withdrawn ones too, by start."""
    rows = await QUERIES["slots_of_schedules"].many(
        conn, schedule_ids=list(schedule_ids), since=since, until=until
    )
    return [slot_of_row(row) for row in rows]


async def slots_on_the_books(
    conn: Connection, territory_id: TerritoryId, now: datetime
) -> list[Slot]:
    """What the broker keeps of a territory: every slot that has not ended, tombstones too."""
    rows = await QUERIES["slots_on_the_books"].many(conn, territory_id=territory_id, now=now)
    return [slot_of_row(row) for row in rows]


async def live_slots(
    conn: Connection, territory_id: TerritoryId, now: datetime, usual: timedelta
) -> list[Slot]:
    """What the ledger alone knows of the board, for when Redis is away: without the holds.

    *usual*: the horizon of a territory that has set none.
    """
    rows = await QUERIES["slots_before_horizon"].many(
        conn, territory_id=territory_id, now=now, usual=usual
    )
    slots = (slot_of_row(row) for row in rows)
    return [slot for slot in slots if slot.is_live(now, usual)]


async def schedules(
    conn: Connection, schedule_ids: Iterable[ScheduleId]
) -> dict[ScheduleId, ScheduleTerms]:
    """What offers take from these schedules."""
    rows = await QUERIES["schedules"].many(conn, schedule_ids=list(schedule_ids))
    return {
        ScheduleId(row["id"]): ScheduleTerms(
            id=ScheduleId(row["id"]),
            territory_id=TerritoryId(row["territory_id"]),
            practitioner_id=row["practitioner_id"],
            healthcare_service_id=row["healthcare_service_id"],
            location_id=row["location_id"],
            rooms=row["rooms"] or 0,
            default_audience=tuple(row["default_audience"]),
            default_acts=tuple(row["default_acts"]),
            daily_cap=row["daily_cap"],
            accepts_overflow=row["accepts_overflow"],
        )
        for row in rows
    }


async def has_ended(conn: Connection, schedule_ids: Iterable[ScheduleId]) -> bool:
    """Whether any of these is of somebody who works there no more."""
    return bool(await QUERIES["has_ended"].value(conn, schedule_ids=list(schedule_ids)))


async def lock_owners(conn: Connection, owners: Iterable[ScheduleTerms]) -> None:
    """Lock the practitioners and services whose time is given: the first lock of all."""
    terms = list(owners)
    practitioners = {owner.practitioner_id for owner in terms if owner.practitioner_id}
    services = {owner.healthcare_service_id for owner in terms if owner.healthcare_service_id}
    if practitioners:
        await QUERIES["lock_practitioners"].many(conn, practitioner_ids=list(practitioners))
    if services:
        await QUERIES["lock_services"].many(conn, healthcare_service_ids=list(services))


async def lock_capped_schedules(conn: Connection, schedule_ids: Iterable[ScheduleId]) -> None:
    """Lock those of these schedules that have a daily cap, so that it is counted by one at a time."""
    await QUERIES["lock_capped_schedules"].many(conn, schedule_ids=list(schedule_ids))


async def lock_to_book(conn: Connection, slot_ids: Iterable[SlotId]) -> dict[SlotId, Slot]:
    """Lock these slots and, before them, their schedules that have a daily cap; then read them."""
    rows = await QUERIES["lock_to_book"].many(conn, slot_ids=list(slot_ids))
    return {SlotId(row["id"]): slot_of_row(row) for row in rows}


async def act_codes(conn: Connection, territory_id: TerritoryId) -> frozenset[str]:
    """The codes of the acts that the territory offers."""
    rows = await QUERIES["act_codes"].many(conn, territory_id=territory_id)
    return frozenset(row["code"] for row in rows)


async def known_communes(conn: Connection, insee_codes: Sequence[str]) -> frozenset[str]:
    """Which of these INSEE codes exist."""
    rows = await QUERIES["known_communes"].many(conn, insee_codes=list(insee_codes))
    return frozenset(row["insee"] for row in rows)


async def overlapping_slot(
    conn: Connection,
    practitioner_id: PractitionerId,
    starts_at: datetime,
    ends_at: datetime,
    but_slot_id: SlotId | None = None,
) -> Overlap | None:
    """Another slot of the practitioner at that time, in any place or territory."""
    row = await QUERIES["overlapping_slot"].one(
        conn,
        practitioner_id=practitioner_id,
        starts_at=starts_at,
        ends_at=ends_at,
        but_slot_id=but_slot_id,
    )
    return Overlap(SlotId(row["slot_id"]), *row[1:4]) if row else None


async def free_room(
    conn: Connection,
    healthcare_service_id: UUID,
    rooms: int,
    starts_at: datetime,
    ends_at: datetime,
    but_slot_id: SlotId | None = None,
) -> int | None:
    """The lowest room of a service that is free then; None where all are taken."""
    room = await QUERIES["free_room"].value(
        conn,
        healthcare_service_id=healthcare_service_id,
        rooms=rooms,
        starts_at=starts_at,
        ends_at=ends_at,
        but_slot_id=but_slot_id,
    )
    return int(room) if room is not None else None


async def insert_slot(conn: Connection, slot: NewSlot) -> None:
    """Write a slot. `slot_no_overlap` is the last judge (asyncpg.ExclusionViolationError)."""
    fields = {name: getattr(slot, name) for name in NewSlot.__slots__}
    await QUERIES["insert_slot"].none(conn, **fields)


async def amend_slot(conn: Connection, slot: NewSlot, *, new_terms: bool) -> None:
    """Overwrite what may change. *new_terms*: time, place, modality or acts did."""
    await QUERIES["amend_slot"].none(
        conn,
        id=slot.id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        capacity=slot.capacity,
        modality=slot.modality,
        area=slot.area,
        acts=slot.acts,
        audience=slot.audience,
        note=slot.note,
        room=slot.room,
        new_terms=int(new_terms),
    )


async def withdraw_slots(
    conn: Connection, slot_ids: Iterable[SlotId], at: datetime, by: AccountId
) -> None:
    """Mark these slots as taken back. Safe to repeat."""
    await QUERIES["withdraw_slots"].none(conn, slot_ids=list(slot_ids), at=at, by=by)


async def accept_overflow(conn: Connection, schedule_id: ScheduleId, *, accepts: bool) -> None:
    """Note whether the schedule takes patients beyond its slots."""
    await QUERIES["accept_overflow"].none(conn, schedule_id=schedule_id, accepts=accepts)


async def slots_to_withdraw(
    conn: Connection, schedule_ids: Iterable[ScheduleId], since: datetime, until: datetime
) -> list[SlotId]:
    """The slots of these schedules that are still ahead in the span."""
    rows = await QUERIES["slots_to_withdraw"].many(
        conn, schedule_ids=list(schedule_ids), since=since, until=until
    )
    return [SlotId(row["id"]) for row in rows]


def slot_of_row(row: "Record") -> Slot:
    """A row of the view `ledger_slot` as a Slot."""
    card = SlotCard(
        id=row["id"],
        territory=row["territory"],
        schedule=schedule_of_row(row, ScheduleId(row["schedule_id"])),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        modality=row["modality"],
        area=row["area"],
        acts=row["acts"],
        audience=row["audience"],
        note=row["note"],
    )
    return Slot(
        id=SlotId(row["id"]),
        territory_id=TerritoryId(row["territory_id"]),
        schedule_id=ScheduleId(row["schedule_id"]),
        practitioner_id=row["practitioner_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        capacity=row["capacity"],
        modality=row["modality"],
        audience=frozenset(map(Audience, row["audience"])),
        version=row["version"],
        terms=row["terms"],
        withdrawn=row["withdrawn_at"] is not None,
        daily_cap=row["daily_cap"],
        seats=seats_of(row["seats"]),
        card=card,
        horizon=None if row["horizon_h"] is None else timedelta(hours=row["horizon_h"]),
    )


def seats_of(seats: Mapping[str, str | None]) -> dict[int, HoldId | None]:
    """Booked seats as the ledger's JSON has them, each with the hold that it came from."""
    return {
        int(seat): HoldId(UUID(hold_id)) if hold_id else None
        for seat, hold_id in sorted(seats.items())
    }


def schedule_of_row(row: "Record", schedule_id: ScheduleId) -> ScheduleDocument:
    """The columns of owner and place, alike in `ledger_slot` and in `schedule_documents`."""
    return ScheduleDocument(
        id=schedule_id,
        practitioner=PractitionerDocument(
            row["practitioner_id"],
            row["practitioner_name"],
            row["practitioner_profession"],
            row["practitioner_specialty"],
        )
        if row["practitioner_id"]
        else None,
        service=ServiceDocument(
            row["healthcare_service_id"],
            row["service_name"],
            row["service_profession"],
            row["service_specialty"],
        )
        if row["healthcare_service_id"]
        else None,
        location=LocationDocument(
            row["location_id"],
            row["location_name"],
            row["location_commune"],
            row["location_insee"],
            row["location_lat"],
            row["location_lon"],
            row["location_phone"],
        ),
    )
