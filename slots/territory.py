"""Territories: the CPTS that one installation serves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from slots.ids import TerritoryId


@dataclass(frozen=True, slots=True)
class Territory:
    """One CPTS. *partition* is the Redis hash tag that its keys live under.

    contact_kept_h: hours after a slot that a patient's contact is kept; None: it takes none.
    """

    id: TerritoryId
    slug: str
    name: str
    department: str
    partition: int
    contact_kept_h: int | None = None


class Territories:
    """All territories of an installation, by number and by slug.

    Renewed in place: one object serves a process, and whoever has it finds what was added since.
    """

    __slots__ = ("by_id", "by_slug")

    by_id: Mapping[TerritoryId, Territory]
    by_slug: Mapping[str, Territory]

    def __init__(self, territories: Iterable[Territory] = ()) -> None:
        """Know these."""
        self.by_id, self.by_slug = {}, {}
        self.renew(territories)

    def renew(self, territories: Iterable[Territory]) -> int:
        """Know these instead. Returns how many are new."""
        known = sorted(territories, key=lambda territory: territory.id)
        new = {territory.id for territory in known} - self.by_id.keys()
        # Other mappings, not other entries: somebody may be walking through the old ones.
        self.by_id = MappingProxyType({territory.id: territory for territory in known})
        self.by_slug = MappingProxyType({territory.slug: territory for territory in known})
        return len(new)
