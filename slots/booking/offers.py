"""What may be offered: the rules of a slot before it exists. Pure."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from slots.audience import Audience
from slots.errors import FieldError
from slots.ids import ScheduleId
from slots.slot import CAPACITY_MAX, DURATION_MAX, NOTE_LENGTH_MAX, OFFER_AHEAD_MAX, STARTED_GRACE

MODALITIES: Final = ("AMB", "HH", "VR")
OFFERS_PER_REQUEST_MAX: Final = 50
AREA_RADIUS_KM_MAX: Final = 100
AREA_COMMUNES_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class OfferedSlot:
    """A slot that somebody wants to publish. None: what the schedule's owner has chosen."""

    schedule_id: ScheduleId
    starts_at: datetime
    ends_at: datetime
    capacity: int = 1
    modality: str = "AMB"
    acts: tuple[str, ...] | None = None
    audience: tuple[str, ...] | None = None
    area: dict[str, Any] | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is to change; None: as it was. *clear_note* takes the note away."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    capacity: int | None = None
    modality: str | None = None
    acts: tuple[str, ...] | None = None
    audience: tuple[str, ...] | None = None
    area: dict[str, Any] | None = None
    note: str | None = None
    clear_note: bool = False

    def applied_to(self, offered: OfferedSlot) -> OfferedSlot:
        """The offer as it would be afterwards."""
        names = ("starts_at", "ends_at", "capacity", "modality", "acts", "audience", "area", "note")
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        amended = replace(offered, **given)
        if amended.modality != "HH" and self.area is None:
            amended = replace(amended, area=None)
        return replace(amended, note=None) if self.clear_note else amended


def field_errors(
    offered: OfferedSlot, now: datetime, known_acts: AbstractSet[str], prefix: str
) -> list[FieldError]:
    """What is wrong with *offered* at *now*; at most one sentence a field."""
    wrong = (
        ("starts_at", _start_fault(offered, now)),
        ("ends_at", _end_fault(offered)),
        ("capacity", _capacity_fault(offered.capacity)),
        ("modality", _modality_fault(offered.modality)),
        ("area", _area_fault(offered.modality, offered.area)),
        ("acts", _acts_fault(offered.acts, known_acts)),
        ("audience", _audience_fault(offered.audience)),
        ("note", _note_fault(offered.note)),
    )
    return [FieldError(prefix + field, fault) for field, fault in wrong if fault]


def communes_named(offers: Iterable[OfferedSlot]) -> list[str]:
    """The INSEE codes that the areas name, to be looked up."""
    return sorted({code for offered in offers for code in (offered.area or {}).get("insee", ())})


def _start_fault(offered: OfferedSlot, now: datetime) -> str | None:
    if offered.starts_at > now + OFFER_AHEAD_MAX:
        return f"On publie au plus {OFFER_AHEAD_MAX.days} jours à l'avance."
    if offered.capacity > 1:
        return "Cette plage est déjà terminée." if offered.ends_at <= now else None
    if offered.starts_at <= now - STARTED_GRACE:
        minutes = STARTED_GRACE.seconds // 60
        return f"Ce créneau a commencé il y a {minutes} minutes ou plus."
    if offered.starts_at < offered.ends_at <= now:
        return "Ce créneau est déjà terminé."
    return None


def _end_fault(offered: OfferedSlot) -> str | None:
    if offered.ends_at <= offered.starts_at:
        return "La fin doit venir après le début."
    if offered.ends_at - offered.starts_at > DURATION_MAX:
        return "Un créneau dure au plus 24 heures."
    return None


def _capacity_fault(capacity: int) -> str | None:
    if not 1 <= capacity <= CAPACITY_MAX:
        return f"Le nombre de places va de 1 à {CAPACITY_MAX}."
    return None


def _modality_fault(modality: str) -> str | None:
    return None if modality in MODALITIES else "Choisissez cabinet, domicile ou téléconsultation."


def _area_fault(modality: str, area: dict[str, Any] | None) -> str | None:
    if modality != "HH":
        return "Une zone ne se donne que pour les visites à domicile." if area else None
    match area:
        case {"radius_km": bool()}:
            return "Le rayon est un nombre de kilomètres."
        case {"radius_km": int() | float() as radius, **rest} if not rest:
            if 0 < radius <= AREA_RADIUS_KM_MAX:
                return None
            return f"Le rayon est positif, de {AREA_RADIUS_KM_MAX} km au plus."
        case {"insee": [_, *_] as codes, **rest} if not rest and _are_codes(codes):
            return None
        case _:
            return "Pour une visite à domicile, donnez des communes ou un rayon."


def _are_codes(codes: Sequence[object]) -> bool:
    return len(codes) <= AREA_COMMUNES_MAX and all(isinstance(code, str) for code in codes)


def _acts_fault(acts: tuple[str, ...] | None, known_acts: AbstractSet[str]) -> str | None:
    if acts is None:
        return None
    if not acts:
        return "Indiquez au moins un acte."
    unknown = sorted(set(acts) - known_acts)
    return f"Acte inconnu : {', '.join(unknown)}." if unknown else None


def _audience_fault(audience: tuple[str, ...] | None) -> str | None:
    if audience is None:
        return None
    known = {word.value for word in Audience}
    if not audience or not set(audience) <= known:
        return f"L'audience se compose de {', '.join(sorted(known))}."
    return None


def _note_fault(note: str | None) -> str | None:
    if note is not None and len(note) > NOTE_LENGTH_MAX:
        return f"La note a au plus {NOTE_LENGTH_MAX} caractères."
    return None
