"""One open socket as the rest of the process sees it: what it is told, and how it ends."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from slots.store.session import Alive
from web.live.feed import Change, Feed
from web.live.frames import CloseCode
from web.live.session import Session
from web.live.wire import Sending, Wire

SILENT_AFTER_S: Final = 60.0  # without a pong: six heartbeats


class Connection:
    """Passes on whatever its session makes of the news, at once, and never waits for the reader."""

    __slots__ = ("alive", "ending", "heartbeat_at", "pong_at", "session", "session_hash", "wire")

    def __init__(self, session: Session, session_hash: bytes, alive: Alive, wire: Wire) -> None:
        """*session_hash* and *alive*: under what the socket was opened."""
        now = asyncio.get_running_loop().time()
        self.session = session
        self.session_hash = session_hash
        self.alive = alive
        self.wire = wire
        self.heartbeat_at = now
        self.pong_at = now
        self.ending: CloseCode | None = None

    # What happens in a territory.

    def changed(self, feed: Feed, change: Change) -> None:
        """Tell one change."""
        self.push(self.session.changed(feed, change))

    def renewed(self, feed: Feed) -> None:
        """Tell a fresh snapshot."""
        self.push(self.session.renewed(feed))

    def recovered(self, feed: Feed) -> None:
        """Tell the snapshot that had to wait."""
        self.push(self.session.recovered(feed))

    # What is to be sent.

    def push(self, texts: Iterable[str]) -> None:
        """Tell frames that belong together."""
        sending = Sending.of(texts)
        if sending.texts:
            self.tell(sending)

    def tell(self, sending: Sending) -> None:
        """Pass on frames; a reader who is too far behind is told to resync, and closed."""
        if self.ending is None and not self.wire.tell(sending):
            self.end(CloseCode.SLOW)

    def heartbeat(self, now: datetime, age_s: float, *, ledger: bool) -> None:
        """Tell a heartbeat."""
        self.heartbeat_at = asyncio.get_running_loop().time()
        self.push([self.session.heartbeat(now, age_s, ledger=ledger)])

    def end(self, code: CloseCode) -> None:
        """Say goodbye and close. The first reason stands."""
        if self.ending is None:
            self.ending = code
            self.wire.finish(Sending.of(self.session.farewell(code)), code)
