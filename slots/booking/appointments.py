"""cancel, move, seen, fulfil, noshow, patient-told: what becomes of a booking."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from slots import letters
from slots.account import Account
from slots.appointment import TRANSITIONS, Appointment, AppointmentStatus, Origin, Side
from slots.booking.choice import Choice
from slots.booking.confirming import Alongside, book_hold
from slots.booking.holding import territory_of_hold
from slots.booking.once import once
from slots.database import Connection
from slots.desk import Desk
from slots.errors import AppointmentEnded, AppointmentUnknown, HoldExpired, NotAllowed, TooEarly
from slots.ids import AppointmentId, HoldId, SlotId
from slots.rights import Action
from slots.search import HOME
from slots.store import appointment as store
from slots.store import directory
from slots.store.command import Effect, Mailing
from slots.store.idempotency import Key
from slots.store.slot import lock_slots, lock_to_book, slots_by_id
from slots.times import paris_day
from slots.transaction import entered

OTHER_REASON: Final = "other"
SEEN_AHEAD: Final = timedelta(hours=48)  # opening the day shows, and marks, this much


async def cancel(
    desk: Desk, account: Account, appointment_id: AppointmentId, key: Key, now: datetime
) -> Appointment:
    """Give the seat back. Cancelled by the professional's side, a patient remains to be told.

    Raises:
        AppointmentEnded: It is not booked any more.
        AppointmentUnknown, NotAllowed.
    """

    async def change(conn: Connection, found: Appointment) -> list[Mailing]:
        side = _side(account, found)
        _need_transition(found, "cancel")
        await store.cancel_appointments(conn, [found.id], at=now, by=account.id, side=side)
        return [await _to_the_other(conn, found, side)]

    return await _change(desk, account, appointment_id, "cancel", key, change)


async def move(
    desk: Desk,
    account: Account,
    appointment_id: AppointmentId,
    hold_id: HoldId,
    key: Key,
    now: datetime,
    *,
    reason: str | None = None,
    urgency: str | None = None,
) -> Appointment:
    """Book a held seat instead of an appointment: one transaction books the new, cancels the old.

    Reason and urgency stay, unless others are given; a territory that has not the same words gets
    its nearest. Answers the new appointment. The patient is with the one who moves: nobody is left to tell.

    Raises:
        What confirm raises; AppointmentEnded, AppointmentUnknown, NotAllowed.
    """
    old = await _visible(desk, account, appointment_id)

    async def cancel_old(conn: Connection, new_id: AppointmentId, new_slot_id: SlotId) -> Alongside:
        # Both slots at once, in the order of their ids: two moves that cross do not deadlock.
        slot_ids = [old.slot_id] if old.slot_id else []
        await lock_to_book(conn, [*slot_ids, new_slot_id])
        found = await _locked(conn, old, [])
        if found.booked_by_organisation_id != account.organisation_id:
            raise NotAllowed
        _need_transition(found, "cancel")
        await store.cancel_appointments(
            conn, [found.id], at=now, by=account.id, side=Side.MOVE, moved_to=new_id
        )
        return Alongside(slot_ids, [found], [await _to_the_other(conn, found, Side.REFERRER)])

    choice = await _choice_there(desk, account, old, hold_id, reason, urgency)
    new = await book_hold(desk, account, hold_id, "move", choice, key, now, cancel_old)
    if (await _visible(desk, account, old.id)).moved_to != new.id:
        # Another tab has made the hold a booking of its own, and the old one stands.
        raise HoldExpired
    return new


async def _choice_there(
    desk: Desk,
    account: Account,
    old: Appointment,
    hold_id: HoldId,
    reason: str | None,
    urgency: str | None,
) -> Choice:
    """What is said of the new booking, in words that its territory knows."""
    territory = territory_of_hold(desk, account, hold_id)
    async with entered(desk.pool, account.id, account.reach) as conn:
        reasons = await directory.reasons(conn, territory.id)
        urgencies = await directory.urgencies(conn, territory.id)
    return Choice(
        reason or nearest_word(old.reason, list(reasons), OTHER_REASON),
        urgency or nearest_word(old.urgency, list(urgencies)),
    )


def nearest_word(code: str, known: Sequence[str], otherwise: str = "") -> str:
    """*code* where it is *known*; else *otherwise*, else the last: lists end with the mildest."""
    if code in known or not known:
        return code
    return otherwise if otherwise in known else known[-1]


async def seen(
    desk: Desk, account: Account, appointment_id: AppointmentId, key: Key, now: datetime
) -> Appointment:
    """The professional knows of this booking. Safe to repeat.

    Raises:
        AppointmentUnknown, NotAllowed.
    """

    async def change(conn: Connection, found: Appointment) -> list[Mailing]:
        _need_owner(account, found)
        await store.mark_seen(conn, [found.id], now)
        return []

    return await _change(desk, account, appointment_id, "seen", key, change)


async def address_told(
    desk: Desk, account: Account, appointment_id: AppointmentId, key: Key, now: datetime
) -> Appointment:
    """Whoever visits the patient at home has been told where, by phone. Safe to repeat.

    Raises:
        AppointmentEnded: There is nowhere to go any more.
        NotAllowed: It is no visit at home, or another's.
        AppointmentUnknown.
    """

    async def change(conn: Connection, found: Appointment) -> list[Mailing]:
        _need_owner(account, found)
        if found.status is not AppointmentStatus.BOOKED:
            raise AppointmentEnded
        slot = (
            (await slots_by_id(conn, [found.slot_id])).get(found.slot_id) if found.slot_id else None
        )
        if slot is None or slot.modality != HOME:
            raise NotAllowed
        await store.mark_address_told(conn, found.id, now)
        return []

    return await _change(desk, account, appointment_id, "address-told", key, change)


async def seen_day(desk: Desk, account: Account, now: datetime) -> int:
    """The professional opens the day: what is booked in it is seen. Returns how many were new."""
    since, _ = paris_day(now)
    until = now + SEEN_AHEAD
    async with entered(desk.pool, account.id, account.reach) as conn:
        unseen = await store.unseen_of_schedules(conn, account.schedules, since, until)
    if not unseen:
        return 0

    async def work(conn: Connection) -> Effect:
        slot_ids = sorted({slot_id for _, slot_id in unseen if slot_id})
        await lock_slots(conn, slot_ids)
        await store.mark_seen(conn, [one for one, _ in unseen], now)
        return Effect(answer={}, audited=[], changed=slot_ids)

    # Marking twice changes nothing: each opening is an intention of its own.
    await once(desk, account, "seen", Key(str(uuid4()), b""), work)
    return len(unseen)


async def fulfil(
    desk: Desk, account: Account, appointment_id: AppointmentId, key: Key, now: datetime
) -> Appointment:
    """The patient came.

    Raises:
        TooEarly: It is not the time yet.
        AppointmentEnded, AppointmentUnknown, NotAllowed.
    """
    return await _outcome(desk, account, appointment_id, "fulfil", key, now)


async def noshow(
    desk: Desk, account: Account, appointment_id: AppointmentId, key: Key, now: datetime
) -> Appointment:
    """The patient did not come.

    Raises:
        TooEarly: It is not the time yet.
        AppointmentEnded, AppointmentUnknown, NotAllowed.
    """
    return await _outcome(desk, account, appointment_id, "noshow", key, now)


async def patient_told(
    desk: Desk, account: Account, appointment_id: AppointmentId, key: Key, now: datetime
) -> Appointment:
    """Someone of the referrer's organisation has told the patient: the task is done.

    Raises:
        AppointmentEnded: There was nothing to tell.
        AppointmentUnknown, NotAllowed.
    """

    async def change(conn: Connection, found: Appointment) -> list[Mailing]:
        is_own = found.booked_by_organisation_id == account.organisation_id
        if not account.may(Action.TELL, found.territory_id, is_own=is_own):
            raise NotAllowed
        if found.patient_told_at is None and not found.patient_to_tell:
            raise AppointmentEnded
        await store.mark_patient_told(conn, found.id, now, account.id)
        return []

    return await _change(desk, account, appointment_id, "patient-told", key, change)


async def _outcome(
    desk: Desk,
    account: Account,
    appointment_id: AppointmentId,
    verb: str,
    key: Key,
    now: datetime,
) -> Appointment:
    async def change(conn: Connection, found: Appointment) -> list[Mailing]:
        _need_owner(account, found)
        status = _need_transition(found, verb)
        if now < found.outcome_from:
            raise TooEarly
        await store.set_outcome(conn, found.id, status, now)
        return []

    return await _change(desk, account, appointment_id, verb, key, change)


async def _change(
    desk: Desk,
    account: Account,
    appointment_id: AppointmentId,
    verb: str,
    key: Key,
    change: Callable[[Connection, Appointment], Awaitable[list[Mailing]]],
) -> Appointment:
    """Lock the slot, then the appointment; decide on what the locks show; write."""
    before = await _visible(desk, account, appointment_id)

    async def work(conn: Connection) -> Effect:
        slot_ids = [before.slot_id] if before.slot_id else []
        mailings = await change(conn, await _locked(conn, before, slot_ids))
        return Effect(
            answer={"appointment_id": str(appointment_id)},
            audited=[(before.territory_id, "appointment", [appointment_id])],
            changed=slot_ids,
            mailings=mailings,
        )

    outcome = await once(desk, account, verb, key, work)
    return await _visible(desk, account, AppointmentId(UUID(outcome.answer["appointment_id"])))


async def _locked(conn: Connection, before: Appointment, slot_ids: list[SlotId]) -> Appointment:
    await lock_slots(conn, slot_ids)
    found = await store.lock_appointment(conn, before.id)
    if found is None:  # never deleted: whoever asks is no side of it any more
        raise AppointmentUnknown
    return found


async def _to_the_other(conn: Connection, cancelled: Appointment, side: Side) -> Mailing:
    """Tell the side that did not cancel."""
    schedule_id = cancelled.schedule_id
    schedule = (await store.schedule_documents(conn, [schedule_id]))[schedule_id]
    if side is Side.PROFESSIONAL:
        letter = letters.cancelled_by_professional(cancelled, schedule)
        referrer_id = cancelled.booked_by_account_id
        return Mailing(cancelled.territory_id, letter, account_id=referrer_id)
    letter = letters.cancelled_by_referrer(cancelled, schedule)
    return Mailing(cancelled.territory_id, letter, schedule_id=schedule_id)


async def _visible(desk: Desk, account: Account, appointment_id: AppointmentId) -> Appointment:
    async with entered(desk.pool, account.id, account.reach) as conn:
        found = (await store.appointments(conn, [appointment_id])).get(appointment_id)
    if found is None or not may_read(account, found):
        raise AppointmentUnknown
    return found


def may_read(account: Account, appointment: Appointment) -> bool:
    """Whether this booking is the account's business: whether it is one of its two sides."""
    is_side = account.is_side_of(appointment)
    return account.may(Action.OPEN, appointment.territory_id, is_own=is_side)


def _side(account: Account, appointment: Appointment) -> Side:
    """Which side cancels. Under one roof a colleague's patient must be told as any other's."""
    if not account.may(Action.CANCEL, appointment.territory_id, is_own=True):
        raise NotAllowed
    is_own = appointment.origin is Origin.SELF
    if account.acts_for(appointment.schedule_id) and not is_own:
        return Side.PROFESSIONAL
    if appointment.booked_by_organisation_id == account.organisation_id:
        return Side.REFERRER
    if account.acts_for(appointment.schedule_id):
        return Side.PROFESSIONAL
    raise NotAllowed


def _need_owner(account: Account, appointment: Appointment) -> None:
    is_own = account.acts_for(appointment.schedule_id)
    if not account.may(Action.ANSWER, appointment.territory_id, is_own=is_own):
        raise NotAllowed


def _need_transition(appointment: Appointment, verb: str) -> AppointmentStatus:
    status = TRANSITIONS.get((appointment.status, verb))
    if status is None:
        raise AppointmentEnded
    return status
