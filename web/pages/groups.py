"""How a board lays out what it found: by day or by delay, each offer of a person once. Pure.

The first rows come with the page, the rest as one scrolls. `web/static/slot-list.js` lays out in
the same way what arrives live.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from slots.document import SlotDocument
from slots.search import Found
from slots.slot import SlotStatus
from slots.times import PARIS
from web.pages.french import iso, near_day

# “Disponible sous”: the columns of the regulation's board, in hours.
COLUMNS_H: Final = ((0, 4), (4, 8), (8, 12), (12, 24), (24, 48), (48, 72))
FIRST_ROWS: Final = 100  # that come with the page, and then each time


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading: a French day, or a delay in hours. *rest*: rows not shown yet."""

    title: str
    rows: tuple[Found, ...] = ()
    day: str = ""
    from_h: int = 0
    to_h: int = 0
    rest: int = 0
    free: int = 0  # how many rows can be booked now, with the rest

    @property
    def offers(self) -> list[list[Found]]:
        """The rows, those of one offer together, in the order of the first of each."""
        offers: dict[str, list[Found]] = {}
        for row in self.rows:
            offers.setdefault(kin(row.slot), []).append(row)
        return [sorted(rows, key=lambda row: row.slot.starts_at) for rows in offers.values()]


def kin(slot: SlotDocument) -> str:
    """The same for the same care by the same person at the same place, whenever it is."""
    is_plage = slot.capacity > 1
    about = (slot.modality, slot.acts, slot.note, slot.area, slot.audience, is_plage)
    return f"{slot.schedule.id}-{zlib.crc32(repr(about).encode()):08x}"


def by_day(rows: Sequence[Found], now: datetime, horizon: timedelta) -> list[Group]:
    """One group for each French day that the horizon touches, also without rows.

    An offer stands under the day of its first place, with its next times.
    """
    today = now.astimezone(PARIS).date()
    last = (now + horizon).astimezone(PARIS).date()
    days = [today + timedelta(days=ahead) for ahead in range((last - today).days + 1)]
    first: dict[str, datetime] = {}
    for row in rows:
        name = kin(row.slot)
        first[name] = min(first.get(name, row.slot.starts_at), row.slot.starts_at)
    groups: dict[date, list[Found]] = {day: [] for day in days}
    for row in rows:
        # What began yesterday and still runs is there now.
        day = max(today, first[kin(row.slot)].astimezone(PARIS).date())
        if day in groups:
            groups[day].append(row)
    return [
        Group(near_day(day, now), tuple(found), day=day.isoformat(), free=free_of(found))
        for day, found in groups.items()
    ]


def by_delay(
    rows: Iterable[Found], now: datetime, horizon: timedelta, *, limit: int | None = FIRST_ROWS
) -> list[Group]:
    """The columns of the regulation's board, each with its share of the first rows."""
    columns: dict[tuple[int, int], list[Found]] = {
        (from_h, to_h): [] for from_h, to_h in COLUMNS_H if timedelta(hours=from_h) < horizon
    }
    for row in rows:
        ahead_h = max(0.0, (row.slot.starts_at - now) / timedelta(hours=1))
        # One that has just crossed the horizon may still be a moment beyond the last column.
        column = max(hours for hours in columns if hours[0] <= ahead_h)
        columns[column].append(row)
    sizes = [len(found) for found in columns.values()]
    shares = sizes if limit is None else shared(limit, sizes)
    return [
        Group(
            f"{from_h}–{to_h}\u00a0h",
            tuple(found[:share]),
            from_h=from_h,
            to_h=to_h,
            rest=len(found) - share,
            free=free_of(found),
        )
        for ((from_h, to_h), found), share in zip(columns.items(), shares, strict=True)
    ]


def shared(limit: int, sizes: Sequence[int]) -> list[int]:
    """How many of each may come, *limit* in all, as evenly as their sizes allow."""
    shares = [0] * len(sizes)
    while (left := limit - sum(shares)) > 0 and shares != list(sizes):
        hungry = [number for number, size in enumerate(sizes) if shares[number] < size]
        for number in hungry[:left]:
            shares[number] = min(sizes[number], shares[number] + max(1, left // len(hungry)))
    return shares


def free_of(rows: Iterable[Found]) -> int:
    """How many of these can be booked now."""
    return sum(row.slot.status == SlotStatus.FREE for row in rows)


def mark(row: Found) -> str:
    """Where a row stands in the order of its list: what comes after it has a greater one."""
    return f"{'' if row.distance_km is None else row.distance_km}|{iso(row.slot.starts_at)}"


def after(rows: Sequence[Found], at: str, *, nearest: bool) -> tuple[list[Found], int]:
    """The next rows from the mark *at* on, and how many remain behind them.

    The mark's equals are all among them, beside FIRST_ROWS others: the reader knows which it has,
    and however many they are, each answer leads beyond the mark.
    """
    far, _, starts_at = at.partition("|")
    try:
        begin = (float(far or "inf") if nearest else 0.0, datetime.fromisoformat(starts_at))
    except ValueError:
        return list(rows[:FIRST_ROWS]), max(0, len(rows) - FIRST_ROWS)

    def place(row: Found) -> tuple[float, datetime]:
        distance = float("inf") if row.distance_km is None else row.distance_km
        return (distance if nearest else 0.0, row.slot.starts_at)

    left = [row for row in rows if place(row) >= begin]
    shown = sum(place(row) == begin for row in left) + FIRST_ROWS
    return left[:shown], max(0, len(left) - shown)
