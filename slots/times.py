"""Instants are UTC; France's wall clock exists only at the edge, and this is the edge.

"48 hours" is 48 × 3600 seconds across the change of summer time: add to UTC instants only.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

PARIS: Final = ZoneInfo("Europe/Paris")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970, as Redis counts them."""
    return round(instant.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """The instant of *milliseconds* since 1970."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def rfc3339(instant: datetime) -> str:
    """The instant as the API writes it: UTC with Z, to the second where it is whole."""
    utc = instant.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=precision).replace("+00:00", "Z")


class LocalTimeUnknown(ValueError):
    """This local time does not exist: the clocks jump over it that night."""


class LocalTimeTwice(ValueError):
    """This local time exists twice that night: say whether summer or winter time is meant."""


def from_paris(day: date, at: time, *, fold: int | None = None) -> datetime:
    """The instant of a French wall-clock time.

    *fold* says which one is meant when the hour exists twice: 0 summer time, 1 winter time.

    Raises:
        LocalTimeUnknown: The night when summer time begins has no such time.
        LocalTimeTwice: The night when it ends has two, and *fold* is None.
    """
    first = datetime.combine(day, at.replace(tzinfo=None, fold=0), PARIS)
    second = first.replace(fold=1)
    if first.astimezone(UTC).astimezone(PARIS).replace(tzinfo=None) != first.replace(tzinfo=None):
        raise LocalTimeUnknown
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if fold is None:
        raise LocalTimeTwice
    return (second if fold else first).astimezone(UTC)


def paris_day(instant: datetime) -> tuple[datetime, datetime]:
    """The half-open span, in UTC, of the French calendar day that *instant* falls in."""
    day = instant.astimezone(PARIS).date()
    midnight = datetime.combine(day, time(), PARIS)
    next_midnight = datetime.combine(day + timedelta(days=1), time(), PARIS)
    return midnight.astimezone(UTC), next_midnight.astimezone(UTC)


def paris_week(instant: datetime) -> tuple[datetime, datetime]:
    """The half-open span, in UTC, of the French week (ISO: from Monday) that *instant* falls in."""
    day = instant.astimezone(PARIS).date()
    monday = datetime.combine(day - timedelta(days=day.weekday()), time(), PARIS)
    next_monday = datetime.combine(monday.date() + timedelta(days=7), time(), PARIS)
    return monday.astimezone(UTC), next_monday.astimezone(UTC)
