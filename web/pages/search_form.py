"""The search line of *orienter* and *régulation*: query string → `Search`. Pure.

A search is a link: other software may open `/orienter?specialite=SM54&insee=34028`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from slots.slot import HORIZON_DEFAULT
from slots.store.directory import Commune
from web.pages.finding import (
    DELAY_H_CHOICES,
    RADIUS_KM_CHOICES,
    Search,
    commune_of,
    commune_typed,
)
from web.pages.french import MODALITIES, PROFESSIONS, SPECIALISTS

DOCTOR: Final = "10"
COMMUNE_UNKNOWN: Final = (
    "Commune inconnue : choisissez-en une dans la liste, ou tapez son code postal."
)
# Other specialties of general practice are searched as one.
SPECIALTIES_OFFERED: Final = tuple(code for code in SPECIALISTS if code not in ("SM26", "SM53"))


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What was asked, as it was typed, and what it means."""

    search: Search
    commune_typed: str
    error: str


def read(
    query: Mapping[str, str], communes: Mapping[str, Commune], *, default_h: int | None = None
) -> SearchForm:
    """Understand a query string; what makes no sense is left out, an unknown commune is said."""
    profession, _, specialty = query.get("qui", "").partition(":")
    specialty = specialty or query.get("specialite", "")
    profession = profession or query.get("profession", "") or (DOCTOR if specialty else "")
    typed = query.get("commune", "") or query.get("insee", "")
    commune = commune_of(typed, communes) if typed.strip() else None
    search = Search(
        territory=query.get("territoire") or None,
        profession=profession or None,
        specialty=specialty or None,
        act=query.get("acte") or None,
        modality=query.get("modalite") if query.get("modalite") in MODALITIES else None,
        commune=commune,
        radius_km=_one_of(query.get("rayon", ""), RADIUS_KM_CHOICES),
        within_h=_one_of(query.get("delai", ""), DELAY_H_CHOICES) or default_h,
        nearest=query.get("tri") == "proche",
    )
    error = COMMUNE_UNKNOWN if typed.strip() and commune is None else ""
    return SearchForm(search, commune_typed(commune) if commune else typed, error)


def choices_of_who() -> list[tuple[str, list[tuple[str, str]]]]:
    """Professions and specialties as groups of one list."""
    doctors = [(f"{DOCTOR}:{code}", SPECIALISTS[code]) for code in SPECIALTIES_OFFERED]
    others = [(code, label) for code, label in PROFESSIONS.items() if code != DOCTOR]
    return [("Médecins", [*doctors, (DOCTOR, "Tout médecin")]), ("Autres professions", others)]


def prefilled(search_act: str, delay_h: str, waits_h: float) -> tuple[str, str]:
    """The likeliest reason and urgency of a booking, from what was searched."""
    asked_h = int(delay_h) if delay_h.isdigit() else HORIZON_DEFAULT.total_seconds() / 3600
    hours = min(waits_h, asked_h)
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
    return int(typed) if typed.isdigit() and int(typed) in choices else None
