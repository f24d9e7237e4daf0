"""Can what the clients heard of a slot be explained, one thing happening at a time?

After Wing and Gong (1993) with Lowe's memory of what was tried (2017): depth first over the orders
that respect real time, each configuration (what has happened, and the slot then) entered once. Each
slot is judged alone; a history is linearizable when each of its objects is. An operation whose
outcome is unknown may happen at any time after its call, or never; and so may what nobody asked for
(a hold that runs out, a seal that a worker revokes), from the instant at which it becomes possible.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from slots.slot import HOLD_FOR, SEAL_FOR
from tests.proof.history import DONE, History, Loss, Operation
from tests.proof.one_slot import CLOCK_SLACK_S, OneSlot, after

CONFIGURATIONS_MAX: Final = 500_000  # beyond them nobody waits for the verdict


@dataclass(frozen=True, slots=True)
class Violation:
    """A slot whose history has no explanation, and the shortest beginning of it that has none."""

    slot: str
    prefix: list[Operation]

    def __str__(self) -> str:
        *before, last = self.prefix
        told = "".join(f"\n  {one}" for one in before)
        return f"slot {self.slot}: no order of this explains the last answer{told}\n! {last}"


class Undecided(Exception):
    """More configurations than anybody waits for."""


@dataclass(frozen=True, slots=True)
class _Step:
    """An operation that must happen by *latest*, or, *optional*, may."""

    operation: Operation
    latest: float
    optional: bool
    twin: object = None  # of unknown operations with one effect, only the first needs a try


def violations(history: History) -> list[Violation]:
    """Every slot that broke its promise, each told by the shortest prefix that shows it."""
    found = (violation(slot, one, history.losses) for slot, one in history.slots.items())
    return [one for one in found if one is not None]


def violation(
    slot: str, operations: Sequence[Operation], losses: Sequence[Loss] = ()
) -> Violation | None:
    """What of these operations on one slot cannot be explained; None where all can."""
    if is_explained(operations, losses):
        return None
    ends = sorted(one.returned_at for one in operations if one.returned_at is not None)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if is_explained(_until(operations, ends[middle]), losses):
            low = middle + 1
        else:
            high = middle
    last = next(one for one in operations if one.returned_at == ends[low])
    before = [one for one in _until(operations, ends[low]) if one != last]
    return Violation(slot, [*before, last])


def is_explained(operations: Sequence[Operation], losses: Sequence[Loss] = ()) -> bool:
    """Whether some order of these operations on one slot gives the answers that were heard."""
    steps = list(_steps(operations, losses))
    needed = sum(1 << index for index, step in enumerate(steps) if not step.optional)
    stack, entered = [(0, OneSlot())], set()
    while stack:
        configuration = done, state = stack.pop()
        if done & needed == needed:
            return True
        if configuration in entered:
            continue
        entered.add(configuration)
        if len(entered) > CONFIGURATIONS_MAX:
            raise Undecided(f"{len(operations)} operations")
        following = []
        for index in _possible(steps, done):
            states = list(after(state, steps[index].operation))
            if state in states and not steps[index].optional:
                # It changes nothing and fits now: no other place for it leaves more open.
                following = [(done | 1 << index, state)]
                break
            following += [(done | 1 << index, one) for one in states if one != state]
        # What is pushed last is tried first: what was heard before what nobody knows of.
        stack += reversed(following)
    return False


def _possible(steps: Sequence[_Step], done: int) -> Iterator[int]:
    """What may happen next: called before anything still missing had returned."""
    undone = [index for index in range(len(steps)) if not done >> index & 1]
    by = min(steps[index].latest for index in undone if not steps[index].optional)
    now = max(
        (step.operation.called_at for index, step in enumerate(steps) if done >> index & 1),
        default=-math.inf,
    )
    twins = set()
    for index in undone:
        step = steps[index]
        if step.operation.called_at > by or step.latest < now or step.twin in twins:
            continue
        if step.twin is not None:
            twins.add(step.twin)
        yield index


def _steps(operations: Sequence[Operation], losses: Sequence[Loss]) -> Iterator[_Step]:
    """The operations that were answered, soonest first; then those that may have happened."""
    answered = [one for one in operations if one.answer is not None]
    end = max((one.returned_at for one in answered), default=-math.inf)
    for one in sorted(answered, key=lambda one: one.returned_at):
        yield _Step(one, one.returned_at, optional=False)
    for one in operations:
        if one.answer is None and one.verb != "read":
            hears = tuple(one.arguments.get("hears", ()))
            yield _Step(one, math.inf, optional=True, twin=(hears if one.verb == "hold" else None))
    for one in _by_itself(operations, losses):
        if one.called_at <= end:
            latest = math.inf if one.returned_at is None else one.returned_at
            yield _Step(one, latest, optional=True)


def _by_itself(operations: Sequence[Operation], losses: Sequence[Loss]) -> Iterator[Operation]:
    """What time, the workers and a Redis that forgets may have done, and since when."""
    for one in operations:
        hold = {"hold": (one.answer or {}).get("hold") or one.arguments.get("hold")}
        if one.verb in ("hold", "renew") and one.answer is None:
            hold = hold if one.verb == "renew" else {"hold": f"?{one.called_at}"}
            runs_out_at = one.called_at + HOLD_FOR.total_seconds()
            yield Operation("time", "expire", hold | {"until": math.inf}, runs_out_at)
        elif one.verb in ("hold", "renew") and one.word == DONE:
            until = one.answer["until"]
            yield Operation("time", "expire", hold | {"until": until}, until - CLOCK_SLACK_S)
        if one.verb == "confirm":
            account = {"account": one.arguments["account"]}
            yield Operation("confirmer", "seal", hold | account, one.called_at, one.returned_at)
            yield Operation("worker", "unseal", hold, one.called_at)
            old_at = one.called_at + SEAL_FOR.total_seconds() - CLOCK_SLACK_S
            yield Operation("worker", "revoke", hold, old_at)
        if one.verb == "hold" and one.word in (DONE, None):
            name = {"hold": f"?{one.called_at}"} if one.answer is None else hold
            for loss in losses:
                if loss.until >= one.called_at:
                    since = max(loss.since, one.called_at)
                    yield Operation("redis", "lose", name, since, loss.until)
                    yield Operation("redis", "regain", name, since, loss.until)


def _until(operations: Sequence[Operation], end: float) -> list[Operation]:
    """What was known then: what had not returned yet was not."""
    return [
        one
        if one.returned_at is not None and one.returned_at <= end
        else replace(one, returned_at=None, answer=None)
        for one in operations
        if one.called_at <= end
    ]
