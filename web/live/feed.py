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
from web.catalogue import ActLabels
from web.live import frames
from web.live.rendering import render_slot

RING_MAX: Final = 1_000  # changes kept of a territory, for readers that come back
# Frames without words, which have one edition.
GONE: Final = ("gone", 0)
SKIP: Final = ("skip", 0)


class LiveSlot:
    """A slot as this process keeps it; rendered for all who look, anew only in other words."""

    __slots__ = ("_act_labels", "_edition", "_html", "audience", "document", "raw", "schedule_id")

    def __init__(self, raw: bytes, act_labels: ActLabels) -> None:
        """Decode the public JSON of a slot."""
        self.raw = raw
        self.document: SlotDocument = decode_slot(raw)
        self.audience = frozenset(map(Audience, self.document.audience))
        self.schedule_id = ScheduleId(self.document.schedule.id)
        self._act_labels = act_labels
        self._edition: int | None = None
        self._html = ""

    @property
    def edition(self) -> int:
        """Of the words in which `html` is written now."""
        return self._act_labels.edition

    @property
    def html(self) -> str:
        """The slot as a fragment of a page."""
        if self._edition != self.edition:
            self._edition = self.edition
            self._html = render_slot(self.document, self._act_labels)
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
        after: LiveSlot | None,
        *,
        before_known: bool = True,
    ) -> None:
        """*before_known* is false for a log read from its middle."""
        self.territory = territory
        self.event = event
        self.before = before
        self.before_known = before_known
        self.after = after
        self._texts: dict[tuple[str, int], str] = {}

    @property
    def schedule_ids(self) -> set[ScheduleId]:
        """Whose slot it was and is."""
        return {slot.schedule_id for slot in (self.before, self.after) if slot is not None}

    def text(self, what: frames.As) -> str:
        """The `event` frame, with or without HTML."""
        assert self.after is not None
        text = (what, self.after.edition)
        if text not in self._texts:
            html = self.after.html if what == "html" else UNSET
            event = self.event
            self._texts[text] = frames.write(
                frames.Event(
                    self.territory.slug,
                    event.at,
                    event.prev,
                    event.type,
                    Raw(event.slot),
                    html,
                )
            )
        return self._texts[text]

    def gone(self) -> str:
        """The `gone` frame."""
        if GONE not in self._texts:
            event = self.event
            self._texts[GONE] = frames.write(
                frames.Gone(
                    self.territory.slug, event.at, event.prev, event.type, str(event.slot_id)
                )
            )
        return self._texts[GONE]

    def skip(self) -> str:
        """The `skip` frame."""
        if SKIP not in self._texts:
            event = self.event
            self._texts[SKIP] = frames.write(frames.Skip(self.territory.slug, event.at, event.prev))
        return self._texts[SKIP]


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

    def __init__(self, territory: Territory, act_labels: ActLabels) -> None:
        """Know nothing yet. Rows say *act_labels*."""
        self.territory = territory
        self._act_labels = act_labels
        self.at: Position | None = None
        self.slots: dict[SlotId, LiveSlot] = {}
        self.ready = False
        self._ring: deque[Change] = deque(maxlen=RING_MAX)
        self._maps: tuple[dict[SlotId, SlotDocument], dict[SlotId, bytes]] | None = None

    def load(self, at: Position, slots: Iterable[bytes], log: Sequence[Event]) -> None:
        """Start anew from a snapshot; *log* is what may have led to it, oldest first."""
        known = (LiveSlot(raw, self._act_labels) for raw in slots)
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
        before, after = self.slots.get(event.slot_id), self._after(event)
        change = Change(self.territory, event, before, after)
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

    def _after(self, event: Event) -> LiveSlot | None:
        return LiveSlot(event.slot, self._act_labels) if event.live else None

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
            change = Change(
                self.territory,
                event,
                before.get(event.slot_id),
                self._after(event),
                before_known=is_known,
            )
            before[event.slot_id] = change.after
            history.append(change)
        return history
