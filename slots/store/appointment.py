"""Appointments and the ends of holds in the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from slots import queries
from slots.appointment import Appointment, AppointmentStatus, BookedBy, Origin, Side
from slots.database import Connection
from slots.document import ScheduleDocument, SlotCard
from slots.errors import SlotTaken
from slots.ids import (
    AccountId,
    AppointmentId,
    HoldId,
    OrganisationId,
    ScheduleId,
    SlotId,
    TerritoryId,
)
from slots.store.slot import schedule_of_row, slots_by_id
from slots.transaction import TryAgain

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("appointment.sql")
ONE_PER_SEAT: Final = "appointment_one_per_seat"


@dataclass(frozen=True, slots=True)
class NewAppointment:
    """A booking about to be written."""

    id: AppointmentId
    territory_id: TerritoryId
    schedule_id: ScheduleId
    reference: str
    origin: Origin
    reason: str
    urgency: str
    starts_at: datetime
    account_id: AccountId
    organisation_id: OrganisationId
    booked_by: BookedBy
    booked_at: datetime

    def as_booked(self, slot_id: SlotId | None, seat: int | None) -> Appointment:
        """The appointment that this becomes once it is committed."""
        return Appointment(
            id=self.id,
            territory_id=self.territory_id,
            schedule_id=self.schedule_id,
            slot_id=slot_id,
            seat=seat,
            reference=self.reference,
            status=AppointmentStatus.BOOKED,
            origin=self.origin,
            reason=self.reason,
            urgency=self.urgency,
            starts_at=self.starts_at,
            booked_by=self.booked_by,
            booked_by_account_id=self.account_id,
            booked_by_organisation_id=self.organisation_id,
            booked_at=self.booked_at,
            seen_at=None,
            outcome_at=None,
            cancelled_at=None,
            cancelled_by_side=None,
            patient_told_at=None,
            moved_to=None,
        )


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """An appointment with what a screen shows around it. *slot* is None for an overflow."""

    appointment: Appointment
    schedule: ScheduleDocument
    slot: SlotCard | None


@dataclass(frozen=True, slots=True)
class HoldEnd:
    """How a hold ended: with an appointment, or revoked (None)."""

    hold_id: HoldId
    appointment_id: AppointmentId | None


async def book_seat(
    conn: Connection,
    new: NewAppointment,
    *,
    slot_id: SlotId,
    seat: int,
    hold_id: HoldId,
    held_at: datetime,
) -> bool:
    """Make a sealed hold true. False where the hold has ended already.

    The caller has locked the slot's row.

    Raises:
        SlotTaken: The seat has an appointment (`appointment_one_per_seat`).
        TryAgain: The reference is taken.
    """
    try:
        booked = await QUERIES["book_seat"].value(
            conn,
            slot_id=slot_id,
            seat=seat,
            hold_id=hold_id,
            held_at=held_at,
            **_columns(new),
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == ONE_PER_SEAT:
            raise SlotTaken from error
        raise TryAgain from error
    return booked is not None


async def book_overflow(conn: Connection, new: NewAppointment) -> None:
    """Record an appointment without a seat. The caller has locked the schedule's row.

    Raises:
        TryAgain: The reference is taken.
    """
    try:
        await QUERIES["book_overflow"].none(conn, **_columns(new))
    except asyncpg.UniqueViolationError as error:
        raise TryAgain from error


async def revoke_hold(conn: Connection, hold_id: HoldId, territory_id: TerritoryId) -> HoldEnd:
    """End a hold without an appointment, unless it has ended already; say how it ended."""
    await QUERIES["revoke_hold"].value(conn, hold_id=hold_id, territory_id=territory_id)
    row = await QUERIES["hold_end"].one(conn, hold_id=hold_id)
    assert row is not None, "a hold that is revoked has an end"
    return HoldEnd(hold_id, row["appointment_id"])


async def booked_that_day(
    conn: Connection, schedule_id: ScheduleId, day: tuple[datetime, datetime]
) -> int:
    """How many patients the schedule has in the half-open span *day*, overflow included."""
    starts_at, ends_at = day
    return int(
        await QUERIES["booked_that_day"].value(
            conn, schedule_id=schedule_id, day_starts_at=starts_at, day_ends_at=ends_at
        )
    )


async def appointments(
    conn: Connection, ids: Iterable[AppointmentId]
) -> dict[AppointmentId, Appointment]:
    """These appointments; those behind a wall or unknown are left out."""
    rows = await QUERIES["appointments"].many(conn, ids=list(ids))
    return {AppointmentId(row["id"]): appointment_of_row(row) for row in rows}


async def lock_appointment(conn: Connection, appointment_id: AppointmentId) -> Appointment | None:
    """Lock one appointment until the end of the transaction. Its slot is locked before it."""
    rows = await QUERIES["lock_appointments"].many(conn, ids=[appointment_id])
    return appointment_of_row(rows[0]) if rows else None


async def booked_in_slots(conn: Connection, slot_ids: Iterable[SlotId]) -> list[Appointment]:
    """The bookings that a withdrawal would cancel, locked."""
    rows = await QUERIES["booked_in_slots"].many(conn, slot_ids=list(slot_ids))
    return [appointment_of_row(row) for row in rows]


async def cancel_appointments(
    conn: Connection,
    ids: Iterable[AppointmentId],
    *,
    at: datetime,
    by: AccountId,
    side: Side,
    moved_to: AppointmentId | None = None,
) -> None:
    """Cancel; the professional's side leaves a patient to tell."""
    await QUERIES["cancel_appointments"].none(
        conn, ids=list(ids), at=at, by=by, side=side, moved_to=moved_to
    )


