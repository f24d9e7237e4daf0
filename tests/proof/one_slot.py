"""What one slot may answer if one thing happens at a time: the sequential specification.

The ledger has a *face* of the slot; the broker shows that face or an older one, and never goes
back to one it has left: the put of a dead process comes later, from the outbox. Holds are the
broker's alone. What happens by itself is an operation too (`linearizability.py` adds them):
expire, seal, revoke, unseal, and where Redis lost data, lose and regain.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from tests.proof.history import DONE, Operation

CLOCK_SLACK_S: Final = 0.05  # between the server's clock and that of the history


@dataclass(frozen=True, slots=True)
class Booked:
    seat: int
    appointment: str
    hold: str


@dataclass(frozen=True, slots=True)
class Face:
    """The slot as the ledger has it."""

    capacity: int
    audience: frozenset[str]
    withdrawn: bool = False
    booked: frozenset[Booked] = frozenset()

    @property
    def seats(self) -> set[int]:
        return {one.seat for one in self.booked}


@dataclass(frozen=True, slots=True)
class Held:
    """A seat that the broker gave. *until*: infinite where nobody heard it."""

    hold: str
    account: str
    seat: int
    until: float
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class OneSlot:
    """*faces*: the one that the broker shows first, the ledger's last; None is before the offer.

    *sealed*: the holds that were ever sealed, hence may still be committed. *ended*: the rows of
    hold_end. *past*: the holds that the broker had.
    """

    faces: tuple[Face | None, ...] = (None,)
    held: frozenset[Held] = frozenset()
    sealed: frozenset[str] = frozenset()
    ended: frozenset[tuple[str, str | None]] = frozenset()
    past: frozenset[Held] = frozenset()

    @property
    def ledger(self) -> Face | None:
        return self.faces[-1]

    def became(self, hold: str) -> set[str | None]:
        """What hold_end says of it, if anything: an appointment, or None."""
        return {appointment for other, appointment in self.ended if other == hold}

    def with_hold(self, hold: str) -> Held | None:
        return next((one for one in self.held if one.hold == hold), None)

    def without(self, one: Held) -> "OneSlot":
        return replace(self, held=self.held - {one}, past=self.past | {one})

    def writing(self, face: Face) -> "OneSlot":
        """After a commit, which the broker has not heard of yet."""
        return self if face == self.ledger else replace(self, faces=(*self.faces, face))

    def shown(self) -> Iterator[tuple[Face | None, "OneSlot"]]:
        """The faces that the broker may show now, each with what is left when it does."""
        for index, face in enumerate(self.faces):
            if index == 0 or face is None:
                yield face, self
                continue
            contradicted = {
                one
                for one in self.held
                if one.hold in {booked.hold for booked in face.booked}
                or (not one.sealed and (face.withdrawn or one.seat in face.seats))
            }
            left = replace(
                self,
                faces=self.faces[index:],
                held=self.held - contradicted,
                past=self.past | contradicted,
            )
            yield face, left


def after(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    """What the slot may have become when this operation was answered as it was. Nothing: never."""
    overdue = {
        one
        for one in state.held
        if not one.sealed and one.until + CLOCK_SLACK_S < operation.called_at
    }
    # An overdue unsealed hold counts as free in every script at once.
    for one in overdue:
        state = state.without(one)
    return VERBS[operation.verb](state, operation)


def _offer(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    told = operation.arguments
    if operation.word not in (DONE, None):
        yield state
    elif state.ledger is None:
        yield state.writing(Face(told["capacity"], frozenset(told["audience"])))


def _hold(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    told, answer = operation.arguments, operation.answer or {}
    if answer.get("hold") in {one.hold for one in state.held | state.past}:
        yield state  # the same key again: the same hold
        return
    for face, left in state.shown():
        hears = face is None or "hears" not in told or not face.audience.isdisjoint(told["hears"])
        free = [] if face is None or face.withdrawn else _free_seats(face, left)
        if operation.word not in (DONE, None):
            if _is_true_refusal(operation.word, face, free, hears):
                yield left
                return
        elif free and hears and answer.get("seat", free[0]) in free:
            # Who never heard the answer does not know the hold: it is named after the question.
            hold = answer.get("hold", f"?{operation.called_at}")
            seat, until = answer.get("seat", free[0]), answer.get("until", math.inf)
            new = Held(hold, told["account"], seat, until)
            yield replace(left, held=left.held | {new})
            # The face that leaves most open comes first; whoever was heard needs no other.
            if operation.word == DONE:
                return


def _is_true_refusal(word: str, face: Face | None, free: list[int], hears: bool) -> bool:
    match word:
        case "slot-unknown":
            return face is None or not hears
        case "not-allowed":
            return face is not None and not hears
        case "slot-withdrawn":
            return face is not None and face.withdrawn
        case "slot-taken":
            return face is not None and not face.withdrawn and not free
        case _:
            return True  # too-many-holds, slot-not-live: not a matter of this slot alone


def _renew(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    one = state.with_hold(operation.arguments["hold"])
    if operation.word == "hold-expired":
        if one is None or state.became(one.hold):
            yield state
    elif operation.word not in (DONE, None):
        yield state
    elif one is not None and not one.sealed and one.account == operation.arguments["account"]:
        until = operation.answer["until"] if operation.answer else math.inf
        yield replace(state, held=state.held - {one} | {replace(one, until=until)})


def _release(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    one = state.with_hold(operation.arguments["hold"])
    if operation.word not in (DONE, None) or one is None:
        yield state
    elif not one.sealed and one.account == operation.arguments["account"]:
        yield state.without(one)


def _confirm(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    hold = operation.arguments["hold"]
    became, one, face = state.became(hold), state.with_hold(hold), state.ledger
    if operation.word not in (DONE, None):
        yield from _refused_confirm(state, operation)
        return
    if became:
        if operation.answer and operation.answer["appointment"] in became:
            yield state  # a replay
        return
    is_own = one is not None and one.account == operation.arguments["account"]
    if not (hold in state.sealed or is_own) or face is None or face.withdrawn:
        return
    free = [seat for seat in range(1, face.capacity + 1) if seat not in face.seats]
    answer = operation.answer or {"seat": _seat_of(one, free), "appointment": f"?{hold}"}
    if answer["seat"] in free:
        booked = Booked(answer["seat"], answer["appointment"], hold)
        ended = replace(_sealing(state, hold), ended=state.ended | {(hold, booked.appointment)})
        yield ended.writing(replace(face, booked=face.booked | {booked}))


def _refused_confirm(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    """A hold that cannot be confirmed ends by its row of hold_end."""
    hold, face = operation.arguments["hold"], state.ledger
    became, one = state.became(hold), state.with_hold(hold)
    match operation.word:
        case "hold-expired":
            if (one is None and not became) or None in became:
                yield state
            return
        case "hold-not-yours":
            if one is None or one.account != operation.arguments["account"]:
                yield state
            return
        case "slot-withdrawn":
            is_true = face is not None and face.withdrawn
        case "slot-taken":
            is_full = face is not None and len(face.booked) >= face.capacity
            is_true = is_full or one is None
        case _:
            is_true = True  # daily-cap, slot-changed: not a matter of the seats
    if is_true and not became - {None}:
        yield replace(state, ended=state.ended | {(hold, None)})


def _cancel(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    face = state.ledger
    booked = {
        one
        for one in (face.booked if face else ())
        if one.appointment == operation.arguments["appointment"]
    }
    if operation.word in (DONE, None):
        if face and booked:
            yield state.writing(replace(face, booked=face.booked - booked))
    elif operation.word != "appointment-ended" or not booked:
        yield state


def _withdraw(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    face = state.ledger
    if face is None:
        return
    if operation.word in (DONE, None):
        if not face.booked or operation.arguments["cancel_booked"]:
            yield state.writing(replace(face, withdrawn=True, booked=frozenset()))
    elif operation.word != "seats-booked" or face.booked:
        yield state


def _read(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    answer = operation.answer or {}
    if operation.arguments["source"] == "ledger":
        if _as_answered(answer, state.ledger, {}):
            yield state
        return
    for face, left in state.shown():
        counts = {}
        if face is not None:
            held = {one.seat for one in left.held} - face.seats
            free = max(0, face.capacity - len(face.booked) - len(held))
            counts = {"free": free, "held": len(held)}
        if _as_answered(answer, None if face and face.withdrawn else face, counts):
            yield left
            return


def _as_answered(answer, face: Face | None, counts: dict[str, int]) -> bool:
    if face is None:
        return answer.get("absent") is True
    facts = counts | {"booked": len(face.booked), "withdrawn": face.withdrawn, "absent": False}
    return all(facts[name] == fact for name, fact in answer.items() if name in facts)


def _expire(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    one = state.with_hold(operation.arguments["hold"])
    if one and not one.sealed and one.until in (operation.arguments["until"], math.inf):
        yield state.without(one)


def _seal(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    one = state.with_hold(operation.arguments["hold"])
    if one and not one.sealed and one.account == operation.arguments["account"]:
        yield _sealing(state, one.hold)


def _revoke(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    hold = operation.arguments["hold"]
    if hold in state.sealed and not state.became(hold):
        yield replace(state, ended=state.ended | {(hold, None)})


def _unseal(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    """A worker, or the confirmer itself, when hold_end says that nothing is booked by it now."""
    one = state.with_hold(operation.arguments["hold"])
    face = state.ledger
    standing = {booked.hold for booked in face.booked} if face else set()
    if one and state.became(one.hold) and one.hold not in standing:
        yield state.without(one)


def _lose(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    if one := state.with_hold(operation.arguments["hold"]):
        yield state.without(one)


def _regain(state: OneSlot, operation: Operation) -> Iterator[OneSlot]:
    """An older copy of Redis still has a hold that had ended since, or was sealed since."""
    hold = operation.arguments["hold"]
    if state.with_hold(hold) is None and not state.became(hold):
        for one in state.past:
            if one.hold == hold:
                yield replace(state, held=state.held | {replace(one, sealed=False)})


def _free_seats(face: Face, state: OneSlot) -> list[int]:
    taken = face.seats | {one.seat for one in state.held}
    if len(taken) >= face.capacity:
        return []
    return [seat for seat in range(1, face.capacity + 1) if seat not in taken]


def _seat_of(one: Held | None, free: list[int]) -> int:
    return one.seat if one and (one.seat in free or not free) else min(free, default=0)


def _sealing(state: OneSlot, hold: str) -> OneSlot:
    one = state.with_hold(hold)
    held = state.held if one is None else state.held - {one} | {replace(one, sealed=True)}
    return replace(state, held=held, sealed=state.sealed | {hold})


VERBS: Final[dict[str, Callable[[OneSlot, Operation], Iterator[OneSlot]]]] = {
    "offer": _offer,
    "hold": _hold,
    "renew": _renew,
    "release": _release,
    "confirm": _confirm,
    "cancel": _cancel,
    "withdraw": _withdraw,
    "read": _read,
    "expire": _expire,
    "seal": _seal,
    "revoke": _revoke,
    "unseal": _unseal,
    "lose": _lose,
    "regain": _regain,
}
