"""The open sockets of this process: their heartbeats, and whether they may still be open.

One query a second asks for all their sessions at once: signing out, a lock, a disabled account and
a changed membership close a socket within two seconds, wherever they happened.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from slots.account import SignedIn
from slots.database import UNAVAILABLE, Pool, borrow
from slots.errors import LedgerUnavailable
from slots.store import session as store
from web import metrics
from web.live.connection import SILENT_AFTER_S, Connection
from web.live.frames import HEARTBEAT_EVERY_S, CloseCode
from web.live.hub import Hub

log = logging.getLogger(__name__)

CHECK_EVERY_S: Final = 1.0
STOP_WITHIN_S: Final = 1.0  # for the last frames, when this process stops


class Presence:
    """One per process, from start to stop."""

    def __init__(self, hub: Hub, pool: Pool) -> None:
        """Ask *hub* about ages, the ledger about sessions."""
        self._hub = hub
        self._pool = pool
        self._connections: dict[Connection, None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._emptied = asyncio.Event()
        self.ledger = True  # whether the database answered last time

    def start(self) -> None:
        """Begin to watch."""
        self._tasks = [
            asyncio.create_task(_every(CHECK_EVERY_S, self._check)),
            asyncio.create_task(_every(CHECK_EVERY_S, self._beat)),
        ]

    async def stop(self) -> None:
        """Say goodbye to every socket, wait a moment for it, and watch no more."""
        await self.say_goodbye()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def say_goodbye(self) -> None:
        """Tell every socket that this process stops: they come back, to another. Bounded."""
        for connection in list(self._connections):
            connection.end(CloseCode.SHUTDOWN)
        if self._connections:
            self._emptied.clear()
            try:
                await asyncio.wait_for(self._emptied.wait(), STOP_WITHIN_S)
            except TimeoutError:
                log.info("live.goodbye.unheard sockets=%d", len(self._connections))

    @contextmanager
    def watched(self, connection: Connection) -> Iterator[None]:
        """Watch over *connection* until the end of the block."""
        self._connections[connection] = None
        metrics.SOCKETS.inc()
        try:
            yield
        finally:
            metrics.SOCKETS.dec()
            self._hub.part(connection)
            del self._connections[connection]
            if not self._connections:
                self._emptied.set()

    def heartbeat(self, connection: Connection) -> None:
        """Tell a socket where it stands and how old that is."""
        ages = [self._hub.age_s(number) for number in connection.session.territory_ids]
        connection.heartbeat(datetime.now(UTC), max(ages, default=0.0), ledger=self.ledger)

    async def opened_by(self, session_hash: bytes) -> tuple[SignedIn, store.Alive] | None:
        """Who opens a socket, and how their session stands; None where the session has ended.

        Raises:
            LedgerUnavailable: The database does not answer.
        """
        try:
            async with borrow(self._pool) as conn:
                return await store.account_and_rights(conn, session_hash, datetime.now(UTC))
        except UNAVAILABLE as error:
            raise LedgerUnavailable from error

    async def _check(self) -> None:
        connections = list(self._connections)
        hashes = {connection.session_hash for connection in connections}
        if not hashes:
            return
        try:
            async with borrow(self._pool) as conn:
                alive = await store.sessions_alive(conn, hashes, datetime.now(UTC))
        except UNAVAILABLE:
            # Nobody can sign out either while the database is away: the sockets stay, and say so.
            self.ledger = False
            return
        self.ledger = True
        for connection in connections:
            now = alive.get(connection.session_hash)
            if now is None:
                connection.end(CloseCode.NOT_SIGNED_IN)
            elif now.is_locked:
                connection.end(CloseCode.LOCKED)
            elif now != connection.alive:
                connection.end(CloseCode.RIGHTS_CHANGED)

    async def _beat(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in list(self._connections):
            if now - connection.pong_at > SILENT_AFTER_S:
                connection.end(CloseCode.SILENT)
            elif now - connection.heartbeat_at > HEARTBEAT_EVERY_S - CHECK_EVERY_S / 2:
                self.heartbeat(connection)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do *work* again and again; nothing but a cancellation stops it."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("live.presence.failed")
        await asyncio.sleep(seconds)
