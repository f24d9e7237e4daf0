"""Instants are UTC; France's wall clock exists only at the edge."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.slot import HORIZON_DEFAULT
from slots.times import (
    PARIS,
    LocalTimeTwice,
    LocalTimeUnknown,
    from_ms,
    from_paris,
    paris_day,
    rfc3339,
    to_ms,
)

WINTER_BEGINS = date(2026, 10, 25)  # at 3 h it is 2 h again
SUMMER_BEGINS = date(2027, 3, 28)  # at 2 h it is 3 h


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        (date(2026, 10, 24), time(10, 0), utc(2026, 10, 24, 8)),
        (date(2026, 10, 26), time(10, 0), utc(2026, 10, 26, 9)),
        (date(2027, 3, 27), time(10, 0), utc(2027, 3, 27, 9)),
        (date(2027, 3, 29), time(10, 0), utc(2027, 3, 29, 8)),
        (WINTER_BEGINS, time(1, 59, 59), utc(2026, 10, 24, 23, 59, 59)),
        (WINTER_BEGINS, time(3, 0), utc(2026, 10, 25, 2)),
        (SUMMER_BEGINS, time(1, 59, 59), utc(2027, 3, 28, 0, 59, 59)),
        (SUMMER_BEGINS, time(3, 0), utc(2027, 3, 28, 1)),
    ],
)
def test_a_wall_clock_time_is_one_instant(day, at, instant):
    assert from_paris(day, at) == instant
    assert from_paris(day, at).tzinfo is UTC


@pytest.mark.parametrize("fold", [None, 0, 1])
@pytest.mark.parametrize("at", [time(2, 0), time(2, 30), time(2, 59, 59, 999_999)])
def test_a_time_that_the_clocks_jump_over_is_refused(at, fold):
    with pytest.raises(LocalTimeUnknown):
        from_paris(SUMMER_BEGINS, at, fold=fold)


@pytest.mark.parametrize("at", [time(2, 0), time(2, 30), time(2, 59, 59, 999_999)])
def test_a_time_that_exists_twice_must_say_which_is_meant(at):
    with pytest.raises(LocalTimeTwice):
        from_paris(WINTER_BEGINS, at)

    summer = from_paris(WINTER_BEGINS, at, fold=0)
    winter = from_paris(WINTER_BEGINS, at, fold=1)

    assert winter - summer == timedelta(hours=1)
    assert winter.astimezone(PARIS).time() == summer.astimezone(PARIS).time() == at


def test_a_fold_hidden_in_the_time_itself_decides_nothing():
    with pytest.raises(LocalTimeTwice):
        from_paris(WINTER_BEGINS, time(2, 30, fold=1))


@pytest.mark.parametrize("fold", [0, 1])
def test_which_one_is_meant_does_not_matter_where_there_is_one(fold):
    assert from_paris(date(2026, 11, 26), time(17, 30), fold=fold) == utc(2026, 11, 26, 16, 30)


@pytest.mark.parametrize(
    ("leaves", "arrives"),
    [
        (utc(2026, 10, 24, 8), "2026-10-26 09:00"),  # 10 h in Paris, and 9 h two days later
        (utc(2027, 3, 27, 9), "2027-03-29 11:00"),
        (utc(2026, 11, 26, 9), "2026-11-28 10:00"),
    ],
)
def test_48_hours_are_48_hours_whatever_the_wall_clock_does(leaves, arrives):
    after = leaves + HORIZON_DEFAULT

    assert (after - leaves).total_seconds() == 48 * 3600
    assert f"{after.astimezone(PARIS):%Y-%m-%d %H:%M}" == arrives


@pytest.mark.parametrize(
    ("instant", "begins", "ends", "hours"),
    [
        (utc(2026, 11, 26, 12), utc(2026, 11, 25, 23), utc(2026, 11, 26, 23), 24),
        (utc(2026, 10, 25, 12), utc(2026, 10, 24, 22), utc(2026, 10, 25, 23), 25),
        (utc(2027, 3, 28, 12), utc(2027, 3, 27, 23), utc(2027, 3, 28, 22), 23),
        (utc(2026, 11, 25, 23), utc(2026, 11, 25, 23), utc(2026, 11, 26, 23), 24),
    ],
)
def test_a_french_day_has_23_24_or_25_hours(instant, begins, ends, hours):
    assert paris_day(instant) == (begins, ends)
    assert ends - begins == timedelta(hours=hours)


INSTANTS = st.integers(0, 25 * 365 * 86_400_000).map(
    lambda milliseconds: utc(2020, 1, 1) + timedelta(milliseconds=milliseconds)
)


@given(INSTANTS)
def test_milliseconds_and_instants_are_the_same(instant: datetime):
    assert from_ms(to_ms(instant)) == instant


@given(INSTANTS)
def test_every_local_time_that_an_instant_has_leads_back_to_it(instant: datetime):
    local = instant.astimezone(PARIS)

    assert from_paris(local.date(), local.time(), fold=local.fold) == instant


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (utc(2026, 11, 26, 16, 30), "2026-11-26T16:30:00Z"),
        (datetime(2026, 11, 26, 17, 30, tzinfo=PARIS), "2026-11-26T16:30:00Z"),
        (datetime(2026, 11, 26, 16, 30, 0, 7_000, UTC), "2026-11-26T16:30:00.007Z"),
    ],
)
def test_the_api_writes_utc_with_z(instant, text):
    assert rfc3339(instant) == text
