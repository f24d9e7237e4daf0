"""What somebody looks for on a board, and which slots answer it. Pure.

`web/static/slot-list.js` asks the same of the rows that arrive live.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Final

from slots import search as domain
from slots.document import SlotDocument
from slots.search import Found, Place
from slots.slot import SlotStatus
from slots.store.directory import Commune
from web.pages import wording
from web.pages.french import folded, schedule_name, schedule_profession

RADIUS_KM_CHOICES: Final = (5, 10, 15, 20, 30, 50)
DELAY_H_CHOICES: Final = (4, 8, 12, 24, 48, 72)
SHOWN: Final = frozenset({SlotStatus.FREE, SlotStatus.HELD})
DICE: Final = SystemRandom()

LabelOf = Callable[[str, str], str]  # territory's slug and act's code → what it is called there


@dataclass(frozen=True, slots=True)
class Search:
    """The filters of a board; None does not filter. *within_h*: starts within so many hours.

    *words*: stems (`web.pages.wording`), each of which begins a word of the slot.
    """

    words: tuple[str, ...] = ()
    territory: str | None = None
    profession: str | None = None
    specialty: str | None = None
    act: str | None = None
    modality: str | None = None
    audience: str | None = None
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
            "words": self.words,
            "territory": self.territory,
            "profession": self.profession,
            "specialty": self.specialty,
            "act": self.act,
            "modality": self.modality,
            "audience": self.audience,
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


def find(
    search: Search,
    slots: Iterable[SlotDocument],
    now: datetime,
    label_of: LabelOf = lambda _, code: code,
) -> list[Found]:
    """What a board shows: free and held, earliest or nearest first, at random among equals.

    *label_of*: what a territory calls an act, for the words of the search.
    """
    shown = (slot for slot in slots if slot.status in SHOWN and _is_meant(slot, search, label_of))
    return domain.search(shown, search.asked_at(now), search.place, DICE)


def _is_meant(slot: SlotDocument, search: Search, label_of: LabelOf) -> bool:
    if search.audience is not None and search.audience not in slot.audience:
        return False
    if not search.words:
        return True
    who = (schedule_name(slot.schedule), schedule_profession(slot.schedule))
    acts = (label_of(slot.territory, code) for code in slot.acts)
    # Where care at a distance is given from is not on its row: nobody looks for it.
    where = () if slot.modality == domain.REMOTE else (slot.schedule.location.commune,)
    said = wording.words_of((*who, *where, *acts))
    return wording.answers(search.words, said)


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
