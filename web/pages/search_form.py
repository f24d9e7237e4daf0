"""The search line of *orienter* and *régulation*: query string → `Search`. Pure.

A search is a link: other software may open `/orienter?specialite=SM54&insee=34028`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from slots.document import SlotDocument
from slots.slot import HORIZON_DEFAULT
from slots.store.directory import Act, Commune
from web.pages import wording
from web.pages.finding import (
    DELAY_H_CHOICES,
    RADIUS_KM_CHOICES,
    Search,
    commune_of,
    commune_typed,
)
from web.pages.french import AUDIENCES, MODALITIES, PROFESSIONS, SPECIALISTS, schedule_name
from web.parsing import whole_number

DOCTOR: Final = "10"
TYPED_MAX: Final = 80  # characters of the search line
PEOPLE_SUGGESTED_MAX: Final = 100
COMMUNE_UNKNOWN: Final = (
    "Commune inconnue : choisissez-en une dans la liste, ou tapez son code postal."
)
# Other specialties of general practice are searched as one.
SPECIALTIES_OFFERED: Final = tuple(code for code in SPECIALISTS if code not in ("SM26", "SM53"))


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What was asked, as it was typed, and what it means."""

    search: Search
    typed: str
    commune_typed: str
    error: str


def read(
    query: Mapping[str, str],
    communes: Mapping[str, Commune],
    *,
    default_h: int | None = None,
    usual_km: int | None = None,
) -> SearchForm:
    """Understand a query string; what makes no sense is left out, an unknown commune is said.

    *usual_km*: the radius around a commune where the query names none; "" is none at all.
    """
    profession, _, specialty = query.get("qui", "").partition(":")
    specialty = specialty or query.get("specialite", "")
    profession = profession or query.get("profession", "") or (DOCTOR if specialty else "")
    typed = query.get("commune", "") or query.get("insee", "")
    commune = commune_of(typed, communes) if typed.strip() else None
    asked = query.get("quoi", "").strip()[:TYPED_MAX]
    search = Search(
        words=wording.stems(asked),
        territory=query.get("territoire") or None,
        profession=profession or None,
        specialty=specialty or None,
        act=query.get("acte") or None,
        modality=query.get("modalite") if query.get("modalite") in MODALITIES else None,
        audience=query.get("public") if query.get("public") in AUDIENCES else None,
        commune=commune,
        radius_km=usual_km
        if commune and "rayon" not in query
        else _one_of(query.get("rayon", ""), RADIUS_KM_CHOICES),
        within_h=_one_of(query.get("delai", ""), DELAY_H_CHOICES) or default_h,
        nearest=query.get("tri") == "proche",
    )
    error = COMMUNE_UNKNOWN if typed.strip() and commune is None else ""
    return SearchForm(search, asked, commune_typed(commune) if commune else typed, error)


def suggestions(acts: Iterable[Act], slots: Iterable[SlotDocument]) -> list[str]:
    """What the search line proposes as one types: professions, acts, and who is on the board."""
    people = dict.fromkeys(schedule_name(slot.schedule) for slot in slots)
    known = (*PROFESSIONS.values(), *SPECIALISTS.values(), *(act.label for act in acts))
    return [*dict.fromkeys(known), *list(people)[:PEOPLE_SUGGESTED_MAX]]


def act_meant(form: SearchForm, acts: Iterable[Act]) -> str | None:
    """The act that was chosen, or the only one that has the words that were typed."""
    return form.search.act or wording.meant(form.typed, ((act.code, act.label) for act in acts))


def specialty_meant(form: SearchForm) -> tuple[str | None, str | None]:
    """Profession and specialty that were chosen, or the only ones with the words typed."""
    search = form.search
    if search.profession or search.specialty:
        return search.profession, search.specialty
    offered = ((code, SPECIALISTS[code]) for code in SPECIALTIES_OFFERED)
    if specialty := wording.meant(form.typed, offered):
        return DOCTOR, specialty
    return wording.meant(form.typed, PROFESSIONS.items()), None


def choices_of_who() -> list[tuple[str, list[tuple[str, str]]]]:
    """Professions and specialties as groups of one list."""
    doctors = [(f"{DOCTOR}:{code}", SPECIALISTS[code]) for code in SPECIALTIES_OFFERED]
    others = [(code, label) for code, label in PROFESSIONS.items() if code != DOCTOR]
    return [("Médecins", [*doctors, (DOCTOR, "Tout médecin")]), ("Autres professions", others)]


def prefilled(search_act: str, delay_h: str, waits_h: float) -> tuple[str, str]:
    """The likeliest reason and urgency of a booking, from what was searched."""
    asked_h = whole_number(delay_h)
    hours = min(waits_h, HORIZON_DEFAULT.total_seconds() / 3600 if asked_h is None else asked_h)
    urgency = "today" if hours <= 12 else "within-24h" if hours <= 24 else "within-48h"
    return REASON_OF_ACT.get(search_act, "other"), urgency


REASON_OF_ACT: Final = {
    "suture": "wound-suture",
    "complex-dressing": "nursing-care",
    "dressing": "nursing-care",
    "blood-sample": "nursing-care",
    "radiography": "imaging",
    "x-ray": "imaging",
    "ultrasound": "imaging",
    "ct-scan": "imaging",
    "respiratory-physiotherapy": "breathing",
    "rehabilitation": "trauma",
    "urgent-dental-care": "pain",
    "dermatology-opinion": "skin",
}


def _one_of(typed: str, choices: tuple[int, ...]) -> int | None:
    number = whole_number(typed)
    return number if number in choices else None
