"""Runs a command in one transaction, once per idempotency key (invariant 5)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slots.account import Account
from slots.appointment import Appointment
from slots.booking.applying import bring
from slots.database import Connection
from slots.desk import Desk
from slots.errors import IdempotencyMismatch, SlotError, Unavailable
from slots.slot import Slot
from slots.store.command import Effect, write_down
from slots.store.idempotency import Answered, Key, answered, as_durable_as_ours
from slots.store.slot import slots_by_id
from slots.transaction import entered, retried


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command's answer. *slots* and *booked* as committed; on a replay there are none."""

    answer: dict[str, Any]
    slots: list[Slot]
    booked: Appointment | None = None


class _AnsweredBefore(Exception):
    """The key has an answer, perhaps since a moment ago: roll back and replay it."""


async def once(
    desk: Desk,
    account: Account,
    verb: str,
    key: Key,
    work: Callable[[Connection], Awaitable[Effect]],
) -> Outcome:
    """Do *work* and keep its answer in one transaction; then bring the news to the broker.

    The same key again, even while the first try is in flight, has no effect and the same answer.
    Only successes are remembered.

    Raises:
        IdempotencyMismatch: The key was used for another request.
        OutcomeUnknown: The commit's answer was lost; the same key will tell.
    """
    generations = desk.broker.known_generations(account.reach)

    async def attempt() -> Outcome:
        async with entered(desk.pool, account.id, account.reach) as conn:
            effect = await work(conn)
            if not await write_down(conn, account.id, verb, key, effect):
                raise _AnsweredBefore
            slots = await _read_again(conn, effect)
        return Outcome(effect.answer, slots, effect.booked)

    try:
        outcome = await retried(attempt)
    except Unavailable:
        raise
    except (SlotError, _AnsweredBefore):
        # Perhaps we lost to our own first try: it then has what we wanted. Only now do we look:
        # a command that succeeds has asked nothing in vain.
        async with entered(desk.pool, account.id, account.reach) as conn:
            known = await answered(conn, account.id, verb, key)
            if known is not None:
                await as_durable_as_ours(conn)
        if known is None:
            raise
        return _replayed(known, key)
    await bring(desk, outcome.slots, verb, generations)
    return outcome


async def _read_again(conn: Connection, effect: Effect) -> list[Slot]:
    """Under the lock and before the commit: exactly what this version is."""
    slots = {slot.id: slot for slot in effect.after}
    touched = [*effect.changed, *effect.new]
    if unread := [slot_id for slot_id in touched if slot_id not in slots]:
        slots |= await slots_by_id(conn, unread)
    return [slots[slot_id] for slot_id in touched]


def _replayed(known: Answered, key: Key) -> Outcome:
    if known.body_hash != key.body_hash:
        raise IdempotencyMismatch
    return Outcome(known.answer, [])
