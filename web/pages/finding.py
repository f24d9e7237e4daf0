"""What somebody looks for on a board, and which slots answer it. Pure.

`web/static/slot-list.js` asks the same of the rows that arrive live.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Final

from slots import search as domain
from slots.document import SlotDocument
from slots.search import Found, Place
from slots.slot import SlotStatus
from slots.store.directory import Commune
from slots.times import PARIS
from web.pages.french import folded, near_day

RADIUS_KM_CHOICES: Final = (5, 10, 15, 20, 30, 50)
DELAY_H_CHOICES: Final = (4, 8, 12, 24, 48, 72)
SHOWN: Final = frozenset({SlotStatus.FREE, SlotStatus.HELD})
# “Disponible sous”: the columns of the regulation's board, in hours.
COLUMNS_H: Final = ((0, 4), (4, 8), (8, 12), (12, 24), (24, 48), (48, 72))
DICE: Final = SystemRandom()


@dataclass(frozen=True, slots=True)
class Search:
    """The filters of a board; None does not filter. *within_h*: starts within so many hours."""

    territory: str | None = None
    profession: str | None = None
    specialty: str | None = None
    act: str | None = None
    modality: str | None = None
    commune: Commune | None = None
    radius_km: int | None = None
    within_h: int | None = None
    nearest: bool = False

    @property
    def who(self) -> str:
        """Profession and specialty as one choice: `10:SM54`."""
        return ":".join(part for part in (self.profession, self.specialty) if part)

    def for_browser(self) -> dict[str, Any]:
        """The same filters, for the rows that arrive live."""
        commune = self.commune and {
            "insee": self.commune.insee,
            "lat": self.commune.lat,
            "lon": self.commune.lon,
        }
        filters = {
            "territory": self.territory,
            "profession": self.profession,
            "specialty": self.specialty,
            "act": self.act,
            "modality": self.modality,
            "commune": commune,
            "radius_km": self.radius_km,
            "within_h": self.within_h,
            "nearest": self.nearest,
        }
        return {name: value for name, value in filters.items() if value}

    @property
    def place(self) -> Place | None:
        """The centre of the patient's commune."""
        if self.commune is None:
            return None
        return Place(self.commune.lat, self.commune.lon, self.commune.insee)

    def asked_at(self, now: datetime) -> domain.Search:
        """The same question as the API asks it."""
        return domain.Search(
            territory=frozenset({self.territory} if self.territory else ()),
            profession=self.profession,
            specialty=self.specialty,
            act=self.act,
            modality=self.modality,
            radius_km=self.radius_km,
            starts_before=now + timedelta(hours=self.within_h) if self.within_h else None,
            nearest_first=self.nearest,
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading: a French day, or a delay in hours."""

    title: str
    rows: list[Found]
    day: str = ""
    from_h: int = 0
    to_h: int = 0

    @property
    def free(self) -> int:
        """How many rows can be booked now."""
        return sum(row.slot.status == SlotStatus.FREE for row in self.rows)


def find(search: Search, slots: Iterable[SlotDocument], now: datetime) -> list[Found]:
    """What a board shows: free and held, earliest or nearest first, at random among equals."""
    shown = (slot for slot in slots if slot.status in SHOWN)
    return domain.search(shown, search.asked_at(now), search.place, DICE)


def by_day(rows: Iterable[Found], now: datetime, horizon: timedelta) -> list[Group]:
    """One group for each French day that the horizon touches, also without rows."""
    today = now.astimezone(PARIS).date()
    last = (now + horizon).astimezone(PARIS).date()
    days = [today + timedelta(days=ahead) for ahead in range((last - today).days + 1)]
    groups = {date: Group(near_day(date, now), [], day=date.isoformat()) for date in days}
    for row in rows:
        # What began yesterday and still runs is there now.
        date = max(today, row.slot.starts_at.astimezone(PARIS).date())
        if date in groups:
            groups[date].rows.append(row)
    return list(groups.values())


def by_delay(rows: Iterable[Found], now: datetime, horizon: timedelta) -> list[Group]:
    """The columns of the regulation's board."""
    groups = [
        Group(f"{from_h}–{to_h}\u00a0h", [], from_h=from_h, to_h=to_h)
        for from_h, to_h in COLUMNS_H
        if timedelta(hours=from_h) < horizon
    ]
    for row in rows:
        ahead_h = max(0.0, (row.slot.starts_at - now) / timedelta(hours=1))
        for group in groups:
            if group.from_h <= ahead_h < group.to_h:
                group.rows.append(row)
    return groups


def commune_of(typed: str, communes: Mapping[str, Commune]) -> Commune | None:
    """The commune that somebody typed: by INSEE code, name, postcode, or as the list writes it."""
    if typed.strip() in communes:
        return communes[typed.strip()]
    wanted = folded(typed.strip())
    named = [
        commune
        for commune in communes.values()
        if wanted in (folded(commune_typed(commune)), folded(commune.name), *commune.postcodes)
    ]
    return named[0] if len(named) == 1 else None


def commune_typed(commune: Commune) -> str:
    """How the list of suggestions writes it."""
    return f"{commune.name} ({commune.postcodes[0]})"
