from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slots.audience import Audience, Role
from tests.live.making import THAU, Log, make_account, make_document, parsed, words
from web.catalogue import ActLabels
from web.live.feed import Feed
from web.live.frames import CloseCode
from web.live.session import Session

REFERRER = make_account(Role.REFERRER)
REGULATOR = make_account(Role.REGULATOR)
COORDINATOR = make_account(Role.COORDINATOR)
NEIGHBOUR = make_account(neighbours=[Log().territory])


def follow(account, feed, after=None):
    session = Session(account)
    return session, parsed(session.take_up(feed, after))


def test_a_viewer_begins_with_a_snapshot_of_what_it_may_see():
    log = Log()
    seen, hidden = make_document(), make_document(audience=["CPTS"])
    feed = log.feed(seen, hidden)

    _, [snapshot] = follow(REGULATOR, feed)

    assert snapshot["t"] == "snapshot"
    assert snapshot["at"] == log.last
    assert snapshot["territory"] == log.territory.slug
    assert [slot["id"] for slot in snapshot["slots"]] == [str(seen.id)]
    assert "html" not in snapshot


def test_html_comes_beside_the_slots_for_who_asks():
    log = Log()
    slot = make_document()
    feed = log.feed(slot)
    session = Session(REFERRER)
    session.what = "html"

    [snapshot] = parsed(session.take_up(feed))
    change = feed.apply(log.append("slot.held", slot))
    [event] = parsed(session.changed(feed, change))

    assert str(slot.id) in snapshot["html"][0]
    assert str(slot.id) in event["html"]
    assert event["slot"]["id"] == str(slot.id)


@pytest.mark.parametrize(
    "account, before, after, expected",
    [
        (REGULATOR, None, ["SNP"], "event"),
        (REGULATOR, None, ["CPTS"], "skip"),
        (REGULATOR, ["SNP"], ["CPTS"], "gone"),
        (REGULATOR, ["CPTS"], ["SNP"], "event"),
        (REGULATOR, ["CPTS"], ["CPTS"], "skip"),
        (REGULATOR, ["SNP"], None, "gone"),
        (REGULATOR, ["CPTS"], None, "skip"),
        (REFERRER, None, ["CPTS"], "event"),
        (REFERRER, None, ["SNP"], "skip"),
        (REFERRER, ["CPTS"], None, "gone"),
        (NEIGHBOUR, None, ["CPTS", "SNP"], "skip"),
        (NEIGHBOUR, ["PRO"], ["CPTS"], "gone"),
        (NEIGHBOUR, None, ["PUBLIC"], "event"),
        (COORDINATOR, None, ["SNP"], "event"),
        (COORDINATOR, ["CPTS"], None, "gone"),
    ],
)
def test_each_viewer_hears_of_a_change_what_it_may(account, before, after, expected):
    log = Log()
    slot_id, schedule_id = uuid4(), uuid4()
    was = make_document(slot_id=slot_id, audience=before or ["CPTS"], schedule_id=schedule_id)
    now = make_document(slot_id=slot_id, audience=after or ["CPTS"], schedule_id=schedule_id)
    feed = log.feed(*([was] if before else []))
    session, _ = follow(account, feed)

    event = log.append("slot.amended", now, live=after is not None)
    change = feed.apply(event)
    [frame] = parsed(session.changed(feed, change))

    assert frame["t"] == expected
    assert (frame["at"], frame["prev"]) == (event.at, event.prev)
    assert ("slot" in frame) == (expected == "event")
    assert ("id" in frame) == (expected == "gone")


def test_gone_says_what_became_of_the_slot():
    log = Log()
    slot = make_document()
    feed = log.feed(slot)
    session, _ = follow(REFERRER, feed)

    change = feed.apply(log.append("slot.withdrawn", slot, live=False))
    [frame] = parsed(session.changed(feed, change))

    assert frame["type"] == "slot.withdrawn"
    assert frame["id"] == str(slot.id)


def test_a_skip_tells_nothing_but_the_position():
    log = Log()
    feed = log.feed()
    session, _ = follow(REGULATOR, feed)

    change = feed.apply(log.append("slot.offered", make_document(audience=["CPTS"])))
    [frame] = parsed(session.changed(feed, change))

    assert frame.keys() == {"t", "territory", "at", "prev"}


def test_owners_and_their_delegates_see_their_own_whatever_its_audience():
    log = Log()
    schedule_id = uuid4()
    feed = log.feed(make_document(audience=["SNP"], schedule_id=schedule_id))

    _, [snapshot] = follow(make_account(Role.DELEGATE, schedules=[schedule_id]), feed)

    assert len(snapshot["slots"]) == 1


def test_who_comes_back_gets_exactly_what_followed_and_no_snapshot():
    log = Log()
    slot, hidden = make_document(), make_document(audience=["CPTS"])
    feed = log.feed(slot)
    stood_at = log.last
    feed.apply(log.append("slot.held", slot))
    feed.apply(log.append("slot.offered", hidden))
    feed.apply(log.append("slot.withdrawn", slot, live=False))

    session, frames = follow(REGULATOR, feed, after=stood_at)

    assert [frame["t"] for frame in frames] == ["event", "skip", "gone"]
    assert frames[0]["prev"] == stood_at
    assert [frame["prev"] for frame in frames[1:]] == [frame["at"] for frame in frames[:-1]]
    change = feed.apply(log.append("slot.offered", make_document()))
    assert words(session.changed(feed, change)) == ["event"]


