"""What was really said in a territory, and who may have heard it: the measure for every screen.

It knows nothing of `web`: the log and the broker's own snapshots come from Redis, and the rules of
the audiences stand here once more, as a table.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from slots.broker import Snapshot
from slots.document import SlotDocument, decode_slot
from slots.events import Event, Position
from slots.log import LOG_STARTED
from slots.slot import STARTED_GRACE
from tests.broker.stage import Stage

MEMBER, NEIGHBOUR = {"CPTS", "PRO", "PUBLIC"}, {"PRO", "PUBLIC"}
# The roles of the world in hauts: what each hears there.
HEARS = {
    "ann": MEMBER,  # owner of the schedule that HERS says
    "olga": MEMBER,  # ann's delegate
    "rolf": MEMBER,  # referrer
    "carl": NEIGHBOUR,  # referrer next door
    "rita": {"SNP", "PRO", "PUBLIC"},  # regulator
    "cora": {"CPTS", "SNP", "PRO", "PUBLIC"},  # coordinator: all of the territory
}
SEE_ANNS_OWN = {"ann", "olga"}

Slots = Mapping[str, dict[str, Any]]


class Truth:
    """Every event ever read from the log, whatever became of the log since, and what it left."""

    def __init__(self, stage: Stage, anns_schedule: str) -> None:
        self.stage = stage
        self.anns_schedule = anns_schedule
        self.events: dict[str, Event] = {}
        self.boards: dict[str, Slots] = {}  # by position, where it is known

    async def reads_on(self) -> None:
        """Take what the log has now."""
        for event in await self.stage.events():
            if event.at not in self.events:
                self._add(event)

    async def at(self) -> Position:
        """Where the log stands now."""
        at = await self.stage.broker.position(self.stage.territory)
        assert at is not None
        return at

    @property
    def last(self) -> Position:
        """The last place heard of, whether or not the log still stands there."""
        return Position(next(reversed(self.events), "1.0-0"))

    async def event(self, at: str) -> Event:
        """The event at a position."""
        if at not in self.events:
            await self.reads_on()
        return self.events[at]

    def stands(self, snapshot: Snapshot) -> None:
        """The broker itself says how the board looks at a position."""
        board = {slot["id"]: slot for slot in map(msgspec.json.decode, snapshot.slots)}
        assert all(is_of_now(slot, self.stage.now) for slot in map(decode_slot, snapshot.slots))
        assert self.boards.setdefault(snapshot.at, board) == board

    def may_see(self, name: str, slot: dict[str, Any]) -> bool:
        """Whether a slot is for this person."""
        is_theirs = name in SEE_ANNS_OWN and slot["schedule"]["id"] == self.anns_schedule
        return is_theirs or bool(HEARS[name] & set(slot["audience"]))

    def shown_to(self, name: str, board: Slots) -> Slots:
        """The part of a board that this person may see."""
        return {slot_id: slot for slot_id, slot in board.items() if self.may_see(name, slot)}

    def _add(self, event: Event) -> None:
        self.events[event.at] = event
        before = self.boards.get(event.prev)
        if event.type == LOG_STARTED or before is None:
            return
        board = {slot_id: slot for slot_id, slot in before.items() if slot_id != str(event.slot_id)}
        slot = slot_after(event)
        self.boards[event.at] = board if slot is None else {**board, slot["id"]: slot}


def is_of_now(slot: SlotDocument, now: datetime) -> bool:
    """Whether nothing that time changes is overdue: no hold, no end."""
    is_plage = slot.capacity > 1
    over_at = slot.ends_at if is_plage else min(slot.ends_at, slot.starts_at + STARTED_GRACE)
    return over_at > now and (slot.held_until is None or slot.held_until > now)


def slot_after(event: Event) -> dict[str, Any] | None:
    """The slot as an event left it; None where it left the boards."""
    return msgspec.json.decode(event.slot) if event.live else None
