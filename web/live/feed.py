"""One territory in memory: its live slots, where they stand in the log, and what came last. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET, Raw

from slots.audience import Audience
from slots.document import SlotDocument, decode_slot
from slots.events import Event, Position, missed
from slots.ids import ScheduleId, SlotId
from slots.log import LOG_STARTED
from slots.territory import Territory
from web.live import frames
from web.live.rendering import render_slot

RING_MAX: Final = 1_000  # changes kept of a territory, for readers that come back


class LiveSlot:
    """A slot as this process keeps it; rendered at most once, for all who look."""

    __slots__ = ("_html", "audience", "document", "raw", "schedule_id")

    def __init__(self, raw: bytes) -> None:
        """Decode the public JSON of a slot."""
        self.raw = raw
        self.document: SlotDocument = decode_slot(raw)
        self.audience = frozenset(map(Audience, self.document.audience))
        self.schedule_id = ScheduleId(self.document.schedule.id)
        self._html: str | None = None

    @property
    def html(self) -> str:
        """The slot as a fragment of a page."""
        if self._html is None:
            self._html = render_slot(self.document)
        return self._html


class Change:
    """One event, with the slot as the boards had it *before* and *after*; None: not on them.

    Its frames are written at most once, however many sockets send them.
    """

    __slots__ = ("_texts", "after", "before", "before_known", "event", "territory")

    def __init__(
        self,
        territory: Territory,
        event: Event,
        before: LiveSlot | None,
        *,
        before_known: bool = True,
    ) -> None:
        """Read the slot after the event. *before_known* is false for a log read from its middle."""
        self.territory = territory
        self.event = event
        self.before = before
        self.before_known = before_known
        self.after = LiveSlot(event.slot) if event.live else None
        self._texts: dict[str, str] = {}

    def text(self, what: frames.As) -> str:
        """The `event` frame, with or without HTML."""
        if what not in self._texts:
            assert self.after is not None
            html = self.after.html if what == "html" else UNSET
            event = self.event
            self._texts[what] = frames.write(
                frames.Event(
                    self.territory.slug,
                    event.at,
                    event.prev,
                    event.type,
                    Raw(event.slot),
                    html,
                )
            )
        return self._texts[what]

    def gone(self) -> str:
        """The `gone` frame."""
        if "gone" not in self._texts:
            event = self.event
            self._texts["gone"] = frames.write(
                frames.Gone(
                    self.territory.slug, event.at, event.prev, event.type, str(event.slot_id)
                )
            )
        return self._texts["gone"]

    def skip(self) -> str:
        """The `skip` frame."""
        if "skip" not in self._texts:
            event = self.event
            self._texts["skip"] = frames.write(
                frames.Skip(self.territory.slug, event.at, event.prev)
            )
        return self._texts["skip"]


@dataclass(frozen=True, slots=True)
class Board:
    """All live slots of a territory at one position. *age_s*: since the broker's last word."""

    at: Position
    age_s: float
    slots: Mapping[SlotId, SlotDocument]
    raw: Mapping[SlotId, bytes]


class Feed:
    """What the log of one territory amounts to, as far as this process has read it.

    Not *ready* until it was loaded, and again from the moment a hole is found.
    """

    def __init__(self, territory: Territory) -> None:
        """Know nothing yet."""
        self.territory = territory
        self.at: Position | None = None
        self.slots: dict[SlotId, LiveSlot] = {}
        self.ready = False
        self._ring: deque[Change] = deque(maxlen=RING_MAX)
        self._maps: tuple[dict[SlotId, SlotDocument], dict[SlotId, bytes]] | None = None

    def load(self, at: Position, slots: Iterable[bytes], log: Sequence[Event]) -> None:
        """Start anew from a snapshot; *log* is what may have led to it, oldest first."""
        known = (LiveSlot(raw) for raw in slots)
        self.slots = {SlotId(slot.document.id): slot for slot in known}
        self.at = at
        self._ring = deque(self._history(log), maxlen=RING_MAX)
        self._maps = None
        self.ready = True

    def apply(self, event: Event) -> Change | None:
        """Replace one slot. None, and not ready any more, where the event does not follow."""
        if not self.ready or event.prev != self.at or event.type == LOG_STARTED:
            self.ready = False
            return None
        change = Change(self.territory, event, self.slots.get(event.slot_id))
        if change.after is None:
            self.slots.pop(event.slot_id, None)
        else:
            self.slots[event.slot_id] = change.after
        self.at = event.at
        self._ring.append(change)
        self._maps = None
        return change

    def since(self, after: str) -> list[Change] | None:
        """The changes that follow *after*; None where it is not in what is kept."""
        if after == self.at:
            return []
        ring = list(self._ring)
        followers = missed(Position(after), [change.event for change in ring])
        return None if followers is None else ring[len(ring) - len(followers) :]

    def board(self, age_s: float) -> Board:
        """Everything, for one request: it does not change under the reader's hands."""
        assert self.at is not None
        if self._maps is None:
            self._maps = (
                {slot_id: slot.document for slot_id, slot in self.slots.items()},
                {slot_id: slot.raw for slot_id, slot in self.slots.items()},
            )
        return Board(self.at, age_s, *self._maps)

    def in_order(self) -> list[LiveSlot]:
        """The live slots, the next to start first."""
        return sorted(
            self.slots.values(), key=lambda slot: (slot.document.starts_at, slot.document.id)
        )

    def _history(self, log: Sequence[Event]) -> list[Change]:
        """The part of *log* that leads to the snapshot without a hole."""
        ends = [index for index, event in enumerate(log) if event.at == self.at]
        if not ends:
            return []
        history: list[Change] = []
        before: dict[SlotId, LiveSlot | None] = {}
        for event in log[: ends[0] + 1]:
            if event.type == LOG_STARTED or (history and event.prev != history[-1].event.at):
                history, before = [], {}
                if event.type == LOG_STARTED:
                    continue
            # The first event of a slot in this stretch does not say how it looked before.
            is_known = event.slot_id in before
            change = Change(self.territory, event, before.get(event.slot_id), before_known=is_known)
            before[event.slot_id] = change.after
            history.append(change)
        return history
