"""What somebody publishes as a rule: the moments of one tap, and how a form begins. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from slots.booking.offers import OFFERS_PER_REQUEST_MAX
from slots.ids import ScheduleId
from slots.store.past_offer import PastOffer
from slots.times import PARIS, LocalTimeUnknown, from_paris

LOOKS_BACK: Final = timedelta(weeks=6)
LOOKS_AHEAD_DAYS: Final = 2  # today, tomorrow and the day after: within 48 hours
ROUNDED_TO_MIN: Final = 15  # 17:55 and 18:05 are one habit
SAME_WEEKDAY_COUNTS: Final = 2
IS_A_HABIT: Final = 4  # two Thursdays, or a Thursday and two other days

WEEK: Final = timedelta(days=7)
WEEKDAYS: Final = ("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche")
NOON: Final = time(12)
EVENING: Final = time(17)


@dataclass(frozen=True, slots=True)
class Preset:
    """A moment that one tap publishes."""

    title: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Usual:
    """How most of somebody's slots are."""

    duration_min: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A time at which something is published already, and for whose schedule."""

    schedule_id: ScheduleId
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Again:
    """A slot of last week, a week later by the clock on the wall."""

    offer: PastOffer
    starts_at: datetime
    ends_at: datetime


def usual(past: Iterable[PastOffer]) -> Usual | None:
    """What they publish most often; None where they have published nothing."""
    counted = Counter((offer.span // timedelta(minutes=1), offer.capacity) for offer in past)
    return Usual(*counted.most_common(1)[0][0]) if counted else None


def usual_place(past: Iterable[PastOffer], now: datetime) -> ScheduleId | None:
    """Where they are on this weekday, by what they published on it."""
    weekday = now.astimezone(PARIS).weekday()
    counted = Counter(
        offer.schedule_id
        for offer in past
        if offer.starts_at.astimezone(PARIS).weekday() == weekday
    )
    return counted.most_common(1)[0][0] if counted else None


def likely_moments(past: Iterable[PastOffer], now: datetime) -> list[datetime]:
    """When they would publish within 48 hours, by their past weeks; the surest first."""
    began: dict[time, dict[date, time]] = {}
    for offer in past:
        local = offer.starts_at.astimezone(PARIS)
        began.setdefault(_about(local.time()), {})[local.date()] = local.time()
    today = now.astimezone(PARIS).date()
    found: list[tuple[int, datetime]] = []
    for days in began.values():
        at = Counter(days.values()).most_common(1)[0][0]
        for ahead in range(LOOKS_AHEAD_DAYS + 1):
            day = today + timedelta(days=ahead)
            same = sum(other.weekday() == day.weekday() for other in days)
            sure = len(days) + same * (SAME_WEEKDAY_COUNTS - 1)
            start = _instant(day, at)
            if same and sure >= IS_A_HABIT and start is not None and start > now:
                found.append((sure, start))
    return [start for _, start in sorted(found, key=lambda one: (-one[0], one[1]))]


def part_of_day(start: datetime, now: datetime) -> str:
    """`Ce soir`, `Demain matin`, `Jeudi après-midi`."""
    local, today = start.astimezone(PARIS), now.astimezone(PARIS).date()
    part = "matin" if local.time() < NOON else "après-midi" if local.time() < EVENING else "soir"
    match (local.date() - today).days:
        case 0:
            return "Cet après-midi" if part == "après-midi" else f"Ce {part}"
        case 1:
            return f"Demain {part}"
        case _:
            return f"{WEEKDAYS[local.weekday()]} {part}"


def a_week_later(offer: PastOffer, now: datetime) -> Again | None:
    """The same slot a week later; None where that is past, or an hour that does not exist."""
    local = offer.starts_at.astimezone(PARIS)
    start = _instant(local.date() + WEEK, local.time())
    if start is None or start <= now:
        return None
    return Again(offer, start, start + offer.span)


def as_last_week(
    past: Iterable[PastOffer],
    taken: Iterable[Taken],
    people: Mapping[ScheduleId, UUID | None],
    now: datetime,
) -> list[Again]:
    """What was published in the last seven days and can be again, the soonest first.

    As many as one request may offer. *people*: whose time a schedule is. A person is in one place;
    a service (None) has rooms, and what it published at the same moment is not there again.
    """
    occupied = list(taken)
    found: list[Again] = []
    for offer in sorted(past, key=lambda offer: (offer.starts_at, offer.id)):
        again = a_week_later(offer, now) if offer.starts_at > now - WEEK else None
        if again and not _is_taken(again, occupied, people):
            found.append(again)
            if people.get(offer.schedule_id):
                occupied.append(Taken(offer.schedule_id, again.starts_at, again.ends_at))
    return found[:OFFERS_PER_REQUEST_MAX]


def _is_taken(
    again: Again, occupied: Iterable[Taken], people: Mapping[ScheduleId, UUID | None]
) -> bool:
    schedule_id = again.offer.schedule_id
    person = people.get(schedule_id)
    if person is None:
        return any(
            (one.schedule_id, one.starts_at) == (schedule_id, again.starts_at) for one in occupied
        )
    own = [
        (one.starts_at, one.ends_at) for one in occupied if people.get(one.schedule_id) == person
    ]
    return overlaps(again.starts_at, again.ends_at, own)


def by_day(again: Iterable[Again]) -> list[tuple[date, list[Again]]]:
    """The same by French day, in order."""
    days: dict[date, list[Again]] = {}
    for one in again:
        days.setdefault(one.starts_at.astimezone(PARIS).date(), []).append(one)
    return list(days.items())


def overlaps(start: datetime, end: datetime, taken: Iterable[tuple[datetime, datetime]]) -> bool:
    """Whether anything of *taken* is at that time."""
    return any(from_at < end and start < to_at for from_at, to_at in taken)


def _about(at: time) -> time:
    minutes = at.hour * 60 + at.minute + ROUNDED_TO_MIN // 2
    minutes -= minutes % ROUNDED_TO_MIN
    return time(minutes // 60 % 24, minutes % 60)


def _instant(day: date, at: time) -> datetime | None:
    """Of an hour that exists twice, the first; None where it does not exist that night."""
    try:
        return from_paris(day, at, fold=0)
    except LocalTimeUnknown:
        return None
