"""One viewer's live view of several territories, without its socket and without a clock. Pure.

It turns what happens into the frames that this viewer may have. Two rules: positions are compared
along `prev`, by equality only; and what the viewer may not see leaves no trace but a `skip`.
"""

from collections.abc import Hashable, Iterable
from datetime import datetime

from msgspec import UNSET, Raw

from slots.account import Account
from slots.events import Position
from slots.ids import ScheduleId, TerritoryId
from slots.times import rfc3339
from web.live import frames
from web.live.feed import Change, Feed, LiveSlot


class Place:
    """Where in a territory's log somebody stands, or several together; None before the first word.

    Only who shares it out moves it: a session that goes another way takes a place of its own.
    """

    __slots__ = ("at",)

    def __init__(self, at: Position | None = None) -> None:
        """Stand at *at*."""
        self.at = at


class Session:
    """What one viewer has been told so far: a position in each territory that it follows."""

    def __init__(self, account: Account) -> None:
        """See as *account* sees."""
        self._account = account
        self._places: dict[TerritoryId, Place] = {}
        self._slugs: dict[TerritoryId, str] = {}
        self.what: frames.As = "json"

    @property
    def territory_ids(self) -> list[TerritoryId]:
        """The territories that are followed."""
        return list(self._places)

    def sees_as(self, territory_id: TerritoryId) -> Hashable:
        """Viewers alike in this are told the same of a slot that is none of theirs."""
        return self._account.sees_as(territory_id)

    @property
    def schedule_ids(self) -> Iterable[ScheduleId]:
        """The schedules whose slots this viewer sees whatever their audience."""
        return self._account.schedules

    def reaches(self, territory_id: TerritoryId) -> bool:
        """Whether this viewer may follow the territory at all."""
        return territory_id in self._account.reach

    def take_up(
        self, feed: Feed, after: str | None = None, *, is_current: bool = True
    ) -> list[str]:
        """Follow a territory from *after*: exactly what came since, or a snapshot.

        Nothing yet where the feed knows nothing yet, or would begin with what was true before
        Redis went: the ledger, which the page shows, knows better. `renewed` or `recovered` brings
        the snapshot later.
        """
        self._slugs[feed.territory.id] = feed.territory.slug
        self._places[feed.territory.id] = Place()
        if feed.at is None:
            return []
        changes = feed.since(after) if after is not None else None
        texts = None if changes is None else self._texts_since(changes)
        if texts is None and not is_current:
            return []
        self._places[feed.territory.id] = Place(feed.at)
        return [snapshot(self._account, feed, self.what)] if texts is None else texts

    def changed(self, feed: Feed, change: Change) -> list[str]:
        """The frames for one change of a territory, which the feed has applied already."""
        if self.moves(change):
            return [self.text(change)]
        if self._places[change.territory.id].at == change.event.at:
            return []  # Told already, while it was taken up.
        return self.renewed(feed)

    def moves(self, change: Change) -> bool:
        """Move along *change*, which `text` then tells; False where it is not the next one."""
        event, territory_id = change.event, change.territory.id
        if self._places[territory_id].at != event.prev:
            return False
        self._places[territory_id] = Place(event.at)
        return True

    def stand_at(self, territory_id: TerritoryId, place: Place) -> None:
        """Share *place*, which is where this viewer stands, with others; whoever moves it, moves us."""
        assert self._places[territory_id].at == place.at
        self._places[territory_id] = place

    def stand_alone(self, place: Place) -> None:
        """Stay where *place* is now, and share it no more."""
        for territory_id, mine in self._places.items():
            if mine is place:
                self._places[territory_id] = Place(place.at)

    def text(self, change: Change, what: frames.As | None = None) -> str:
        """What this viewer is told of a change, in its own form or *what*: event, gone or skip."""
        if self._sees(change, change.after):
            return change.text(what or self.what)
        return change.gone() if self._sees(change, change.before) else change.skip()

    def renewed(self, feed: Feed) -> list[str]:
        """The frames for a feed that had to start anew."""
        told = self._places[feed.territory.id].at is not None
        self._places[feed.territory.id] = Place(feed.at)
        fresh = snapshot(self._account, feed, self.what)
        return [*self._resync(feed.territory.slug, needed=told), fresh]

    def recovered(self, feed: Feed) -> list[str]:
        """The snapshot of a feed that is right again, for who waits for it."""
        return self.renewed(feed) if self._places[feed.territory.id].at is None else []

    def heartbeat(self, now: datetime, age_s: float, *, ledger: bool) -> str:
        """The frame that says where the viewer stands, and how old that is."""
        at = {
            self._slugs[number]: place.at
            for number, place in self._places.items()
            if place.at is not None
        }
        return frames.write(frames.Heartbeat(rfc3339(now), {**at}, round(age_s, 1), ledger))

    def farewell(self, code: frames.CloseCode) -> list[str]:
        """The last frames. Who was slow has lost some: all that it shows is void."""
        slow = code is frames.CloseCode.SLOW
        resyncs = [
            text for slug in self._slugs.values() for text in self._resync(slug, needed=slow)
        ]
        return [*resyncs, frames.bye(code)]

    def _resync(self, slug: str, *, needed: bool) -> list[str]:
        return [frames.write(frames.Resync(slug))] if needed else []

    def _texts_since(self, changes: list[Change]) -> list[str] | None:
        """None where it cannot be told whether the viewer had seen a slot that is not there now."""
        if all(change.before_known or self._sees(change, change.after) for change in changes):
            return [self.text(change) for change in changes]
        return None

    def _sees(self, change: Change, slot: LiveSlot | None) -> bool:
        return slot is not None and sees(self._account, change.territory.id, slot)


def sees(account: Account, territory_id: TerritoryId, slot: LiveSlot) -> bool:
    """Whether a live slot is on the account's screens."""
    return account.may_see(territory_id, slot.schedule_id, slot.audience)


def visible(account: Account, feed: Feed) -> list[LiveSlot]:
    """The live slots of a territory that the account may see, the next to start first."""
    return [slot for slot in feed.in_order() if sees(account, feed.territory.id, slot)]


def snapshot(account: Account, feed: Feed, what: frames.As) -> str:
    """The `snapshot` frame of a territory for one viewer."""
    assert feed.at is not None
    slots = visible(account, feed)
    raw = [Raw(slot.raw) for slot in slots]
    html = [slot.html for slot in slots] if what == "html" else UNSET
    return frames.write(frames.Snapshot(feed.territory.slug, feed.at, raw, html))
