"""Where the free places are: a drawing of the communes from the project's own table. Pure.

A flat map is good enough for a hundred kilometres: degrees of longitude shrink with the cosine of
the latitude, and nothing else is done to them.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from slots.document import SlotDocument
from slots.slot import SlotStatus
from slots.store.directory import Commune
from web.pages.finding import SHOWN
from web.pages.french import count
from web.pages.search_form import SearchForm

KM_A_DEGREE: Final = 111.2
MARGIN_KM: Final = 6.0
NARROWEST_KM: Final = 30.0
UNITS_A_KM: Final = 10.0  # of the drawing
LETTER_OF_WIDTH: Final = 0.028
WIDTH_OF_LETTER: Final = 0.55  # on the average, of its height


@dataclass(frozen=True, slots=True)
class Point:
    """A commune on the map; *x*, *y* in units of the drawing."""

    insee: str
    name: str
    x: float
    y: float
    free: int = 0
    is_sought: bool = False
    is_named: bool = True  # there is room for its name

    @property
    def words(self) -> str:
        """What the point says."""
        return f"{self.name} : {count(self.free, 'place libre', 'places libres')}"


@dataclass(frozen=True, slots=True)
class Map:
    """*around*: every commune in view; *marked*: those with places, the fullest first."""

    width: float
    height: float
    around: list[Point]
    marked: list[Point]
    reach: float | None  # of the search, in units

    @property
    def letter(self) -> float:
        """The size of its letters: it is drawn as wide as there is room."""
        return round(self.width * LETTER_OF_WIDTH, 1)

    @property
    def touch(self) -> float:
        """How near a finger must come: some 15 pixels where the map is drawn smallest."""
        return round(1.4 * self.letter, 1)

    def radius(self, point: Point) -> float:
        """The area grows with the number of free places."""
        return round(self.letter * (0.6 + 0.22 * math.sqrt(point.free)), 1)


def drawn(
    slots: Iterable[SlotDocument],
    communes: Mapping[str, Commune],
    form: SearchForm,
    now: datetime,
) -> Map | None:
    """The map of what is on the board now; None where nothing has a place."""
    shown = [slot for slot in slots if slot.status in SHOWN and slot.ends_at > now]
    free = Counter(slot.schedule.location.insee for slot in shown if slot.status == SlotStatus.FREE)
    sought = form.search.commune
    on_it = {slot.schedule.location.insee for slot in shown} & communes.keys()
    marked = [communes[insee] for insee in sorted(on_it | ({sought.insee} if sought else set()))]
    if not marked:
        return None
    frame = _Frame.around(marked)
    points = [
        frame.point(
            one, free[one.insee], is_sought=sought is not None and one.insee == sought.insee
        )
        for one in marked
    ]
    points.sort(key=lambda point: (not point.is_sought, -point.free, point.name))
    return Map(
        frame.width,
        frame.height,
        [frame.point(one) for one in communes.values() if frame.has(one) and one not in marked],
        _named(points, frame.width * LETTER_OF_WIDTH),
        form.search.radius_km * UNITS_A_KM if sought and form.search.radius_km else None,
    )


def _named(points: Iterable[Point], letter: float) -> list[Point]:
    """The first come has its name; who would write over another's has none."""
    named: list[Point] = []
    for point in points:
        reach = len(point.name) * letter * WIDTH_OF_LETTER / 2
        crowded = any(
            abs(point.y - other.y) < 1.5 * letter
            and abs(point.x - other.x) < reach + len(other.name) * letter * WIDTH_OF_LETTER / 2
            for other in named
            if other.is_named
        )
        named.append(replace(point, is_named=not crowded))
    return named


@dataclass(frozen=True, slots=True)
class _Frame:
    west: float
    north: float
    east: float
    south: float

    @classmethod
    def around(cls, communes: list[Commune]) -> "_Frame":
        lats, lons = [one.lat for one in communes], [one.lon for one in communes]
        across = KM_A_DEGREE * math.cos(math.radians(sum(lats) / len(lats)))
        high = max(max(lats) - min(lats), (NARROWEST_KM - 2 * MARGIN_KM) / KM_A_DEGREE)
        wide = max(max(lons) - min(lons), (NARROWEST_KM - 2 * MARGIN_KM) / across)
        lat, lon = (max(lats) + min(lats)) / 2, (max(lons) + min(lons)) / 2
        up, out = high / 2 + MARGIN_KM / KM_A_DEGREE, wide / 2 + MARGIN_KM / across
        return cls(lon - out, lat + up, lon + out, lat - up)

    @property
    def _across(self) -> float:
        return KM_A_DEGREE * math.cos(math.radians((self.north + self.south) / 2))

    @property
    def width(self) -> float:
        return round((self.east - self.west) * self._across * UNITS_A_KM)

    @property
    def height(self) -> float:
        return round((self.north - self.south) * KM_A_DEGREE * UNITS_A_KM)

    def has(self, commune: Commune) -> bool:
        return self.west < commune.lon < self.east and self.south < commune.lat < self.north

    def point(self, commune: Commune, free: int = 0, *, is_sought: bool = False) -> Point:
        x = (commune.lon - self.west) * self._across * UNITS_A_KM
        y = (self.north - commune.lat) * KM_A_DEGREE * UNITS_A_KM
        return Point(commune.insee, commune.name, round(x), round(y), free, is_sought)
