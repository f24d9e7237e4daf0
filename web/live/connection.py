"""One open socket as the rest of the process sees it: what waits to be sent, and how it ends."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from web.live.feed import Change, Feed
from web.live.frames import CloseCode
from web.live.session import Session

BACKLOG_MAX: Final = 256  # sendings that wait; a reader further behind is told to resync
CLOSE_WITHIN_S: Final = 5.0  # then the socket is dropped, whether or not it took the last frames
SILENT_AFTER_S: Final = 60.0  # without a pong: six heartbeats


class Connection:
    """Takes whatever its session makes of the news, at once, and never waits for the reader.

    A slow reader costs at most BACKLOG_MAX frames that it shares with the others.
    """

    def __init__(self, session: Session, session_hash: bytes, rights: str) -> None:
        """*session_hash* and *rights*: under what the socket was opened."""
        now = asyncio.get_running_loop().time()
        self.session = session
        self.session_hash = session_hash
        self.rights = rights
        self.heartbeat_at = now
        self.pong_at = now
        self.ending: CloseCode | None = None
        self.dropped = asyncio.Event()
        self._backlog: deque[Sequence[str]] = deque()
        self._wake = asyncio.Event()

    # As the hub's listener.

    def changed(self, feed: Feed, change: Change) -> None:
        """Queue the frames of one change."""
        self.push(self.session.changed(feed, change))

    def renewed(self, feed: Feed) -> None:
        """Queue a fresh snapshot."""
        self.push(self.session.renewed(feed))

    def recovered(self, feed: Feed) -> None:
        """Queue the snapshot that had to wait."""
        self.push(self.session.recovered(feed))

    # What is to be sent.

    def push(self, texts: Sequence[str]) -> None:
        """Queue frames that belong together; too many sendings that wait end the socket."""
        if self.ending is not None or not texts:
            return
        if len(self._backlog) >= BACKLOG_MAX:
            self.end(CloseCode.SLOW)
            return
        self._backlog.append(texts)
        self._wake.set()

    def heartbeat(self, now: datetime, age_s: float, *, ledger: bool) -> None:
        """Queue a heartbeat."""
        self.heartbeat_at = asyncio.get_running_loop().time()
        self.push([self.session.heartbeat(now, age_s, ledger=ledger)])

    def end(self, code: CloseCode) -> None:
        """Say goodbye and close; what still waits is not sent. The first reason stands."""
        if self.ending is not None:
            return
        self.ending = code
        self._backlog.clear()
        self._backlog.append(self.session.farewell(code))
        self._wake.set()
        asyncio.get_running_loop().call_later(CLOSE_WITHIN_S, self.dropped.set)

    async def next(self) -> Sequence[str] | None:
        """The next frames to send; None when the last ones have been handed out."""
        while not self._backlog:
            if self.ending is not None:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._backlog.popleft()
