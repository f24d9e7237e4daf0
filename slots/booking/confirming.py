"""confirm: how a held seat becomes an appointment; a move goes the same way.

The order of writes (invariant 4): look · seal in the broker · one transaction {slot lock, checks,
appointment, hold_end, key, outbox, audit} · news to the broker. The transaction is one statement
where nothing has changed since the seal (`at_once`). A process that dies or freezes
anywhere in between harms nobody: until the commit the seal is revoked by a worker, and
`hold_end_pkey` lets only one of the two be true; after it the outbox brings the news.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from slots.account import Account
from slots.appointment import Appointment, Origin
from slots.booking.applying import put_slots
from slots.booking.at_once import book_at_once
from slots.booking.choice import (
    Choice,
    appointment_of,
    new_appointment,
    origin_of,
    refuse_over_cap,
    refuse_unknown_codes,
    to_owner,
)
from slots.booking.holding import (
    ended_with_alternatives,
    territory_of_hold,
    with_alternatives,
)
from slots.booking.once import Outcome, once
from slots.broker import HoldEnded, Seal
from slots.database import Connection
from slots.desk import Desk
from slots.errors import (
    AppointmentUnknown,
    Conflict,
    HoldExpired,
    HoldNotYours,
    IdempotencyMismatch,
    NotAllowed,
    OriginNotYours,
    SlotChanged,
    SlotTaken,
    SlotUnknown,
    SlotWithdrawn,
    Unavailable,
)
from slots.ids import (
    AppointmentId,
    HoldId,
    SlotId,
    made_at,
    new_id,
)
from slots.slot import Slot
from slots.store import booking as store
from slots.store import slot as slot_store
from slots.store.command import Effect, Mailing
from slots.store.idempotency import (
    BeforeConfirm,
    Intent,
    Key,
    as_durable_as_ours,
)
from slots.territory import Territory
from slots.transaction import entered

REVOKED_EVENT: Final = "slot.released"


class _HoldIsOver(Exception):
    """hold_end has a row already: revoked while we slept, or confirmed by our own earlier try."""


@dataclass(frozen=True, slots=True)
class Alongside:
    """What a booking changes beside its own slot: a move cancels another appointment."""

    slot_ids: Sequence[SlotId] = ()
    appointments: Sequence[Appointment] = ()
    mailings: Sequence[Mailing] = ()


Before = Callable[[Connection, AppointmentId, SlotId], Awaitable[Alongside]]


async def confirm(
    desk: Desk, account: Account, hold_id: HoldId, choice: Choice, key: Key, now: datetime
) -> Appointment:
    """Make a hold true. "Confirmed" is said only after a synchronous commit.

    Safe to repeat, under any key: a hold that became the caller's appointment answers that one.

    Raises:
        HoldExpired, SlotTaken, SlotChanged, SlotWithdrawn, DailyCap: With alternatives.
        HoldNotYours, OriginNotYours, NotAllowed, Invalid, IdempotencyMismatch.
        OutcomeUnknown, LedgerUnavailable, BrokerUnavailable, Rebuilding: Repeat with the same key.
    """
    return await book_hold(desk, account, hold_id, "confirm", choice, key, now)


async def book_hold(
    desk: Desk,
    account: Account,
    hold_id: HoldId,
    verb: str,
    choice: Choice,
    key: Key,
    now: datetime,
    before_booking: Before | None = None,
) -> Appointment:
    """The way of every confirmation; *before_booking* runs first inside its transaction.

    It gets the new appointment's id and slot, and says what else it has locked (its slot with
    this one, in the order of their ids) and changed.
    """
    territory = territory_of_hold(desk, account, hold_id)
    intent = Intent(account.id, verb, key, hold_id, territory.id, choice.reason, choice.urgency)

    async def look() -> Appointment | None:
        known = await desk.before_confirm(intent)
        found = await _already(desk, account, known, key)
        if found is not None:
            async with entered(desk.pool, account.id, account.reach) as conn:
                await as_durable_as_ours(conn)
        return found

    if found := await look():
        return found
    if choice.origin is not None:
        await _refuse_foreignorigin_of(desk, account, territory, hold_id, choice.origin)
    try:
        seal = await desk.broker.seal(territory, account.id, hold_id)
    except HoldEnded as ended:
        # Perhaps it ended by becoming ours, in a try whose answer was lost.
        if found := await look():
            return found
        raise await ended_with_alternatives(desk, account, territory, ended, now) from None

    if before_booking is None:
        booked = await book_at_once(desk, account, territory, hold_id, seal, choice, key, now)
        if booked:
            return booked

    async def work(conn: Connection) -> Effect:
        return await _book(conn, account, territory, hold_id, seal, choice, now, before_booking)

    try:
        outcome = await once(desk, account, verb, key, work)
    except _HoldIsOver:
        pass
    except (Conflict, NotAllowed, SlotUnknown, AppointmentUnknown) as error:
        if await _give_up(desk, account, territory, seal, hold_id):
            reason = await with_alternatives(desk, account, territory, error, seal.slot_id, now)
            raise reason from None
    else:
        return await appointment_of(desk, account, outcome)
    # It ended while we waited: in another tab of its holder, which took the seat, or revoked.
    if found := await look():
        return found
    raise HoldExpired


async def _book(
    conn: Connection,
    account: Account,
    territory: Territory,
    hold_id: HoldId,
    seal: Seal,
    choice: Choice,
    now: datetime,
    before_booking: Before | None,
) -> Effect:
    """Inside the transaction: lock, decide on what the lock shows, write."""
    appointment_id = AppointmentId(new_id(territory.id))
    alongside = Alongside()
    if before_booking:
        alongside = await before_booking(conn, appointment_id, seal.slot_id)
    slot = (await slot_store.lock_to_book(conn, [seal.slot_id])).get(seal.slot_id)
    if slot is None:
        raise SlotUnknown
    seat = await _seat_to_book(conn, account, slot, seal)
    origin = origin_of(account, slot.territory_id, slot.schedule_id, choice)
    new = new_appointment(
        account,
        slot.territory_id,
        slot.schedule_id,
        slot.starts_at,
        choice,
        origin,
        now,
        appointment_id,
    )
    is_booked = await store.book_seat(
        conn, new, slot_id=slot.id, seat=seat, hold_id=hold_id, held_at=made_at(hold_id)
    )
    if not is_booked:
        raise _HoldIsOver
    booked = new.as_booked(slot.id, seat)
    return Effect(
        answer={"appointment_id": str(new.id)},
        audited=[
            (one.territory_id, "appointment", [one.id]) for one in (booked, *alongside.appointments)
        ],
        changed=list({slot.id, *alongside.slot_ids}),
        mailings=[to_owner(booked, slot.card.schedule), *alongside.mailings],
        booked=booked,
        # A move within one slot has cancelled a seat of it as well: that one is read again.
        after=() if slot.id in alongside.slot_ids else [slot.with_booking(seat, hold_id)],
    )


async def _seat_to_book(conn: Connection, account: Account, slot: Slot, seal: Seal) -> int:
    """The held seat, or another free one where Redis had forgotten that this one is taken."""
    if slot.withdrawn:
        raise SlotWithdrawn
    if slot.terms != seal.terms:
        raise SlotChanged
    if account.hears(slot.territory_id).isdisjoint(slot.audience):
        raise NotAllowed
    await refuse_over_cap(conn, slot.schedule_id, slot.daily_cap, slot.starts_at)
    other = slot.free_seat()
    if other is None:
        raise SlotTaken
    return other if seal.seat in slot.seats else seal.seat


async def _already(
    desk: Desk, account: Account, known: BeforeConfirm, key: Key
) -> Appointment | None:
    """What this key, or this hold, has become before; None where it is still to be decided."""
    if known.answered is not None:
        if known.answered.body_hash != key.body_hash:
            raise IdempotencyMismatch
        return await appointment_of(desk, account, Outcome(known.answered.answer, []))
    if known.hold_has_ended:
        if known.appointment_id is None:
            raise HoldExpired
        if not known.is_own:
            raise HoldNotYours
        answer = {"appointment_id": str(known.appointment_id)}
        return await appointment_of(desk, account, Outcome(answer, []))
    refuse_unknown_codes(known)
    return None


async def _refuse_foreignorigin_of(
    desk: Desk, account: Account, territory: Territory, hold_id: HoldId, claimed: Origin
) -> None:
    """Before the seal: a claim that is refused leaves the hold as it was."""
    slot_id = await desk.broker.slot_of_hold(territory, hold_id)
    if slot_id is None:
        return  # the seal will say why
    async with entered(desk.pool, account.id, account.reach) as conn:
        slot = (await slot_store.slots_by_id(conn, [slot_id])).get(slot_id)
    if slot and claimed not in account.origins_in(slot.territory_id, slot.schedule_id):
        raise OriginNotYours


async def _give_up(
    desk: Desk, account: Account, territory: Territory, seal: Seal, hold_id: HoldId
) -> bool:
    """End a hold that cannot be confirmed, by its one row of hold_end; then mend the broker.

    False where it has become an appointment meanwhile, in another try of its holder.

    Raises:
        LedgerUnavailable, OutcomeUnknown: Nobody can say what became of it.
    """
    async with entered(desk.pool, account.id, account.reach) as conn:
        end = await store.revoke_hold(conn, hold_id, territory.id)
    is_revoked = end.appointment_id is None
    # Where the broker is away the seal grows old, and a worker does the same.
    with suppress(Unavailable):
        # First what the ledger has: the seat of a slot that was withdrawn never shows as free.
        await put_slots(desk, [seal.slot_id], "slot.mended")
        if is_revoked:
            await desk.broker.unseal(territory, seal.slot_id, hold_id, REVOKED_EVENT)
    return is_revoked
