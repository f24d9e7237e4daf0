from slots.log import LOG_STARTED
from tests.live.making import Log, make_document
from web.live.feed import RING_MAX


def test_applying_an_event_replaces_the_slot():
    log = Log()
    free = make_document()
    feed = log.feed(free)

    change = feed.apply(log.append("slot.confirmed", make_document(slot_id=free.id, free=0)))

    assert change is not None
    assert change.before is not None
    assert change.before.document.free == 1
    assert feed.board(0.0).slots[free.id].free == 0
    assert feed.at == log.last


def test_a_slot_that_ends_leaves_the_board():
    log = Log()
    slot = make_document()
    feed = log.feed(slot)

    change = feed.apply(log.append("slot.ended", slot, live=False))

    assert change is not None
    assert change.after is None
    assert feed.board(0.0).slots == {}


def test_an_event_that_does_not_follow_is_a_hole_and_changes_nothing():
    log = Log()
    feed = log.feed()
    stood_at = feed.at
    log.append("slot.offered", make_document())  # lost on the way

    assert feed.apply(log.append("slot.offered", make_document())) is None
    assert not feed.ready
    assert feed.at == stood_at
    assert feed.board(0.0).slots == {}


def test_a_log_that_starts_anew_is_a_hole_whatever_it_names_before_it():
    log = Log()
    feed = log.feed()

    assert feed.apply(log.append(LOG_STARTED, None)) is None
    assert not feed.ready


def test_a_board_does_not_change_under_its_readers_hands():
    log = Log()
    feed = log.feed()
    board = feed.board(0.0)

    feed.apply(log.append("slot.offered", make_document()))

    assert board.slots == {}
    assert len(feed.board(0.0).slots) == 1


def test_who_stands_where_the_feed_stands_has_missed_nothing():
    log = Log()
    feed = log.feed()

    assert feed.since(log.last) == []


def test_who_comes_back_gets_exactly_what_followed():
    log = Log()
    feed = log.feed()
    events = [log.append("slot.offered", make_document()) for _ in range(3)]
    for event in events:
        feed.apply(event)

    changes = feed.since(events[0].at)

    assert changes is not None
    assert [change.event for change in changes] == events[1:]


def test_a_position_that_is_not_kept_is_not_guessed_at():
    log = Log()
    feed = log.feed()
    feed.apply(log.append("slot.offered", make_document()))

    assert feed.since("1.999-0") is None
    assert feed.since("2.1-0") is None
    assert feed.since("") is None


def test_only_the_latest_changes_are_kept():
    log = Log()
    feed = log.feed()
    first = log.last
    for _ in range(RING_MAX + 1):
        feed.apply(log.append("slot.offered", make_document()))

    assert feed.since(first) is None
    assert len(feed.since(log.events[-RING_MAX - 1].at) or []) == RING_MAX


def test_a_process_that_starts_knows_what_the_log_still_has():
    log = Log()
    slot = make_document()
    offered = log.append("slot.offered", slot)
    held = log.append("slot.held", slot)
    after_snapshot = log.feed(slot, history=log.events)

    changes = after_snapshot.since(offered.at)

    assert changes is not None
    assert [change.event for change in changes] == [held]
    assert changes[0].before_known
    assert after_snapshot.since(log.events[0].at) is not None


def test_what_the_log_has_beyond_the_snapshot_is_left_for_the_reader():
    log = Log()
    log.append("slot.offered", make_document())
    feed = log.feed()
    stands_at = log.last
    log.append("slot.offered", make_document())
    feed.load(stands_at, [], log.events)

    assert feed.since(stands_at) == []
    assert feed.at == stands_at


def test_a_history_with_a_hole_is_kept_only_from_the_hole_on():
    log = Log()
    lost = log.append("slot.offered", make_document())
    log.append("slot.offered", make_document(), prev="1.0-9")
    kept = log.append("slot.offered", make_document())
    feed = log.feed(history=log.events)

    assert feed.since(lost.at) is None
    assert [change.event for change in feed.since(kept.prev) or []] == [kept]


def test_a_slot_is_rendered_and_a_frame_written_once_for_all():
    log = Log()
    feed = log.feed()
    change = feed.apply(log.append("slot.offered", make_document()))

    assert change is not None
    assert change.text("html") is change.text("html")
    assert change.text("json") is not change.text("html")
    assert change.skip() is change.skip()
    assert change.gone() is change.gone()


def test_slots_come_by_their_start():
    log = Log()
    first = make_document()
    late = make_document(starts_at=first.starts_at.replace(hour=20))
    feed = log.feed(late, first)

    assert [slot.document.id for slot in feed.in_order()] == [first.id, late.id]