async def set_outcome(
    conn: Connection, appointment_id: AppointmentId, status: AppointmentStatus, at: datetime
) -> None:
    """The patient came, or did not."""
    await QUERIES["set_outcome"].none(conn, id=appointment_id, status=status, at=at)


async def mark_seen(conn: Connection, ids: Sequence[AppointmentId], at: datetime) -> None:
    """The professional knows of these bookings. Safe to repeat."""
    await QUERIES["mark_seen"].none(conn, ids=list(ids), at=at)


async def mark_patient_told(
    conn: Connection, appointment_id: AppointmentId, at: datetime, by: AccountId
) -> None:
    """The patient knows that the booking was cancelled. Safe to repeat."""
    await QUERIES["mark_patient_told"].none(conn, id=appointment_id, at=at, by=by)


async def unseen_of_schedules(
    conn: Connection, schedule_ids: Iterable[ScheduleId], since: datetime, until: datetime
) -> list[tuple[AppointmentId, SlotId | None]]:
    """Bookings in the span that the professional has not seen, with their slots."""
    rows = await QUERIES["unseen_of_schedules"].many(
        conn, schedule_ids=list(schedule_ids), since=since, until=until
    )
    return [(AppointmentId(row["id"]), row["slot_id"]) for row in rows]


async def appointments_of_schedules(
    conn: Connection, schedule_ids: Iterable[ScheduleId], since: datetime, until: datetime
) -> list[AppointmentView]:
    """Who booked with these schedules, by start: the professional's list."""
    rows = await QUERIES["appointments_of_schedules"].many(
        conn, schedule_ids=list(schedule_ids), since=since, until=until
    )
    return await views(conn, [appointment_of_row(row) for row in rows])


async def appointments_of_organisation(
    conn: Connection, organisation_id: OrganisationId, since: datetime
) -> list[AppointmentView]:
    """What an organisation has booked, by start: the referrer's list."""
    rows = await QUERIES["appointments_of_organisation"].many(
        conn, organisation_id=organisation_id, since=since
    )
    return await views(conn, [appointment_of_row(row) for row in rows])


async def patients_to_tell(
    conn: Connection, organisation_id: OrganisationId
) -> list[AppointmentView]:
    """The task "patient prévenu": cancelled by the other side, and nobody told the patient yet."""
    rows = await QUERIES["patients_to_tell"].many(conn, organisation_id=organisation_id)
    return await views(conn, [appointment_of_row(row) for row in rows])


async def views(conn: Connection, found: Sequence[Appointment]) -> list[AppointmentView]:
    """Appointments with their slots and schedules, in two looks whatever their number."""
    if not found:
        return []
    known_schedules = await schedule_documents(conn, {one.schedule_id for one in found})
    known_slots = await slots_by_id(conn, {one.slot_id for one in found if one.slot_id})
    return [
        AppointmentView(
            appointment=one,
            schedule=known_schedules[one.schedule_id],
            slot=known_slots[one.slot_id].card if one.slot_id else None,
        )
        for one in found
    ]


async def schedule_documents(
    conn: Connection, schedule_ids: Iterable[ScheduleId]
) -> dict[ScheduleId, ScheduleDocument]:
    """Whose time these schedules are, and where."""
    rows = await QUERIES["schedule_documents"].many(conn, schedule_ids=list(schedule_ids))
    return {ScheduleId(row["id"]): schedule_of_row(row, ScheduleId(row["id"])) for row in rows}


def _columns(new: NewAppointment) -> dict[str, Any]:
    return {
        "id": new.id,
        "territory_id": new.territory_id,
        "schedule_id": new.schedule_id,
        "reference": new.reference,
        "origin": new.origin,
        "reason": new.reason,
        "urgency": new.urgency,
        "starts_at": new.starts_at,
        "account_id": new.account_id,
        "organisation_id": new.organisation_id,
        "booked_by_name": new.booked_by.name,
        "booked_by_organisation": new.booked_by.organisation,
        "booked_by_phone": new.booked_by.phone,
        "booked_at": new.booked_at,
    }


def appointment_of_row(row: "Record") -> Appointment:
    """A row of the table `appointment`."""
    return Appointment(
        id=AppointmentId(row["id"]),
        territory_id=TerritoryId(row["territory_id"]),
        schedule_id=ScheduleId(row["schedule_id"]),
        slot_id=row["slot_id"],
        seat=row["seat"],
        reference=row["reference"],
        status=AppointmentStatus(row["status"]),
        origin=Origin(row["origin"]),
        reason=row["reason"],
        urgency=row["urgency"],
        starts_at=row["starts_at"],
        booked_by=BookedBy(
            row["booked_by_name"], row["booked_by_organisation"], row["booked_by_phone"]
        ),
        booked_by_account_id=row["booked_by_account_id"],
        booked_by_organisation_id=row["booked_by_organisation_id"],
        booked_at=row["booked_at"],
        seen_at=row["seen_at"],
        outcome_at=row["outcome_at"],
        cancelled_at=row["cancelled_at"],
        cancelled_by_side=Side(row["cancelled_by_side"]) if row["cancelled_by_side"] else None,
        patient_told_at=row["patient_told_at"],
        moved_to=row["moved_to"],
    )
