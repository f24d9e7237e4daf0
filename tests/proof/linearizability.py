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
    bit: int = 0  # what happens by itself needs none: the slot's state says whether it may again

    @property
    def only_looks(self) -> bool:
        """Whether it never changes what the clients see: a read, a refusal."""
        return not self.optional and (self.operation.verb == "read" or self.operation.word != DONE)


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
    needed = sum(step.bit for step in steps if not step.optional)
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
        for step in _possible(steps, done):
            states = list(after(state, step.operation))
            if state in states and step.only_looks and _leaves_open(steps, done, step):
                # It fits now and changes nothing: no other place for it leaves more open.
                following = [(done | step.bit, state)]
                break
            following += [
                (done | step.bit, one) for one in states if one != state or not step.optional
            ]
        # What is pushed last is tried first: what was heard before what nobody knows of.
        stack += reversed(following)
    return False


def _possible(steps: Sequence[_Step], done: int) -> Iterator[_Step]:
    """What may happen next: called before anything still missing had returned."""
    by = min(step.latest for step in steps if not step.optional and not done & step.bit)
    now = _now(steps, done)
    twins = set()
    for step in steps:
        if done & step.bit or step.operation.called_at > by or step.latest < now:
            continue
        if step.twin is None or step.twin not in twins:
            yield step
        twins.add(step.twin)


def _leaves_open(steps: Sequence[_Step], done: int, step: _Step) -> bool:
    """Whether nothing that may still happen must happen before *step* was called."""
    now, called_at = _now(steps, done), step.operation.called_at
    return not any(now <= one.latest < called_at for one in steps if not done & one.bit)


def _now(steps: Sequence[_Step], done: int) -> float:
    """It is at least as late as the latest call of what has happened."""
    return max((step.operation.called_at for step in steps if done & step.bit), default=-math.inf)


def _steps(operations: Sequence[Operation], losses: Sequence[Loss]) -> Iterator[_Step]:
    """The operations that were answered, soonest first; then those that may have happened."""
    answered = [one for one in operations if one.answer is not None]
    unknown = [one for one in operations if one.answer is None and one.verb != "read"]
    answered.sort(key=lambda one: one.returned_at)
    for index, one in enumerate(answered):
        yield _Step(one, one.returned_at, optional=False, bit=1 << index)
    for index, one in enumerate(unknown, len(answered)):
        twin = tuple(one.arguments.get("hears", ())) if one.verb == "hold" else None
        yield _Step(one, math.inf, optional=True, twin=twin, bit=1 << index)
    for one in (*_by_itself(operations, losses), *_forgotten(operations, losses)):
        latest = math.inf if one.returned_at is None else one.returned_at
        yield _Step(one, latest, optional=True)


def _by_itself(operations: Sequence[Operation], losses: Sequence[Loss]) -> Iterator[Operation]:
    """What time, the confirmers and the workers may have done, and since when."""
    runs_out_at = {}
    for one in operations:
        if one.verb in ("hold", "renew") and one.word in (DONE, None):
            hold, until = _held(one)
            since = one.called_at + HOLD_FOR.total_seconds() if one.answer is None else until
            runs_out_at[hold] = since - CLOCK_SLACK_S
            yield Operation("time", "expire", {"hold": hold, "until": until}, runs_out_at[hold])
    for one in operations:
        if one.verb != "confirm":
            continue
        hold, returned_at = one.arguments["hold"], one.returned_at or math.inf
        old_at = one.called_at + SEAL_FOR.total_seconds() - CLOCK_SLACK_S
        # A seal matters only where it outlives what would have ended the hold before the answer.
        if returned_at >= min(old_at, runs_out_at.get(hold, math.inf)) or any(
            one.called_at <= loss.until and loss.since <= returned_at for loss in losses
        ):
            yield Operation("confirmer", "seal", one.arguments, one.called_at, one.returned_at)
            yield Operation("worker", "revoke", {"hold": hold}, old_at)
        yield Operation("worker", "unseal", {"hold": hold}, one.called_at)


def _held(one: Operation) -> tuple[str, float]:
    """The hold of an operation, and until when; who never heard it gave it no name."""
    answer = one.answer or {}
    name = one.arguments.get("hold") or answer.get("hold") or f"?{one.called_at}"
    return name, answer.get("until", math.inf)


def _forgotten(operations: Sequence[Operation], losses: Sequence[Loss]) -> Iterator[Operation]:
    """What a Redis that loses data may have done to the holds, and in which span."""
    released_at = {
        one.arguments["hold"]: one.returned_at
        for one in operations
        if one.verb == "release" and one.word == DONE
    }
    renewed = {one.arguments["hold"] for one in operations if one.verb == "renew"}
    for one in operations:
        if one.verb != "hold" or one.word not in (DONE, None):
            continue
        hold, until = _held(one)
        returned_at = one.returned_at or math.inf
        for loss in losses:
            since = max(loss.since, one.called_at)
            if since > loss.until or (hold not in renewed and since > until + CLOCK_SLACK_S):
                continue
            if loss.back_to is None or returned_at >= loss.back_to:
                yield Operation("redis", "lose", {"hold": hold}, since, loss.until)
            if loss.back_to is not None and released_at.get(hold, math.inf) >= loss.back_to:
                yield Operation("redis", "regain", {"hold": hold}, since, loss.until)


def _until(operations: Sequence[Operation], end: float) -> list[Operation]:
    """What was known then: what had not returned yet was not."""
    return [
        one
        if one.returned_at is not None and one.returned_at <= end
        else replace(one, returned_at=None, answer=None)
        for one in operations
        if one.called_at <= end
    ]