def test_who_missed_nothing_gets_nothing():
    log = Log()
    feed = log.feed(make_document())

    _, frames = follow(REGULATOR, feed, after=log.last)

    assert frames == []


@pytest.mark.parametrize("after", ["", "1.77-0", "9.1-0", "nonsense"])
def test_an_unknown_position_gets_a_snapshot(after):
    feed = Log().feed(make_document())

    _, frames = follow(REGULATOR, feed, after=after)

    assert [frame["t"] for frame in frames] == ["snapshot"]


def test_where_nobody_knows_what_was_visible_before_a_snapshot_answers():
    log = Log()
    slot = make_document()
    log.append("slot.held", slot)
    log.append("slot.held", make_document())
    stood_at = log.last
    log.append("slot.withdrawn", make_document(), live=False)
    feed = log.feed(slot, history=log.events)

    _, frames = follow(REGULATOR, feed, after=stood_at)

    assert [frame["t"] for frame in frames] == ["snapshot"]


def test_what_was_told_while_it_was_taken_up_is_not_told_again():
    log = Log()
    feed = log.feed()
    change = feed.apply(log.append("slot.offered", make_document()))
    session, _ = follow(REGULATOR, feed)

    assert session.changed(feed, change) == []


def test_a_session_that_missed_a_change_resyncs_by_itself():
    log = Log()
    feed = log.feed()
    session, _ = follow(REGULATOR, feed)
    feed.apply(log.append("slot.offered", make_document()))
    change = feed.apply(log.append("slot.offered", make_document()))

    frames = parsed(session.changed(feed, change))

    assert [frame["t"] for frame in frames] == ["resync", "snapshot"]
    assert len(frames[1]["slots"]) == 2
    assert frames[1]["at"] == log.last


def test_a_feed_that_starts_anew_resyncs_its_viewers():
    log = Log()
    feed = log.feed(make_document())
    session, _ = follow(REGULATOR, feed)
    rebuilt = Log(generation=2)

    feed.load(rebuilt.last, [], rebuilt.events)
    frames = parsed(session.renewed(feed))

    assert [frame["t"] for frame in frames] == ["resync", "snapshot"]
    assert frames[1]["at"] == rebuilt.last


def test_a_territory_that_was_not_known_yet_begins_when_it_is():
    log = Log()
    feed = log.feed()
    unknown = Feed(log.territory, ActLabels())
    session, frames = follow(REGULATOR, unknown)

    assert frames == []
    assert words(session.renewed(feed)) == ["snapshot"]


def test_one_session_follows_several_territories_each_at_its_own_place():
    hauts, thau = Log(), Log(THAU)
    feeds = hauts.feed(), thau.feed()
    both = make_account(Role.REGULATOR, neighbours=[THAU])
    session = Session(both)
    for feed in feeds:
        session.take_up(feed)

    change = feeds[1].apply(thau.append("slot.offered", make_document(territory=THAU)))
    session.changed(feeds[1], change)
    heartbeat = parsed([session.heartbeat(datetime.now(UTC), 0.25, ledger=True)])[0]

    assert heartbeat["at"] == {
        hauts.territory.slug: hauts.last,
        thau.territory.slug: thau.last,
    }
    assert heartbeat["age_s"] == 0.2


def test_only_territories_within_reach_may_be_followed():
    session = Session(make_account(Role.REFERRER, neighbours=[THAU]))

    assert session.reaches(Log().territory.id)
    assert session.reaches(THAU.id)
    assert not Session(REGULATOR).reaches(THAU.id)


def test_a_slow_viewer_is_told_that_what_it_shows_is_void():
    session, _ = follow(REGULATOR, Log().feed())

    assert words(session.farewell(CloseCode.SLOW)) == ["resync", "bye"]
    assert words(session.farewell(CloseCode.SHUTDOWN)) == ["bye"]


AUDIENCES = st.lists(st.sampled_from(list(Audience)), min_size=1, unique=True)
STEPS = st.lists(st.tuples(st.integers(0, 3), st.none() | AUDIENCES), max_size=20)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([REFERRER, REGULATOR, COORDINATOR, NEIGHBOUR]), STEPS, st.integers(0, 20))
def test_snapshot_and_events_always_amount_to_a_fresh_snapshot(account, steps, leaves_after):
    """Invariant 8, for each viewer, also across a break in the line."""
    log = Log()
    slot_ids, schedule_id = [uuid4() for _ in range(4)], uuid4()
    feed = log.feed()
    session, [snapshot] = follow(account, feed)
    shown = {slot["id"]: slot for slot in snapshot["slots"]}
    at = snapshot["at"]

    for number, (which, audience) in enumerate(steps):
        document = make_document(
            slot_id=slot_ids[which],
            schedule_id=schedule_id,
            audience=audience or ["PRO"],
        )
        change = feed.apply(log.append("slot.amended", document, live=audience is not None))
        frames = parsed(session.changed(feed, change)) if number < leaves_after else []
        at = replay(frames, shown, at)
    session, frames = follow(account, feed, after=at)
    at = replay(frames, shown, at)

    _, [fresh] = follow(account, feed)
    assert shown == {slot["id"]: slot for slot in fresh["slots"]}
    assert at == fresh["at"]


def replay(frames, shown, at):
    for frame in frames:
        assert frame["prev"] == at
        at = frame["at"]
        if frame["t"] == "event":
            shown[frame["slot"]["id"]] = frame["slot"]
        elif frame["t"] == "gone":
            del shown[frame["id"]]
        else:
            assert frame["t"] == "skip"
    return at
