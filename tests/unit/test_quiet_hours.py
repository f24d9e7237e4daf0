"""Quiet hours, on the wall in France."""

from datetime import UTC, datetime, time

import pytest

from slots.quiet_hours import QuietHours

NIGHT = QuietHours.between(time(22), time(7))
NOON = QuietHours.between(time(12, 30), time(14))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "hours,now,ends_at",
    [
        # Winter: the wall is an hour ahead of UTC.
        (NIGHT, "2026-11-24T20:59", None),
        (NIGHT, "2026-11-24T21:00", "2026-11-25T06:00"),
        (NIGHT, "2026-11-25T02:00", "2026-11-25T06:00"),
        (NIGHT, "2026-11-25T05:59", "2026-11-25T06:00"),
        (NIGHT, "2026-11-25T06:00", None),
        (NOON, "2026-11-25T11:29", None),
        (NOON, "2026-11-25T11:30", "2026-11-25T13:00"),
        (NOON, "2026-11-25T13:00", None),
        # Summer: two hours.
        (NIGHT, "2026-07-24T20:00", "2026-07-25T05:00"),
        # The nights when the clocks change last an hour more, and an hour less.
        (NIGHT, "2026-10-24T20:00", "2026-10-25T06:00"),
        (NIGHT, "2027-03-27T21:00", "2027-03-28T05:00"),
    ],
)
def test_they_end_at_their_hour_on_the_wall(hours, now, ends_at):
    assert hours.end_after(utc(now)) == (utc(ends_at) if ends_at else None)


def test_an_hour_that_exists_twice_ends_them_the_second_time():
    hours = QuietHours.between(time(23), time(2, 30))

    # 2 h 30 is at 0 h 30 UTC in summer time, and again at 1 h 30 in winter time.
    assert hours.end_after(utc("2026-10-24T22:00")) == utc("2026-10-25T01:30")
    assert hours.end_after(utc("2026-10-25T00:45")) == utc("2026-10-25T01:30")
    assert hours.end_after(utc("2026-10-25T01:30")) is None


def test_an_hour_that_does_not_exist_ends_them_after_it():
    hours = QuietHours.between(time(23), time(2, 30))

    assert hours.end_after(utc("2027-03-28T00:30")) == utc("2027-03-28T01:30")


def test_a_whole_day_is_none():
    with pytest.raises(ValueError, match="less than a day"):
        QuietHours.between(time(22), time(22))


def test_they_are_what_was_typed():
    assert (NIGHT.begin, NIGHT.end) == (time(22), time(7))
    assert (NOON.begin, NOON.end) == (time(12, 30), time(14))
