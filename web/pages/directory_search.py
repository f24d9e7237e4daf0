"""What is asked of the directory, and who answers it in what order. Pure."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from slots.ids import TerritoryId
from slots.search import Place, great_circle_km
from slots.store.directory import Commune, FoundEntry
from slots.territory import Territory
from web.pages.french import LANGUAGES
from web.pages.search_form import SearchForm, read

SHOWN_FIRST: Final = 60  # people on the page as it comes; as many more at each asking
TYPED_MAX: Final = 100  # characters

# The parameters of a search, as they stand in links; anything else is left out.
ASKED: Final = ("q", "qui", "commune", "rayon", "territoire", "langue", "nouveaux", "libre")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the directory. *link*: the same question as a query string."""

    form: SearchForm
    typed: str
    language: str | None
    takes_new: bool
    free_only: bool
    shown: int
    link: str

    @property
    def is_narrow(self) -> bool:
        """Whether anything is asked for at all."""
        return bool(self.link)

    @property
    def has_more_filters(self) -> bool:
        """Whether the filters under “Plus de filtres” are in use."""
        search = self.form.search
        return bool(
            search.territory
            or search.radius_km
            or self.language
            or self.takes_new
            or self.free_only
        )


@dataclass(slots=True)
class Person:
    """A person or a service that answers, with the places that do, the best first."""

    owner_id: UUID
    entries: list[FoundEntry] = field(default_factory=list)
    distance_km: float | None = None


def asked_by(query: Mapping[str, str], communes: Mapping[str, Commune]) -> Asked:
    """Understand a query string; what makes no sense is left out."""
    kept = {name: query[name].strip()[:TYPED_MAX] for name in ASKED if query.get(name, "").strip()}
    language = query.get("langue", "")
    shown = query.get("montre", "")
    return Asked(
        form=read(query, communes),
        # Nobody types a NUL, and PostgreSQL takes none.
        typed=kept.get("q", "").replace("\0", ""),
        language=language if language in LANGUAGES else None,
        takes_new=query.get("nouveaux") == "1",
        free_only=query.get("libre") == "1",
        shown=max(SHOWN_FIRST, int(shown)) if shown.isdecimal() and len(shown) < 6 else SHOWN_FIRST,
        link=urlencode(kept),
    )


def people_who_answer(
    asked: Asked,
    found: Iterable[FoundEntry],
    free: Container[UUID],
    territories: Iterable[Territory],
    own: Container[TerritoryId],
) -> list[Person]:
    """Each person once: the likest to what was typed, the nearest where a commune is given.

    Where neither is, those of the *own* territories come before their neighbours.
    """
    search = asked.form.search
    slugs = {territory.id: territory.slug for territory in territories}
    people: dict[UUID, Person] = {}
    for entry in found:
        away = distance_km(entry, search.place)
        if (
            (search.territory and slugs.get(entry.territory_id) != search.territory)
            or (asked.language and asked.language not in entry.languages)
            or (asked.takes_new and not entry.new_patients)
            or (asked.free_only and entry.schedule_id not in free)
            or (search.radius_km and away is not None and away > search.radius_km)
        ):
            continue
        person = people.setdefault(entry.owner_id, Person(entry.owner_id))
        person.entries.append(entry)
        if away is not None:
            person.distance_km = min(away, person.distance_km or away)
    listed = list(people.values())
    if search.place is not None:
        listed.sort(key=_nearest)
    elif not asked.typed:
        listed.sort(key=lambda person: all(one.territory_id not in own for one in person.entries))
    return listed


def distance_km(entry: FoundEntry, place: Place | None) -> float | None:
    """As the crow flies, to 0.1 km."""
    if place is None:
        return None
    return round(great_circle_km(entry.lat, entry.lon, place.lat, place.lon), 1)


def _nearest(person: Person) -> tuple[float, float]:
    # What only comes near what was typed is sorted by how near it comes.
    best = person.entries[0]
    return (0.0 if best.is_exact else -best.rank, person.distance_km or 0.0)
