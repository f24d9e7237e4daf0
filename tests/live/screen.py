"""One person's picture of a territory, kept as a page keeps it, and judged frame by frame."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from tests.live.truth import Slots, Truth, slot_after
from tests.live.viewer import HAUTS, Viewer

NO_LIMIT: Final = 1_000_000  # frames


class Screen:
    """Reads only when it is told to: what it has not read when the line is cut is lost."""

    def __init__(self, viewer: Viewer, truth: Truth, tally: Counter[str], within_s: float) -> None:
        self.viewer = viewer
        self.truth = truth
        self.tally = tally  # of frames by their kind, and of how each subscription began
        self.within_s = within_s  # how long a frame that must come may take
        self.at: str | None = None
        self.shown: Slots = {}
        self.past: list[tuple[str, Slots]] = []  # every place where it once stood
        self.is_open = False
        self._begins = ""  # how, while a subscription has no answer yet
        self._answers = 0  # heartbeats that must still come: one ends each answer

    async def comes(self, url: str, **options: Any) -> None:
        """Open the socket to one process, without a word yet."""
        self.viewer.url = url
        await self.viewer.opens(max_queue=None, **options)
        self.is_open, self._answers = True, 0

    async def subscribes(self, after: str | None, as_: str = "json") -> None:
        """Ask for what follows *after*; None or an invented place: for a snapshot."""
        self._begins = "resumed" if after else "began"
        self._answers += 1
        await self.viewer.subscribes(HAUTS, after={HAUTS: after} if after else None, as_=as_)

    def cut(self) -> None:
        """The line breaks, at once: what waits in it never arrives."""
        if self.is_open:
            self.viewer.socket.transport.abort()
        self.is_open = False

    def goes_back(self, steps: int) -> None:
        """Show what was shown *steps* frames ago: a page from the browser's memory."""
        if self.past:
            self.at, self.shown = self.past[-1 - steps % len(self.past)]

    def forgets(self) -> None:
        """An empty page."""
        self.at, self.shown = None, {}

    async def reads(self, frames_max: int = NO_LIMIT) -> None:
        """Apply frames, at most so many, until the picture stands where the log stands.

        Where that is is asked again and again: a process that loads may emit what was due.
        """
        try:
            async with asyncio.timeout(self.within_s):
                while frames_max > 0 and (self._answers or self.at != await self.truth.at()):
                    await self._apply(await self.viewer.next_of_any())
                    frames_max -= 1
        except TimeoutError:
            raise AssertionError(f"{self.viewer.name} has stayed at {self.at}") from None

    async def _apply(self, frame: dict[str, Any]) -> None:
        kind = frame["t"]
        self.tally[kind] += 1
        match kind:
            case "hello":
                return
            case "heartbeat":
                self._answered_by("nothing")
                self._answers = max(0, self._answers - 1)
                assert frame["at"].get(HAUTS) in {None, self.at}, frame
                return
            case "resync":
                self.forgets()
                return
            case "snapshot":
                self._replace(frame)
            case "event" | "gone" | "skip":
                await self._change(frame)
            case _:
                raise AssertionError(frame)
        self._answered_by("a snapshot" if kind == "snapshot" else "what followed")
        self.past.append((frame["at"], self.shown))

    def _replace(self, frame: dict[str, Any]) -> None:
        self.at, self.shown = frame["at"], {slot["id"]: slot for slot in frame["slots"]}
        self._compare_html(frame["slots"], frame.get("html"))
        board = self.truth.boards.get(frame["at"])
        if board is not None:
            assert self.shown == self.truth.shown_to(self.viewer.name, board)

    async def _change(self, frame: dict[str, Any]) -> None:
        # No hole, nothing twice and no other order: each frame follows on where one stands.
        assert frame["prev"] == self.at, (frame, self.at)
        event = await self.truth.event(frame["at"])
        assert (event.prev, frame["territory"]) == (frame["prev"], HAUTS)
        slot_id = str(event.slot_id)
        slot = slot_after(event)
        if slot is not None and self.truth.may_see(self.viewer.name, slot):
            assert (frame["t"], frame.get("type"), frame.get("slot")) == ("event", event.type, slot)
            self._compare_html([slot], [frame["html"]] if "html" in frame else None)
            self.shown = {**self.shown, slot_id: slot}
        elif slot_id in self.shown:
            assert (frame["t"], frame.get("type"), frame.get("id")) == ("gone", event.type, slot_id)
            self.shown = {other: each for other, each in self.shown.items() if other != slot_id}
        else:
            assert frame.keys() == {"t", "territory", "at", "prev"}, frame
            assert frame["t"] == "skip"
        self.at = frame["at"]

    def _answered_by(self, what: str) -> None:
        if self._begins:
            self.tally[f"{self._begins} with {what}"] += 1
        self._begins = ""

    def _compare_html(self, slots: Sequence[dict[str, Any]], html: Sequence[str] | None) -> None:
        if html is not None:
            assert len(html) == len(slots)
            assert all(slot["id"] in row for slot, row in zip(slots, html, strict=True))
