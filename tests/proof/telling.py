"""Histories made up for tests of the checker: by hand in one line each, or by a toy service."""

import random
from dataclasses import replace

from slots.slot import HOLD_FOR
from tests.proof.history import Operation


def op(client, verb, called_at, returned_at=None, word=None, *, facts=None, **arguments):
    """An operation; without *word* nobody knows what became of it. A client is its own account."""
    if verb in ("hold", "renew", "release", "confirm"):
        arguments.setdefault("account", client)
    answer = None if word is None else {"word": word, **(facts or {})}
    return Operation(client, verb, arguments, called_at, returned_at, answer)


def offered(capacity=1, audience=("CPTS",), at=0):
    return op("ann", "offer", at, at + 1, "done", capacity=capacity, audience=list(audience))


def held(client, at, hold, seat=1, until=200.0):
    facts = {"hold": hold, "seat": seat, "until": until}
    return op(client, "hold", at, at + 1, "done", facts=facts)


def booked(client, at, hold, appointment, seat=1, **rest):
    facts = {"appointment": appointment, "seat": seat}
    return op(client, "confirm", at, at + 1, "done", hold=hold, facts=facts, **rest)


def board(at, **facts):
    return op("wall", "read", at, at + 1, "done", source="broker", facts=facts)


def ledger(at, **facts):
    return op("wall", "read", at, at + 1, "done", source="ledger", facts=facts)


class ToySlot:
    """A correct service of one slot, one operation after the other."""

    def __init__(self, capacity: int) -> None:
        self.now = 0.0
        self.capacity = capacity
        self.withdrawn = False
        self.held: dict[str, tuple[str, int, float]] = {}
        self.booked: dict[str, int] = {}
        self.became: set[str] = set()
        self.beaten: set[str] = set()  # holds that the withdrawal ended
        self.told = [offered(capacity, at=-0.1)]

    def tell(self, client, verb, word, *, facts=None, **arguments) -> None:
        now = self.now
        self.told.append(op(client, verb, now, now + 0.1, word, facts=facts, **arguments))

    def step(self, verb: str, dice: random.Random) -> None:
        self.now += dice.choice((1, 1, 1, 100))
        self.held = {hold: one for hold, one in self.held.items() if one[2] > self.now}
        getattr(self, verb)(f"c{dice.randrange(4)}", dice)

    def hold(self, client, dice) -> None:
        taken = {seat for _, seat, _ in self.held.values()} | set(self.booked.values())
        free = [seat for seat in range(1, self.capacity + 1) if seat not in taken]
        if self.withdrawn or not free:
            word = "slot-withdrawn" if self.withdrawn else "slot-taken"
            self.tell(client, "hold", word)
            return
        hold, until = f"h{len(self.told)}", self.now + HOLD_FOR.total_seconds()
        self.held[hold] = (client, free[0], until)
        facts = {"hold": hold, "seat": free[0], "until": until}
        self.tell(client, "hold", "done", facts=facts)

    def release(self, client, dice) -> None:
        if self.held:
            hold = dice.choice(sorted(self.held))
            client, _, _ = self.held.pop(hold)
            self.tell(client, "release", "done", hold=hold)

    def confirm(self, client, dice) -> None:
        known = sorted({one.answer["hold"] for one in self.told if "hold" in one.answer})
        if not known:
            return
        hold = dice.choice(known)
        client = next(one.client for one in self.told if one.answer.get("hold") == hold)
        if hold in self.held:
            _, seat, _ = self.held.pop(hold)
            self.became.add(hold)
            self.booked[f"x{hold}"] = seat
            facts = {"appointment": f"x{hold}", "seat": seat}
            self.tell(client, "confirm", "done", hold=hold, facts=facts)
        elif hold not in self.became:
            word = "slot-withdrawn" if hold in self.beaten else "hold-expired"
            self.tell(client, "confirm", word, hold=hold)

    def cancel(self, client, dice) -> None:
        if self.booked:
            appointment = dice.choice(sorted(self.booked))
            del self.booked[appointment]
            self.tell(client, "cancel", "done", appointment=appointment)

    def withdraw(self, client, dice) -> None:
        if self.booked and dice.random() < 0.7:
            self.tell("ann", "withdraw", "seats-booked", cancel_booked=False)
            return
        self.beaten |= set(self.held)
        self.withdrawn, self.held, self.booked = True, {}, {}
        self.tell("ann", "withdraw", "done", cancel_booked=True)

    def look(self, client, dice) -> None:
        facts = {"booked": len(self.booked), "withdrawn": self.withdrawn}
        self.tell(client, "read", "done", source="ledger", facts=facts)

    def look_at_the_board(self, client, dice) -> None:
        if self.withdrawn:
            self.tell(client, "read", "done", source="broker", facts={"absent": True})
            return
        held, booked = len(self.held), len(self.booked)
        facts = {"free": self.capacity - held - booked, "held": held, "booked": booked}
        self.tell(client, "read", "done", source="broker", facts=facts)


VERBS_OF_THE_TOY = [
    *("hold", "hold", "confirm", "confirm", "release", "cancel"),
    *("look", "look_at_the_board", "withdraw"),
]


def a_true_history(capacity: int, verbs: list[str], dice: random.Random) -> list[Operation]:
    """What clients of a correct service heard, one after the other."""
    toy = ToySlot(capacity)
    for verb in verbs:
        toy.step(verb, dice)
    return toy.told


def forgetful(operations: list[Operation], dice: random.Random) -> list[Operation]:
    """The same, some answers lost; not those that somebody needed to ask on."""
    needed = {
        one.arguments[name]
        for one in operations
        for name in ("hold", "appointment")
        if name in one.arguments
    }
    return [
        one
        if dice.random() < 0.5 or needed & set(map(str, one.answer.values()))
        else replace(one, answer=None, returned_at=None)
        for one in operations
    ]


def stretched(operations: list[Operation], dice: random.Random) -> list[Operation]:
    """The same, as it may have looked to clients that called earlier and heard later."""
    return [
        replace(
            one,
            called_at=one.called_at - dice.choice((0, 0.5, 2.5)),
            returned_at=one.returned_at + dice.choice((0, 0.5, 2.5)),
        )
        for one in operations
    ]
