"""The broker in Python: what each script answers and leaves, said a second time and plainly.

Time is eager here: whatever is due has happened. A hold is forgotten only by `lose_everything`, and
expires only at its `expires_at`. Answers are the broker's own values, refusals their class's name.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from slots.document import SlotDocument
from slots.ids import HoldId, SlotId
from slots.slot import HOLD_FOR, Slot, status
from tests.broker.stage import HORIZON, LEASE

HOLDS_MAX: Final = 5
PAST_MAX: Final = 50  # ended holds that a slot remembers

# Who hears what: the table of the design, once more.
HEARS: Final = {
    "member": {"CPTS", "PRO", "PUBLIC"},
    "colleague": {"CPTS", "PRO", "PUBLIC"},
    "neighbour": {"PRO", "PUBLIC"},
    "regulator": {"SNP", "PRO", "PUBLIC"},
    "coordinator": set(),
}
WHY: Final = {"taken": "SlotTaken", "withdrawn": "SlotWithdrawn", "changed": "SlotChanged"}


@dataclass(slots=True)
class HeldSeat:
    who: str
    seat: int
    expires_at: datetime
    terms: int
    sealed: bool = False
    renewed: bool = False


@dataclass(slots=True)
class Kept:
    """A slot as the broker has it."""

    slot: Slot
    generation: int
    held: dict[HoldId, HeldSeat] = field(default_factory=dict)
    past: deque[tuple[HoldId, str, str]] = field(default_factory=lambda: deque(maxlen=PAST_MAX))

    def seats_held(self) -> dict[HoldId, HeldSeat]:
        """A hold on a seat that the ledger has given away counts as booked."""
        return {name: one for name, one in self.held.items() if one.seat not in self.slot.seats}

    def free(self) -> int:
        taken = len(self.slot.seats) + len(self.seats_held())
        return 0 if self.slot.withdrawn else max(0, self.slot.capacity - taken)

    def end(self, hold_id: HoldId, why: str) -> None:
        self.past.append((hold_id, self.held.pop(hold_id).who, why))

    def document(self) -> SlotDocument:
        held = self.seats_held()
        ends = [one.expires_at for one in held.values() if not one.sealed]
        return msgspec.structs.replace(
            self.slot.document(),
            free=self.free(),
            held=len(held),
            held_until=min(ends, default=None),
            status=status(withdrawn=self.slot.withdrawn, free=self.free(), held=len(held)),
        )


class Model:
    """One territory. *phase*: empty, rebuilding, ready; *trusted*: the log's tail is not lost."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.phase, self.trusted = "empty", False
        self.generation = 0
        self.owner, self.lease_until = "", now
        self.kept: dict[SlotId, Kept] = {}
        self.answers: dict[tuple[str, str, str], tuple[Any, Any]] = {}

    @property
    def answers_now(self) -> bool:
        return self.phase == "ready" and self.trusted

    def is_live(self, one: Kept) -> bool:
        return one.slot.is_live(self.now, HORIZON)

    def board(self) -> dict[SlotId, SlotDocument]:
        return {name: one.document() for name, one in self.kept.items() if self.is_live(one)}

    def pass_until(self, now: datetime) -> None:
        """It is *now*. A slot that is over stays only while a sealed hold may still be booked."""
        self.now = now
        for name, one in list(self.kept.items()):
            is_over = one.slot.over_at <= now
            for hold_id, held in list(one.held.items()):
                if not held.sealed and (is_over or held.expires_at <= now):
                    one.end(hold_id, "expired")
            if is_over and not one.held:
                del self.kept[name]

    def hold(self, who: str, slot_id: SlotId, hold_id: HoldId, key: str) -> Any:
        if not self.answers_now:
            return "Rebuilding"
        if before := self.answers.get(("hold", who, key)):
            return before[1] if before[0] == slot_id else "IdempotencyMismatch"
        one = self.kept.get(slot_id)
        if one is None or one.slot.over_at <= self.now:
            return "SlotUnknown"
        if HEARS[who].isdisjoint(one.slot.audience):
            return "NotAllowed"
        if one.slot.withdrawn:
            return "SlotWithdrawn"
        if not self.is_live(one):
            return "SlotNotLive"
        if one.free() < 1:
            return "SlotTaken"
        if self.holding(who) >= HOLDS_MAX:
            return "TooManyHolds"
        taken = {held.seat for held in one.held.values()} | set(one.slot.seats)
        seat = next(seat for seat in range(1, 100) if seat not in taken)
        expires_at = self.now + HOLD_FOR
        one.held[hold_id] = HeldSeat(who, seat, expires_at, one.slot.terms)
        self.answers["hold", who, key] = slot_id, (hold_id, seat, expires_at)
        return hold_id, seat, expires_at

    def renew(self, who: str, hold_id: HoldId, key: str) -> Any:
        if not self.answers_now:
            return "Rebuilding"
        if before := self.answers.get(("renew", who, key)):
            return before[1] if before[0] == hold_id else "IdempotencyMismatch"
        one, otherwise = self._find(who, hold_id)
        if one is None:
            return otherwise
        held = one.held[hold_id]
        if held.sealed or held.renewed:
            return "HoldRenewed"
        held.renewed, held.expires_at = True, self.now + HOLD_FOR
        self.answers["renew", who, key] = hold_id, (hold_id, held.seat, held.expires_at)
        return hold_id, held.seat, held.expires_at

    def release(self, who: str, hold_id: HoldId) -> Any:
        if not self.answers_now:
            return "Rebuilding"
        one, otherwise = self._find(who, hold_id)
        if one is None:
            return (
                None
                if self._why(hold_id) == "released" and otherwise != "HoldNotYours"
                else otherwise
            )
        if one.held[hold_id].sealed:
            return "SlotTaken"
        one.end(hold_id, "released")
        return None

    def seal(self, who: str, hold_id: HoldId) -> Any:
        if not self.answers_now:
            return "Rebuilding"
        one, otherwise = self._find(who, hold_id)
        if one is None:
            return otherwise
        held = one.held[hold_id]
        held.sealed = True
        return one.slot.id, held.seat, held.terms

    def unseal(self, slot_id: SlotId, hold_id: HoldId) -> Any:
        if not self.answers_now:
            return "Rebuilding"
        one = self.kept.get(slot_id)
        if one and hold_id in one.held:
            one.end(hold_id, "revoked")
            self.pass_until(self.now)
        return None

    def put(self, slot: Slot, generation: int) -> str:
        if self.phase == "empty" or not self.trusted:
            return "Rebuilding"
        if generation != self.generation:
            return "other-generation"
        one = self.kept.get(slot.id)
        if one and one.generation == generation:
            if slot.version < one.slot.version:
                return "stale"
            if slot == one.slot:
                return "same"
        if one is None and slot.over_at <= self.now:
            return "over"
        one = self.kept.setdefault(slot.id, Kept(slot, generation))
        one.slot, one.generation = slot, generation
        self.pass_until(self.now)  # it may end the slot at once
        self._contradict(one)
        return "put"

    def begin(self, generation: int, owner: str) -> str:
        if self.phase == "rebuilding" and owner != self.owner and self.lease_until > self.now:
            return "busy"
        if self.generation >= generation:
            return "stale"
        self.generation, self.owner = generation, owner
        self.phase, self.trusted = "rebuilding", True
        self.lease_until = self.now + LEASE
        return "begun"

    def ready(self, generation: int, owner: str) -> int | None:
        """Returns how many slots the ledger lacked."""
        asked = (self.phase, self.trusted, generation, owner)
        if asked != ("rebuilding", True, self.generation, self.owner):
            return None
        lacked = [name for name, one in self.kept.items() if one.generation != generation]
        for name in lacked:
            del self.kept[name]
        self.phase = "ready"
        return len(lacked)

    def lose_the_tail(self) -> None:
        """A restart: what was written may still be there, and nobody trusts it."""
        self.trusted = False

    def lose_everything(self) -> None:
        self.phase, self.trusted, self.generation = "empty", False, 0
        self.kept, self.answers = {}, {}

    def holding(self, who: str) -> int:
        return sum(held.who == who for one in self.kept.values() for held in one.held.values())

    def _find(self, who: str, hold_id: HoldId) -> tuple[Kept | None, str]:
        """The slot of a hold that lives and is *who*'s; or the refusal."""
        for one in self.kept.values():
            if held := one.held.get(hold_id):
                return (one, "") if held.who == who else (None, "HoldNotYours")
            for other_id, holder, why in one.past:
                if other_id == hold_id:
                    return None, WHY.get(why, "HoldExpired") if holder == who else "HoldNotYours"
        return None, "HoldExpired"

    def _why(self, hold_id: HoldId) -> str | None:
        past = (ended for one in self.kept.values() for ended in one.past)
        return next((why for other_id, _, why in past if other_id == hold_id), None)

    def _contradict(self, one: Kept) -> None:
        """Where the ledger contradicts a hold, the ledger wins; a sealed one awaits hold_end."""
        slot = one.slot
        for hold_id, held in list(one.held.items()):
            if hold_id in slot.seats.values():
                one.end(hold_id, "confirmed")
            elif not held.sealed and slot.withdrawn:
                one.end(hold_id, "withdrawn")
            elif not held.sealed and held.terms != slot.terms:
                one.end(hold_id, "changed")
            elif not held.sealed and held.seat in slot.seats:
                one.end(hold_id, "taken")
        latest_first = sorted(
            (hold_id for hold_id, held in one.held.items() if not held.sealed),
            key=lambda hold_id: (one.held[hold_id].expires_at, str(hold_id)),
            reverse=True,
        )
        for hold_id in latest_first:
            if len(slot.seats) + len(one.seats_held()) > slot.capacity:
                one.end(hold_id, "taken")
        self.pass_until(self.now)
