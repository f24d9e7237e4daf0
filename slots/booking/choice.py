"""What a referrer chooses for a booking, and the appointment that it makes. Shared by all verbs
that book: confirm, move, overflow.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from slots import letters
from slots.account import Account
from slots.appointment import Appointment, BookedBy, Origin, new_reference
from slots.booking.once import Outcome
from slots.database import Connection
from slots.desk import Desk
from slots.document import ScheduleDocument
from slots.errors import AppointmentUnknown, DailyCap, FieldError, Invalid, OriginNotYours
from slots.ids import AppointmentId, ScheduleId, TerritoryId, new_id
from slots.store import appointment as store
from slots.store.booking import NewAppointment
from slots.store.command import Mailing
from slots.store.idempotency import BeforeConfirm
from slots.times import paris_day
from slots.transaction import entered


@dataclass(frozen=True, slots=True)
class Choice:
    """What the referrer says of the booking. *origin* None: what follows from the role."""

    reason: str
    urgency: str
    origin: Origin | None = None


def origin_of(
    account: Account, territory_id: TerritoryId, schedule_id: ScheduleId, choice: Choice
) -> Origin:
    """The origin that follows from the acting role; a claim must be among them.

    Raises:
        OriginNotYours: It is not, or the account may give none.
    """
    origins = account.origins_in(territory_id, schedule_id)
    if choice.origin is None and origins:
        return origins[0]
    if choice.origin is None or choice.origin not in origins:
        raise OriginNotYours
    return choice.origin


def new_appointment(
    account: Account,
    territory_id: TerritoryId,
    schedule_id: ScheduleId,
    starts_at: datetime,
    choice: Choice,
    origin: Origin,
    now: datetime,
    appointment_id: AppointmentId | None = None,
) -> NewAppointment:
    """The booking to write, with a new reference: each attempt has its own."""
    return NewAppointment(
        id=appointment_id or AppointmentId(new_id(territory_id)),
        territory_id=territory_id,
        schedule_id=schedule_id,
        reference=new_reference(),
        origin=origin,
        reason=choice.reason,
        urgency=choice.urgency,
        starts_at=starts_at,
        account_id=account.id,
        organisation_id=account.organisation_id,
        booked_by=BookedBy(account.name, account.organisation, account.phone),
        booked_at=now,
    )


def to_owner(booked: Appointment, schedule: ScheduleDocument) -> Mailing:
    """Tell the professional's side that somebody comes."""
    letter = letters.booked(booked, schedule)
    return Mailing(booked.territory_id, letter, schedule_id=booked.schedule_id)


async def refuse_over_cap(
    conn: Connection, schedule_id: ScheduleId, daily_cap: int | None, starts_at: datetime
) -> None:
    """Count under the schedule's row lock, per French calendar day.

    Raises:
        DailyCap: There are as many as the owner takes.
    """
    if daily_cap is None:
        return
    if await store.booked_that_day(conn, schedule_id, paris_day(starts_at)) >= daily_cap:
        raise DailyCap


def refuse_unknown_codes(known: BeforeConfirm) -> None:
    """Reason and urgency must be of the territory's lists.

    Raises:
        Invalid: With a field each.
    """
    errors = []
    if not known.reason_known:
        errors.append(FieldError("reason", "Ce motif n'existe pas ici."))
    if not known.urgency_known:
        errors.append(FieldError("urgency", "Ce degré d'urgence n'existe pas ici."))
    if errors:
        raise Invalid(errors)


async def appointment_of(desk: Desk, account: Account, outcome: Outcome) -> Appointment:
    """The appointment of an answer: as committed, or read again where this is a replay."""
    if outcome.booked is not None:
        return outcome.booked
    appointment_id = AppointmentId(UUID(outcome.answer["appointment_id"]))
    async with entered(desk.pool, account.id, account.reach) as conn:
        found = (await store.appointments(conn, [appointment_id])).get(appointment_id)
    if found is None:
        raise AppointmentUnknown
    return found
