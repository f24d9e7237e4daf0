"""Where the patient is, as far as a caller says and as coarsely as we want to know."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from slots.errors import FieldError, Invalid
from slots.search import Place, great_circle_km, rounded
from slots.store.directory import Commune, communes
from slots.transaction import looking

COMMUNE_WITHIN_KM: Final = 15.0  # a position farther from every commune has none
LAT_MAX: Final = 90.0
LON_MAX: Final = 180.0


class Communes:
    """The table of communes, read once. One per process."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._by_insee: Mapping[str, Commune] = {}

    async def by_insee(self, request: Request[Any]) -> Mapping[str, Commune]:
        """All communes.

        Raises:
            LedgerUnavailable: They were never read, and cannot be now.
        """
        if not self._by_insee:
            async with looking(request.state["desk"].pool) as conn:
                self._by_insee = {commune.insee: commune for commune in await communes(conn)}
        return self._by_insee


async def place_of(request: Request[Any], commune: str | None, near: str | None) -> Place | None:
    """The place that a search names: a position, else a commune's centre; None for neither.

    Raises:
        Invalid: There is no such commune, or no such position on Earth.
    """
    if commune is None and near is None:
        return None
    known = await request.state["catalogue"].communes.by_insee(request)
    if commune is not None and commune not in known:
        raise Invalid([FieldError("commune", "Cette commune n’est pas connue ici (code INSEE).")])
    if near is None:
        assert commune is not None
        return Place(known[commune].lat, known[commune].lon, commune)
    lat, lon = rounded(*_degrees(near))
    return Place(lat, lon, commune or nearest_commune(lat, lon, known))


def nearest_commune(lat: float, lon: float, known: Mapping[str, Commune]) -> str | None:
    """The commune whose centre is nearest; None far from all."""
    distances = [
        (great_circle_km(lat, lon, commune.lat, commune.lon), commune.insee)
        for commune in known.values()
    ]
    distance, insee = min(distances, default=(COMMUNE_WITHIN_KM + 1, ""))
    return insee if distance <= COMMUNE_WITHIN_KM else None


def _degrees(near: str) -> tuple[float, float]:
    lat, lon = (float(part) for part in near.split(","))
    if abs(lat) > LAT_MAX or abs(lon) > LON_MAX:
        raise Invalid([FieldError("near", "Latitude et longitude en degrés : 43.61,3.16.")])
    return lat, lon
