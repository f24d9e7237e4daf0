"""Who listens to what in this process, and the boards of the territories that are followed.

The hub needs nobody's account and waits for nobody: a listener that cannot keep up is its own
affair. It reads Redis only at the start of a territory and after a break.
"""

from collections.abc import Hashable
from typing import Protocol

from slots.clock import MACHINES_CLOCK, Clock
from slots.errors import Rebuilding
from slots.ids import TerritoryId
from slots.territory import Territories
from web.catalogue import ActLabels
from web.live.circle import Circle
from web.live.connection import Connection
from web.live.feed import Board, Change, Feed
from web.live.follower import Follower
from web.live.frames import As


class Listener(Protocol):
    """Is told what happens in a territory, at once; must not wait, and must not raise."""

    def changed(self, feed: Feed, change: Change) -> None:
        """One slot has changed; *feed* has it already."""

    def renewed(self, feed: Feed) -> None:
        """Events were missed, or the log is another: *feed* started anew."""

    def recovered(self, feed: Feed) -> None:
        """Redis is back, and *feed* is right again: who waits for it may begin."""


class Hub:
    """One per process. Follows a territory from the first question about it."""

    def __init__(
        self,
        territories: Territories,
        redis_url: str,
        act_labels: ActLabels,
        clock: Clock = MACHINES_CLOCK,
    ) -> None:
        """Connects with the first territory; Redis need not be up."""
        self._clock = clock
        self.territories = territories
        self._redis_url = redis_url
        self._act_labels = act_labels
        self._followers: dict[int, Follower] = {}
        self._listeners: dict[TerritoryId, dict[Listener, None]] = {}
        self._circles: dict[tuple[TerritoryId, Hashable], Circle] = {}

    async def board(self, territory_id: TerritoryId) -> Board:
        """All live slots of a territory, whoever may see them.

        Raises:
            BrokerUnavailable: Redis is down: ask the ledger.
            Rebuilding: Redis is being filled: ask the ledger.
        """
        feed = await self.follow(territory_id)
        trouble = self._follower(territory_id).trouble(territory_id)
        if trouble is not None:
            raise type(trouble) from trouble
        if not feed.ready:
            raise Rebuilding
        return feed.board(self.age_s(territory_id))

    async def follow(self, territory_id: TerritoryId) -> Feed:
        """The feed of a territory, after a first look; with Redis down it may be empty or old."""
        return await self._follower(territory_id).follow(self.territories.by_id[territory_id])

    def is_current(self, territory_id: TerritoryId) -> bool:
        """Whether the feed of a followed territory is to be trusted now."""
        return self._follower(territory_id).trouble(territory_id) is None

    def age_s(self, territory_id: TerritoryId) -> float:
        """Seconds since Redis's last word on a followed territory."""
        return self._follower(territory_id).age_s(territory_id)

    def join(self, territory_id: TerritoryId, connection: Connection) -> None:
        """Tell *connection* what happens in a territory, with those who see it alike."""
        key = (territory_id, connection.session.sees_as(territory_id))
        if key not in self._circles:
            # Few, however many sockets: never taken away.
            self._circles[key] = Circle()
            self.listen(territory_id, self._circles[key])
        self._circles[key].join(connection)

    def speak(self, connection: Connection, what: As) -> None:
        """Tell *connection* everything in this form from now on."""
        if connection.session.what == what:
            return
        connection.session.what = what
        for territory_id in connection.session.territory_ids:
            self.join(territory_id, connection)  # anew: those abreast speak one form

    def part(self, connection: Connection) -> None:
        """Tell *connection* nothing any more."""
        for territory_id in connection.session.territory_ids:
            key = (territory_id, connection.session.sees_as(territory_id))
            self._circles[key].leave(connection)

    def listen(self, territory_id: TerritoryId, listener: Listener) -> None:
        """Tell *listener* from now on; twice is once."""
        self._listeners.setdefault(territory_id, {})[listener] = None

    async def close(self) -> None:
        """Stop following."""
        for follower in self._followers.values():
            await follower.close()

    def _follower(self, territory_id: TerritoryId) -> Follower:
        partition = self.territories.by_id[territory_id].partition
        if partition not in self._followers:
            self._followers[partition] = Follower(
                self._redis_url, self._act_labels, self._heard, self._recovered, self._clock
            )
        return self._followers[partition]

    def _recovered(self, feed: Feed) -> None:
        for listener in self._listeners.get(feed.territory.id, ()):
            listener.recovered(feed)

    def _heard(self, feed: Feed, change: Change | None) -> None:
        for listener in self._listeners.get(feed.territory.id, ()):
            if change is None:
                listener.renewed(feed)
            else:
                listener.changed(feed, change)
