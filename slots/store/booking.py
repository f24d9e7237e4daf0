"""How a hold ends in the ledger: it becomes an appointment, or nothing. Once (invariant 4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from slots import queries
from slots.appointment import Appointment, AppointmentStatus, BookedBy, Origin
from slots.audience import Audience
from slots.database import Connection
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
from slots.letters import Letter
from slots.store.idempotency import Key
from slots.store.slot import seats_of
from slots.transaction import TryAgain

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
class HoldEnd:
    """How a hold ended: with an appointment, or revoked (None). *is_new*: just now, by this call."""

    hold_id: HoldId
    appointment_id: AppointmentId | None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A slot as a booking was decided on it: written only if the ledger still says the same."""

    slot_id: SlotId
    version: int
    terms: int
    heard: Iterable[Audience]  # of which the slot must still have one


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


async def book_unchanged(
    conn: Connection,
    new: NewAppointment,
    seen: Seen,
    *,
    seat: int,
    hold_id: HoldId,
    held_at: datetime,
    territories: Iterable[TerritoryId],
    letter: Letter,
    verb: str,
    key: Key,
    answer: Mapping[str, Any],
) -> tuple[int, dict[int, HoldId | None]] | None:
    """Make a sealed hold true in one statement, with all that a command leaves (`write_down`).

    Returns the slot's new version and its booked seats. None, and nothing written, where the
    slot is not as *seen*, has a daily cap, or a unique index speaks against it: the seat, the
    end of the hold, the reference or the key.
    """
    try:
        row = await QUERIES["book_unchanged"].one(
            conn,
            territories=list(territories),
            version=seen.version,
            terms=seen.terms,
            heard=list(seen.heard),
            slot_id=seen.slot_id,
            seat=seat,
            hold_id=hold_id,
            held_at=held_at,
            letter_subject=letter.subject,
            letter_body=letter.body,
            verb=verb,
            key=key.value,
            body_hash=key.body_hash,
            answer=answer,
            **_columns(new),
        )
    except asyncpg.UniqueViolationError:
        return None
    return (row["version"], seats_of(row["seats"])) if row else None


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
    is_new = await QUERIES["revoke_hold"].value(conn, hold_id=hold_id, territory_id=territory_id)
    row = await QUERIES["hold_end"].one(conn, hold_id=hold_id)
    assert row is not None, "a hold that is revoked has an end"
    return HoldEnd(hold_id, row["appointment_id"], bool(is_new))


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
