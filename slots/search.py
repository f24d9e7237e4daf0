"""Which slots answer a search, and in what order. Pure: the caller brings the clock and the dice.

Distances are as the crow flies. Where nothing tells two slots apart they come at random, so that
no professional is always first (the national platform does the same).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from slots.document import LocationDocument, SlotDocument

EARTH_RADIUS_KM: Final = 6_371.0
PLACE_PRECISION: Final = 2  # decimals of a degree, about 1 km: no nearer do we want to know
HOME: Final = "HH"
REMOTE: Final = "VR"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the patient is: a commune's centre, or a rounded position with its commune."""

    lat: float  # degrees, WGS 84
    lon: float
    insee: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """The filters; None filters nothing. *nearest_first* needs a place."""

    territory: frozenset[str] = frozenset()  # slugs; empty: all
    profession: str | None = None
    specialty: str | None = None
    act: str | None = None
    modality: str | None = None
    status: str | None = None
    radius_km: float | None = None
    starts_before: datetime | None = None
    nearest_first: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One answer. *distance_km* is None without a place, and for remote care."""

    slot: SlotDocument
    distance_km: float | None


def search(
    documents: Iterable[SlotDocument], query: Search, place: Place | None, rng: Random
) -> list[Found]:
    """The slots that answer *query*, the earliest or the nearest first, random among equals."""
    found = [
        Found(document, distance_km(document, place))
        for document in documents
        if _matches(document, query) and _reaches(document, query, place)
    ]
    # Sorting is stable: what the key leaves equal stays as the dice fell.
    rng.shuffle(found)
    found.sort(key=_nearest if query.nearest_first and place is not None else _earliest)
    return found[: query.limit]


def distance_km(document: SlotDocument, place: Place | None) -> float | None:
    """How far the place of practice is, to 0.1 km; None where that says nothing."""
    if place is None or document.modality == REMOTE:
        return None
    return between(document.schedule.location, place)


def between(location: LocationDocument, place: Place) -> float:
    """Kilometres from a place of practice, to 0.1 km."""
    return round(great_circle_km(location.lat, location.lon, place.lat, place.lon), 1)


def great_circle_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Kilometres between two points in degrees, by the haversine formula."""
    lat1, lon1, lat2, lon2 = map(math.radians, (lat1, lon1, lat2, lon2))
    half_chord = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    # Rounding may carry opposite points a hair beyond 1.
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half_chord)))


def rounded(lat: float, lon: float) -> tuple[float, float]:
    """A position as coarse as we are willing to know it."""
    return round(lat, PLACE_PRECISION), round(lon, PLACE_PRECISION)


def _matches(document: SlotDocument, query: Search) -> bool:
    return (
        (not query.territory or document.territory in query.territory)
        and query.profession in (None, document.profession)
        and query.specialty in (None, document.specialty)
        and (query.act is None or query.act in document.acts)
        and query.modality in (None, document.modality)
        and query.status in (None, document.status)
        and (query.starts_before is None or document.starts_at < query.starts_before)
    )


def _reaches(document: SlotDocument, query: Search, place: Place | None) -> bool:
    """Whether patient and professional can come together: who travels decides who sets how far."""
    if place is None or document.modality == REMOTE:
        return True
    distance = between(document.schedule.location, place)
    if document.modality == HOME:
        return _is_in_area(document.area or {}, place, distance)
    return query.radius_km is None or distance <= query.radius_km


def _is_in_area(area: dict[str, object], place: Place, distance: float) -> bool:
    communes = area.get("insee")
    if isinstance(communes, list):
        return place.insee in communes
    radius_km = area.get("radius_km")
    return isinstance(radius_km, int | float) and distance <= radius_km


def _earliest(found: Found) -> tuple[datetime]:
    return (found.slot.starts_at,)


def _nearest(found: Found) -> tuple[float, datetime]:
    # What happens at a distance comes after every place that one can go to.
    return (math.inf if found.distance_km is None else found.distance_km, found.slot.starts_at)
