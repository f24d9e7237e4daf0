"""Keeps the territories of one partition current in memory, whatever becomes of Redis.

Two tasks: one waits in a single blocking XREAD for what happens; the other asks once a second,
over a connection of its own, where the logs stand, and starts a feed anew where the first has
missed something: a lost last event, a rebuild, a failover.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from slots.broker import Broker
from slots.clock import MACHINES_CLOCK, Clock
from slots.errors import BrokerUnavailable, Rebuilding, Unavailable
from slots.events import Event, Position
from slots.ids import TerritoryId
from slots.log import LogReader
from slots.territory import Territory
from web.catalogue import ActLabels
from web.live.feed import RING_MAX, Change, Feed

log = logging.getLogger(__name__)

PROBE_EVERY_S: Final = 1.0
CLOSE_WITHIN_S: Final = 2.0
RETRY_AFTER_S: Final = 0.5  # the reader, after it lost its connection
READ_BLOCK_MS: Final = 300  # a territory followed anew waits at most this long for its first event
BURST_GAP_S: Final = 0.005  # a read that waited less than this stands in a burst
BURST_PAUSE_S: Final = 0.002

# Called after a change was applied, and with None after a feed had to start anew.
Heard = Callable[[Feed, Change | None], None]
# Called when a feed is to be trusted again.
Recovered = Callable[[Feed], None]


class Follower:
    """The followed territories of one partition."""

    def __init__(
        self,
        redis_url: str,
        act_labels: ActLabels,
        heard: Heard,
        recovered: Recovered,
        clock: Clock = MACHINES_CLOCK,
    ) -> None:
        """Tell *heard* and *recovered* what happens. Starts with the first territory."""
        self._clock = clock
        self._act_labels = act_labels
        self._redis_url = redis_url
        self._heard = heard
        self._recovered = recovered
        self._feeds: dict[TerritoryId, Feed] = {}
        self._looked: dict[TerritoryId, asyncio.Event] = {}
        self._word_at: dict[TerritoryId, float] = {}
        self._trouble: dict[TerritoryId, Unavailable] = {}
        self._doubts: dict[TerritoryId, Position | None] = {}
        self._look_now = asyncio.Event()
        self._readable = asyncio.Event()
        self._doubt_reader = False
        self._closed = False
        self._reader: LogReader | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def follow(self, territory: Territory) -> Feed:
        """The territory's feed, after a first look at Redis. It may not be ready: see `trouble`."""
        feed = self._feeds.get(territory.id)
        if feed is None:
            feed = self._feeds[territory.id] = Feed(territory, self._act_labels)
            self._looked[territory.id] = asyncio.Event()
            self._word_at[territory.id] = asyncio.get_running_loop().time()
            self._look_now.set()
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._supervised(self._keep)),
                asyncio.create_task(self._supervised(self._read)),
            ]
        await self._looked[territory.id].wait()
        return feed

    def trouble(self, territory_id: TerritoryId) -> Unavailable | None:
        """Why the feed is not to be trusted now; None where it is."""
        return self._trouble.get(territory_id)

    def age_s(self, territory_id: TerritoryId) -> float:
        """Seconds since Redis last proved the feed right."""
        return asyncio.get_running_loop().time() - self._word_at[territory_id]

    async def close(self) -> None:
        """Stop both tasks."""
        # Not by a cancellation at first: the client of Redis (5.3.1) swallows one that comes while
        # it takes a connection from its pool, and leaves the connection open.
        self._closed = True
        self._look_now.set()
        self._readable.set()
        if self._reader is not None:
            await self._reader.close()  # ends its blocking read
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_WITHIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def _ends(self) -> bool:
        # The task remembers that it was cancelled, even where the client of Redis has swallowed it.
        task = asyncio.current_task()
        return self._closed or (task is not None and task.cancelling() > 0)

    async def _supervised(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do *work* again whenever it ends: nothing but the end stops it."""
        while not self._ends:
            try:
                await work()
            except Exception:
                log.exception("live.follower.failed")
                await asyncio.sleep(RETRY_AFTER_S)

    # The task that looks.

    async def _keep(self) -> None:
        while not self._ends:
            self._look_now.clear()
            await self._look()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), PROBE_EVERY_S)

    async def _look(self) -> None:
        # A new client each time finds the primary of this moment, by Sentinel or Cluster: an old
        # connection may lead to a server that was deposed and does not know it.
        broker = Broker.connect(self._redis_url, self._clock)
        try:
            for feed in list(self._feeds.values()):
                await self._look_at(feed, broker)
        except BrokerUnavailable as error:
            self._all_in_trouble(error)
        finally:
            for looked in self._looked.values():
                looked.set()
            await broker.close()

    async def _look_at(self, feed: Feed, broker: Broker) -> None:
        territory_id = feed.territory.id
        try:
            if not feed.ready or await self._is_doubtful(feed, broker):
                await self._load(feed, broker)
        except Rebuilding as error:
            self._trouble[territory_id] = error
        else:
            if self._trouble.pop(territory_id, None):
                self._recovered(feed)
        self._looked[territory_id].set()

    async def _is_doubtful(self, feed: Feed, broker: Broker) -> bool:
        """Whether the log stands elsewhere than the feed, twice in a row or beyond repair."""
        territory_id = feed.territory.id
        at = await broker.position(feed.territory)
        if at is None:
            raise Rebuilding
        if at == feed.at:
            self._word(feed)
            self._doubts.pop(territory_id, None)
            return False
        # An event may be on its way. If the feed has not moved by the next look, it is lost.
        if _generation(at) == _generation(feed.at) and self._doubts.get(territory_id) != feed.at:
            self._doubts[territory_id] = feed.at
            return False
        self._doubt_reader = True
        return True

    async def _load(self, feed: Feed, broker: Broker) -> None:
        feed.ready = False
        self._looked[feed.territory.id].clear()
        snapshot = await broker.snapshot(feed.territory)
        history = await LogReader(broker.redis).latest(feed.territory, RING_MAX)
        stood_at = feed.at
        feed.load(snapshot.at, snapshot.slots, history)
        self._doubts.pop(feed.territory.id, None)
        self._word(feed)
        self._readable.set()
        if stood_at != feed.at:
            if stood_at is not None:
                # Every board of this territory is drawn anew: seldom, and worth a line.
                log.warning(
                    "live.renewed territory=%s from=%s to=%s",
                    *(feed.territory.slug, stood_at, feed.at),
                )
            self._heard(feed, None)

    # The task that reads.

    async def _read(self) -> None:
        reader = self._reader = LogReader.connect(self._redis_url)
        try:
            while not self._doubt_reader and not self._ends:
                await self._read_once(reader)
        except BrokerUnavailable as error:
            self._all_in_trouble(error)
            if not self._ends:
                await asyncio.sleep(RETRY_AFTER_S)
        finally:
            self._doubt_reader = False
            await reader.close()

    async def _read_once(self, reader: LogReader) -> None:
        self._readable.clear()
        after = {
            feed.territory: feed.at
            for feed in self._feeds.values()
            if feed.ready and feed.at is not None
        }
        if not after:
            await self._readable.wait()
            return
        asked_at_s = time.monotonic()
        news = await reader.read(after, READ_BLOCK_MS)
        for territory_id, events in news.items():
            feed = self._feeds[territory_id]
            await self._apply(feed, after[feed.territory], events)
        if news and time.monotonic() - asked_at_s < BURST_GAP_S:
            # In a burst one read brings several events; a lone one is never kept waiting.
            await asyncio.sleep(BURST_PAUSE_S)

    async def _apply(self, feed: Feed, stands_at: Position, events: list[Event]) -> None:
        for event in events:
            # While we waited, the feed may have started anew from a later place.
            if not feed.ready or feed.at != stands_at:
                return
            change = feed.apply(event)
            if change is None:
                self._looked[feed.territory.id].clear()
                self._look_now.set()
                return
            stands_at = event.at
            self._word(feed)
            self._heard(feed, change)
            # Let the sockets send: a burst must not look like many slow readers.
            await asyncio.sleep(0)

    def _word(self, feed: Feed) -> None:
        self._word_at[feed.territory.id] = asyncio.get_running_loop().time()

    def _all_in_trouble(self, error: Unavailable) -> None:
        for territory_id in self._feeds:
            self._trouble[territory_id] = error


def _generation(at: Position | None) -> str:
    return (at or "").partition(".")[0]
