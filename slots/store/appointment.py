"""Appointments and the ends of holds in the ledger."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from slots import queries
from slots.appointment import Appointment, AppointmentStatus, BookedBy, Origin, Side
from slots.database import Connection
from slots.document import PractitionerDocument, ScheduleDocument, SlotCard
from slots.ids import (
    AccountId,
    AppointmentId,
    OrganisationId,
    ScheduleId,
    SlotId,
    TerritoryId,
    first_id_at,
)
from slots.slot import OFFER_AHEAD_MAX
from slots.store.slot import schedule_of_row, slots_by_id

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("appointment.sql")


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """An appointment with what a screen shows around it. *slot* is None for an overflow."""

    appointment: Appointment
    schedule: ScheduleDocument
    slot: SlotCard | None


@dataclass(frozen=True, slots=True)
class Regulated:
    """How many patients the regulation has sent to one practitioner."""

    practitioner: PractitionerDocument
    patients: int


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


async def booked_since(
    conn: Connection, territory_ids: Collection[TerritoryId], since: datetime
) -> int:
    """How many appointments were made since then and still stand."""
    found = await QUERIES["booked_since"].value(
        conn, territory_ids=list(territory_ids), first_id=first_id_at(since)
    )
    return int(found)


async def regulated_in_week(
    conn: Connection, territory_ids: Collection[TerritoryId], week: tuple[datetime, datetime]
) -> list[Regulated]:
    """Whom the regulation sends patients to in the half-open span *week*, the most first."""
    starts_at, ends_at = week
    rows = await QUERIES["regulated_in_span"].many(
        conn,
        territory_ids=list(territory_ids),
        # Nobody books sooner than a slot is offered: older ids need not be looked at.
        first_id=first_id_at(starts_at - OFFER_AHEAD_MAX),
        starts_at=starts_at,
        ends_at=ends_at,
    )
    return [
        Regulated(
            PractitionerDocument(row["id"], row["name"], row["profession"], row["specialty"]),
            row["patients"],
        )
        for row in rows
    ]


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


async def taken_in_slots(conn: Connection, slot_ids: Iterable[SlotId]) -> list[Appointment]:
    """The bookings of these slots that stand or have come about, locked: as far as one is their side."""
    rows = await QUERIES["taken_in_slots"].many(conn, slot_ids=list(slot_ids))
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


async def mark_address_told(conn: Connection, appointment_id: AppointmentId, at: datetime) -> None:
    """Whoever visits the patient knows where; the first time counts."""
    await QUERIES["mark_address_told"].none(conn, id=appointment_id, at=at)


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
        address_told_at=row["address_told_at"],
    )
