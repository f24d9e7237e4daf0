"""Territories: the CPTS that one installation serves, each with what its coordinator has set."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from slots.audience import DEFAULT_AUDIENCE
from slots.ids import TerritoryId
from slots.slot import HOLD_FOR, HOLDS_PER_ACCOUNT_MAX

# What may be set, from and to, as the CHECKs of the table have it.
HORIZON_H: Final = (24, 72)  # the SAS asks for no more
HOLD_FOR_S: Final = (60, 600)
HOLDS_PER_ACCOUNT: Final = (1, 20)
SEARCH_RADIUS_KM: Final = (1, 100)


@dataclass(frozen=True, slots=True)
class Territory:
    """One CPTS. *partition* is the Redis hash tag that its keys live under.

    contact_kept_h: hours after a slot that a patient's contact is kept; None: it takes none.
    What its coordinator sets is as it was when the process last looked: see `desk`. Where a moment's
    delay would do harm, the ledger's own is read with the slot (`Slot.horizon`).
    """

    id: TerritoryId
    slug: str
    name: str
    department: str
    partition: int
    contact_kept_h: int | None = None
    horizon_h: int | None = None  # None: the installation's
    hold_for: timedelta = HOLD_FOR
    holds_max: int = HOLDS_PER_ACCOUNT_MAX  # of one account at a time
    default_audience: tuple[str, ...] = DEFAULT_AUDIENCE  # of a new schedule
    search_radius_km: int | None = None  # that a search begins with; None: no limit
    settings_version: int = 1  # another one after each change

    def horizon(self, usual: timedelta) -> timedelta:
        """How far ahead its boards look; *usual*: where it has not been set."""
        return usual if self.horizon_h is None else timedelta(hours=self.horizon_h)


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
