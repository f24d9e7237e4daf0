"""Those who see a territory alike: what is written for one of them serves them all."""

from collections import defaultdict

from slots.ids import ScheduleId
from web.live.connection import Connection
from web.live.feed import Change, Feed
from web.live.frames import As
from web.live.wire import Sending


class Circle:
    """The sockets of one territory that hear the same words there. A listener of the hub.

    A change is decided and framed once, then written to one transport after the other: that
    loop is what a large audience costs. Only those who act for the slot are asked one by one,
    since they see it whatever its audience.
    """

    def __init__(self) -> None:
        """Nobody yet."""
        self._members: dict[Connection, None] = {}
        self._acting: defaultdict[ScheduleId, set[Connection]] = defaultdict(set)

    def join(self, connection: Connection) -> None:
        """Tell *connection* from now on; twice is once."""
        self._members[connection] = None
        for schedule_id in connection.session.schedule_ids:
            self._acting[schedule_id].add(connection)

    def leave(self, connection: Connection) -> None:
        """Tell *connection* nothing any more; it need not have joined."""
        if self._members.pop(connection, self) is self:
            return
        for schedule_id in connection.session.schedule_ids:
            self._acting[schedule_id].discard(connection)
            if not self._acting[schedule_id]:
                del self._acting[schedule_id]

    def changed(self, feed: Feed, change: Change) -> None:
        """Tell everybody of one change, each in the form that it asked for."""
        acting = set[Connection]().union(
            *(self._acting.get(schedule_id, ()) for schedule_id in change.schedule_ids)
        )
        sendings: dict[As, Sending] = {}
        for connection in self._members:
            session = connection.session
            if connection in acting or not session.moves(change):
                connection.changed(feed, change)
                continue
            if session.what not in sendings:
                sendings[session.what] = Sending.of([session.text(change)])
            connection.tell(sendings[session.what])

    def renewed(self, feed: Feed) -> None:
        """The feed started anew."""
        for connection in self._members:
            connection.renewed(feed)

    def recovered(self, feed: Feed) -> None:
        """The feed is right again."""
        for connection in self._members:
            connection.recovered(feed)
