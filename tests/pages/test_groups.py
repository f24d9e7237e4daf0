"""How a board is laid out: groups, offers of a person, and the rows that come by scrolling."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from slots.document import SlotDocument
from tests.live.making import make_slot
from web.pages.finding import Search, find
from web.pages.groups import FIRST_ROWS, after, by_day, by_delay, kin, mark, shared

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # 21 h in France
HORIZON = timedelta(hours=48)


ANN, BOB = uuid4(), uuid4()


def slot_in(hours: float, schedule_id=ANN, **fields) -> SlotDocument:
    starts_at = NOW + timedelta(hours=hours)
    return make_slot(starts_at=starts_at, schedule_id=schedule_id, **fields).document()


def test_rows_are_grouped_by_the_french_day():
    slots = [slot_in(hours, uuid4()) for hours in (1, 4, 30)]
    rows = find(Search(), slots, NOW)

    groups = by_day(rows, NOW, HORIZON)

    assert [group.title for group in groups] == ["aujourd’hui", "demain", "après-demain"]
    assert [len(group.rows) for group in groups] == [1, 1, 1]


def test_a_plage_that_began_yesterday_is_there_today():
    early = NOW + timedelta(hours=3, minutes=30)  # half past midnight
    rows = find(Search(), [slot_in(2)], early)

    groups = by_day(rows, early, HORIZON)

    assert [len(group.rows) for group in groups] == [1, 0, 0]


def test_the_board_has_a_column_for_each_delay():
    rows = find(Search(), [slot_in(hours) for hours in (0.5, 4, 11, 47)], NOW)

    groups = by_delay(rows, NOW, HORIZON)

    assert [group.from_h for group in groups] == [0, 4, 8, 12, 24]
    assert [group.free for group in groups] == [1, 1, 1, 0, 1]


def test_a_person_stands_once_with_their_next_times_under_the_day_of_the_first():
    late, soon, next_day = slot_in(2), slot_in(1), slot_in(20)
    other = slot_in(1.5, BOB)
    rows = find(Search(), [late, next_day, other, soon], NOW)

    today, tomorrow, _ = by_day(rows, NOW, HORIZON)

    shown = [[row.slot.starts_at for row in offer] for offer in today.offers]
    assert shown == [[soon.starts_at, late.starts_at, next_day.starts_at], [other.starts_at]]
    assert not tomorrow.rows


def test_other_care_of_the_same_person_stands_by_itself():
    slot = slot_in(1)

    assert kin(slot) == kin(slot_in(5))
    for other in (
        {"acts": ["suture"]},
        {"modality": "HH"},
        {"note": "Sonner deux fois"},
        {"audience": ["SNP"]},
        {"capacity": 4},
    ):
        assert kin(msgspec.structs.replace(slot, **other)) != kin(slot)
    assert kin(slot_in(1, BOB)) != kin(slot)


@pytest.mark.parametrize(
    ("limit", "sizes", "shares"),
    [
        (100, [3, 0, 5], [3, 0, 5]),
        (10, [3, 100, 100], [3, 4, 3]),
        (10, [100], [10]),
        (2, [5, 5, 5], [1, 1, 0]),
        (0, [5], [0]),
        (5, [], []),
    ],
)
def test_the_first_rows_are_shared_among_the_columns(limit, sizes, shares):
    assert shared(limit, sizes) == shares


def test_a_column_says_what_it_has_beyond_the_first_rows():
    rows = find(Search(), [slot_in(1 + minute / 60) for minute in range(30)], NOW)

    first, *others = by_delay(rows, NOW, HORIZON, limit=12)

    assert (len(first.rows), first.rest, first.free) == (12, 18, 30)
    assert not any(group.rest for group in others)


def test_scrolling_goes_on_where_the_page_ended_and_leaves_nothing_out():
    rows = find(Search(), [slot_in(hour // 3) for hour in range(60)], NOW)  # three at each hour

    page, shown = rows[:10], []
    while page:
        shown += page
        left, _ = after(rows, mark(page[-1]), nearest=False)
        page = [row for row in left if row not in shown]

    assert [row.slot.id for row in shown] == [row.slot.id for row in rows]


def test_a_mark_that_makes_no_sense_begins_anew():
    rows = find(Search(), [slot_in(1)], NOW)

    assert after(rows, "nonsense", nearest=False) == (rows, 0)
    assert after(rows, "far|2026-11-22T20:00:00Z", nearest=True) == (rows, 0)


def test_more_equals_than_a_page_do_not_stop_who_scrolls():
    rows = find(Search(), [slot_in(1, uuid4()) for _ in range(3 * FIRST_ROWS)], NOW)

    left, rest = after(rows, mark(rows[0]), nearest=False)

    assert (len(left), rest) == (3 * FIRST_ROWS, 0)


def test_what_has_just_crossed_the_horizon_stands_in_the_last_column():
    rows = find(Search(), [slot_in(48.01)], NOW)

    assert [len(group.rows) for group in by_delay(rows, NOW, HORIZON)] == [0, 0, 0, 0, 1]
