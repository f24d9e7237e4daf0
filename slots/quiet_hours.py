"""Quiet hours: the hours of the day in which somebody wants to hear nothing. Pure.

They are hours on a wall in France and nothing else, as an alarm clock's are. In the nights when
the clocks change, where an hour exists twice or not at all, the wider reading counts.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Self

from slots.times import PARIS

MINUTES_OF_A_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one minute of the day to another, which may be the next day's. Never the whole day."""

    from_minute: int
    to_minute: int

    @classmethod
    def between(cls, begin: time, end: time) -> Self:
        """Quiet hours as somebody types them.

        Raises:
            ValueError: Both are the same.
        """
        if begin == end:
            raise ValueError("quiet hours last less than a day")
        return cls(_minute(begin), _minute(end))

    @property
    def begin(self) -> time:
        """When they begin, on the wall."""
        return time(*divmod(self.from_minute, 60))

    @property
    def end(self) -> time:
        """When they end, on the wall."""
        return time(*divmod(self.to_minute, 60))

    def end_after(self, now: datetime) -> datetime | None:
        """When the quiet hours end in which *now* falls, in UTC; None where it falls in none."""
        today = now.astimezone(PARIS).date()
        ends = [
            ends_at
            for day in (today - timedelta(days=1), today)
            for starts_at, ends_at in [self._span(day)]
            if starts_at <= now < ends_at
        ]
        return max(ends, default=None)

    def _span(self, day: date) -> tuple[datetime, datetime]:
        last = day if self.from_minute < self.to_minute else day + timedelta(days=1)
        return min(_readings(day, self.begin)), max(_readings(last, self.end))


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _readings(day: date, at: time) -> list[datetime]:
    """The instants that may be meant: two in the nights when the clocks change, else the same."""
    local = datetime.combine(day, at, PARIS)
    return [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
