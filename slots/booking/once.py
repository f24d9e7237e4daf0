"""Runs a command in one transaction, once per idempotency key (invariant 5)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from slots.account import Account
from slots.appointment import Appointment
from slots.booking.applying import bring
from slots.database import Connection
from slots.desk import Desk
from slots.errors import IdempotencyMismatch, SlotError, Unavailable
from slots.ids import SlotId, TerritoryId
from slots.slot import Slot
from slots.store import audit
from slots.store.idempotency import Answered, Key, answered, remember_answer
from slots.store.outbox import announce_slots, touch_slots
from slots.store.slot import slots_by_id
from slots.transaction import entered, retried


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command did, before it is committed.

    *answer* (ids) is kept under the key; *audited* are (territory, subject, ids); *changed*
    slots are locked, and get a new version; *new* ones are at version 1. *booked* is what a
    booking made, so that nobody need read it again.
    """

    answer: dict[str, Any]
    audited: Sequence[tuple[TerritoryId, str, Sequence[UUID]]]
    changed: list[SlotId] = field(default_factory=list)
    new: list[SlotId] = field(default_factory=list)
    booked: Appointment | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command's answer. *slots* and *booked* as committed; on a replay there are none."""

    answer: dict[str, Any]
    slots: list[Slot]
    booked: Appointment | None = None


class _AnsweredMeanwhile(Exception):
    """A first try, still in flight a moment ago, has committed: roll back and replay it."""


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
            known = await answered(conn, account.id, verb, key)
            if known is not None:
                return _replayed(known, key)
            effect = await work(conn)
            slots = await _write_down(conn, account, verb, effect)
            if not await remember_answer(conn, account.id, verb, key, effect.answer):
                raise _AnsweredMeanwhile
        return Outcome(effect.answer, slots, effect.booked)

    try:
        outcome = await retried(attempt)
    except Unavailable:
        raise
    except (SlotError, _AnsweredMeanwhile):
        # Perhaps we lost to our own first try: it then holds what we wanted.
        async with entered(desk.pool, account.id, account.reach) as conn:
            known = await answered(conn, account.id, verb, key)
        if known is None:
            raise
        return _replayed(known, key)
    await bring(desk, outcome.slots, verb, generations)
    return outcome


async def _write_down(conn: Connection, account: Account, verb: str, effect: Effect) -> list[Slot]:
    if effect.changed:
        await touch_slots(conn, effect.changed, verb)
    if effect.new:
        await announce_slots(conn, effect.new, verb)
    for territory_id, subject, subject_ids in effect.audited:
        await audit.record(conn, territory_id, account.id, verb, subject, subject_ids)
    touched = [*effect.changed, *effect.new]
    if not touched:
        return []
    # Read under the lock and before the commit: exactly what this version is.
    slots = await slots_by_id(conn, touched)
    return [slots[slot_id] for slot_id in touched]


def _replayed(known: Answered, key: Key) -> Outcome:
    if known.body_hash != key.body_hash:
        raise IdempotencyMismatch
    return Outcome(known.answer, [])
