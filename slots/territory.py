"""Territories: the CPTS that one installation serves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from slots.ids import TerritoryId


@dataclass(frozen=True, slots=True)
class Territory:
    """One CPTS. *partition* is the Redis hash tag that its keys live under."""

    id: TerritoryId
    slug: str
    name: str
    department: str
    partition: int


@dataclass(frozen=True, slots=True)
class Territories:
    """All territories of an installation, by number and by slug."""

    by_id: Mapping[TerritoryId, Territory]
    by_slug: Mapping[str, Territory]


def index(territories: Iterable[Territory]) -> Territories:
    """Make both look-ups."""
    known = sorted(territories, key=lambda territory: territory.id)
    return Territories(
        MappingProxyType({territory.id: territory for territory in known}),
        MappingProxyType({territory.slug: territory for territory in known}),
    )
