"""Those who see a territory alike: what is written for one of them serves them all."""

from collections import defaultdict

from slots.ids import ScheduleId
from web.live.connection import Connection
from web.live.feed import Change, Feed
from web.live.frames import As
from web.live.session import Place
from web.live.wire import Sending, Wire


class Circle:
    """The sockets of one territory that hear the same words there. A listener of the hub.

    Whoever has heard a change like the others walks *abreast* with them from then on: they share
    one place in the log, which moves once for all of them, and one frame, written to one transport
    after the other. That loop is what a large audience costs. The others stand *apart*, each at
    its own place, until they hear a change that brings them there. Those who act for the slot see
    it whatever its audience: they move with the others, and are told in their own words.
    """

    def __init__(self) -> None:
        """Nobody yet."""
        self._place = Place()
        self._abreast: defaultdict[As, dict[Connection, Wire]] = defaultdict(dict)
        self._apart: dict[Connection, None] = {}
        self._acting: defaultdict[ScheduleId, set[Connection]] = defaultdict(set)

    def join(self, connection: Connection) -> None:
        """Tell *connection* from now on; twice is once. It stands apart at first."""
        self._step_out(connection)
        self._apart[connection] = None
        for schedule_id in connection.session.schedule_ids:
            self._acting[schedule_id].add(connection)

    def leave(self, connection: Connection) -> None:
        """Tell *connection* nothing any more; it need not have joined."""
        self._step_out(connection)
        self._apart.pop(connection, None)
        for schedule_id in connection.session.schedule_ids:
            self._acting[schedule_id].discard(connection)
            if not self._acting[schedule_id]:
                del self._acting[schedule_id]

    def changed(self, feed: Feed, change: Change) -> None:
        """Tell everybody of one change, each in the form that it asked for."""
        acting = set[Connection]().union(
            *(self._acting.get(schedule_id, ()) for schedule_id in change.schedule_ids)
        )
        if self._place.at == change.event.prev:
            self._place.at = change.event.at
            for what, walking in self._abreast.items():
                self._tell(what, walking, acting, change)
        else:
            self._scatter()
        for connection in list(self._apart):
            if connection.session.moves(change):
                connection.push([connection.session.text(change)])
                self._fall_in(connection, change)
            else:
                connection.changed(feed, change)

    def renewed(self, feed: Feed) -> None:
        """The feed started anew."""
        self._scatter()
        for connection in self._apart:
            connection.renewed(feed)

    def recovered(self, feed: Feed) -> None:
        """The feed is right again. Who walks abreast has waited for nothing."""
        for connection in self._apart:
            connection.recovered(feed)

    def _tell(
        self, what: As, walking: dict[Connection, Wire], acting: set[Connection], change: Change
    ) -> None:
        others = walking
        if not acting.isdisjoint(walking):
            others = {one: wire for one, wire in walking.items() if one not in acting}
            for connection in walking.keys() & acting:
                connection.push([connection.session.text(change)])
        one = next(iter(others), None)
        if one is None:
            return
        sending = Sending.of([one.session.text(change, what)])
        too_slow = [one for one, wire in others.items() if not wire.tell(sending)]
        for connection in too_slow:
            connection.tell(sending)  # refused again, which ends it

    def _fall_in(self, connection: Connection, change: Change) -> None:
        """Walk with the others from here, or begin where nobody walks."""
        if self._place.at != change.event.at:
            if any(self._abreast.values()):
                return
            self._place.at = change.event.at
        del self._apart[connection]
        session = connection.session
        session.stand_at(change.territory.id, self._place)
        self._abreast[session.what][connection] = connection.wire

    def _step_out(self, connection: Connection) -> None:
        """Stand alone from here."""
        for walking in self._abreast.values():
            if walking.pop(connection, None) is not None:
                connection.session.stand_alone(self._place)

    def _scatter(self) -> None:
        """They did not stand where the change begins: each hears for itself what that means."""
        for walking in self._abreast.values():
            for connection in walking:
                connection.session.stand_alone(self._place)
                self._apart[connection] = None
            walking.clear()
