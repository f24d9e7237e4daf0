"""overflow: a patient beyond the published slots, toward one who accepts that."""

from datetime import datetime

from slots.account import Account
from slots.appointment import Appointment
from slots.booking.choice import (
    Choice,
    appointment_of,
    new_appointment,
    origin_of,
    refuse_over_cap,
    refuse_unknown_codes,
    to_owner,
)
from slots.booking.once import once
from slots.database import Connection
from slots.desk import Desk
from slots.errors import FieldError, Invalid, NotAllowed, OverflowRefused, ScheduleUnknown
from slots.ids import HoldId, ScheduleId
from slots.slot import STARTED_GRACE
from slots.store import slot as slot_store
from slots.store.appointment import schedule_documents
from slots.store.booking import book_overflow
from slots.store.command import Effect
from slots.store.idempotency import Intent, Key, before_confirms


async def overflow(
    desk: Desk,
    account: Account,
    schedule_id: ScheduleId,
    starts_at: datetime,
    choice: Choice,
    key: Key,
    now: datetime,
) -> Appointment:
    """Send a patient beyond the published slots, to one who accepts that; counted and traced so.

    Raises:
        OverflowRefused: The schedule takes none.
        DailyCap, NotAllowed, ScheduleUnknown, OriginNotYours, Invalid.
    """

    async def work(conn: Connection) -> Effect:
        terms = (await slot_store.schedules(conn, [schedule_id])).get(schedule_id)
        if terms is None:
            raise ScheduleUnknown
        horizon = desk.horizon_in([terms.territory_id])
        if not now - STARTED_GRACE <= starts_at <= now + horizon:
            raise Invalid(
                [FieldError("starts_at", "Choisissez un moment dans l'horizon des créneaux.")]
            )
        if account.hears(terms.territory_id).isdisjoint(terms.default_audience):
            raise NotAllowed
        if not terms.accepts_overflow:
            raise OverflowRefused
        intent = Intent(
            account_id=account.id,
            verb="overflow",
            key=key,
            hold_id=HoldId(schedule_id),
            territory_id=terms.territory_id,
            reason=choice.reason,
            urgency=choice.urgency,
        )
        [known] = await before_confirms(conn, [intent])
        refuse_unknown_codes(known)
        await slot_store.lock_capped_schedules(conn, [schedule_id])
        await refuse_over_cap(conn, schedule_id, terms.daily_cap, starts_at)
        origin = origin_of(account, terms.territory_id, schedule_id, choice)
        new = new_appointment(
            account, terms.territory_id, schedule_id, starts_at, choice, origin, now
        )
        await book_overflow(conn, new)
        schedule = (await schedule_documents(conn, [schedule_id]))[schedule_id]
        booked = new.as_booked(None, None)
        return Effect(
            answer={"appointment_id": str(new.id)},
            audited=[(terms.territory_id, "appointment", [new.id])],
            mailings=[to_owner(booked, schedule)],
            booked=booked,
        )

    return await appointment_of(desk, account, await once(desk, account, "overflow", key, work))


async def accept_overflow(
    desk: Desk, account: Account, schedule_id: ScheduleId, key: Key, *, accepts: bool
) -> None:
    """Say whether a schedule of one's own takes patients beyond its slots. Safe to repeat.

    Raises:
        NotAllowed: The schedule is not the account's own, nor delegated to it.
    """
    if not account.publishes_for(schedule_id):
        raise NotAllowed

    async def work(conn: Connection) -> Effect:
        await slot_store.accept_overflow(conn, schedule_id, accepts=accepts)
        return Effect(
            answer={"accepts_overflow": accepts},
            audited=[(account.schedules[schedule_id], "schedule", [schedule_id])],
        )

    await once(desk, account, "accept-overflow", key, work)
