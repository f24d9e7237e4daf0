"""The form of a territory's settings: typed words → settings, or what to mend field by field. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from slots.audience import DEFAULT_AUDIENCE, Audience
from slots.patient_contact import KEPT_H_MAX, KEPT_H_MIN
from slots.slot import HOLD_FOR, HOLDS_PER_ACCOUNT_MAX
from slots.territory import HOLD_FOR_S, HOLDS_PER_ACCOUNT, HORIZON_H
from slots.territory_settings import TerritorySettings
from web.pages.finding import RADIUS_KM_CHOICES
from web.pages.french import AUDIENCES

DIGITS_MAX: Final = 4
VERSION_DIGITS_MAX: Final = 9
TYPED_MAX: Final = 80  # characters of a field


@dataclass(frozen=True, slots=True)
class Number:
    """A setting that is a whole number. *default* is for its page; None: it may stay empty, and
    *when_empty* says what that means ({}: the installation's horizon).
    """

    name: str
    label: str
    unit: str
    bounds: tuple[int, int]
    default: int | None
    hint: str
    when_empty: str = ""


NUMBERS: Final = (
    Number(
        "horizon_h",
        "Horizon, en heures",
        "heures",
        HORIZON_H,
        None,
        "Un créneau paraît sur les tableaux ce nombre d’heures avant son début ; publié plus tôt, il attend.",
        "{}, comme toute l’installation",
    ),
    Number(
        "hold_for_s",
        "Durée d’une retenue, en secondes",
        "secondes",
        HOLD_FOR_S,
        round(HOLD_FOR.total_seconds()),
        "Une place choisie est gardée ce temps, prolongeable une fois ; ensuite elle est rendue à tous.",
    ),
    Number(
        "holds_per_account_max",
        "Places retenues à la fois par personne",
        "places",
        HOLDS_PER_ACCOUNT,
        HOLDS_PER_ACCOUNT_MAX,
        "Personne ne retient plus de places que cela en même temps dans le territoire.",
    ),
    Number(
        "contact_kept_h",
        "Coordonnées du patient : gardées, en heures après le créneau",
        "heures",
        (KEPT_H_MIN, KEPT_H_MAX),
        None,
        "Qui réserve peut les laisser ; chiffrées, elles ne sont lues que des deux côtés du rendez-vous, puis effacées.",
        "aucune n’est demandée, et celles qui étaient gardées sont effacées",
    ),
)
UNITS: Final = {one.name: one.unit for one in NUMBERS}
AUDIENCE_HINT: Final = "Ce que le formulaire de publication propose à un lieu d’exercice que l’annuaire accueille désormais ; chacun le change pour ses offres."
RADIUS_HINT: Final = "Une recherche autour d’une commune commence avec ce rayon ; chacun peut l’élargir ou le retirer."
AUDIENCE_DEFAULT: Final = " et ".join(AUDIENCES[word] for word in DEFAULT_AUDIENCE)


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """What was typed, and what is wrong with it. *version*, *seen*: the settings that it began with."""

    values: Mapping[str, str]
    audience: Collection[str]
    version: int
    seen: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    meanwhile: Mapping[str, str] = field(default_factory=dict)  # what somebody else has set

    @property
    def settings(self) -> TerritorySettings:
        """What it says. Only of a form without errors."""
        horizon, radius = self.values["horizon_h"], self.values["search_radius_km"]
        return TerritorySettings(
            horizon_h=int(horizon) if horizon else None,
            hold_for_s=int(self.values["hold_for_s"]),
            holds_per_account_max=int(self.values["holds_per_account_max"]),
            default_audience=tuple(word for word in Audience if word in self.audience),
            search_radius_km=int(radius) if radius else None,
            contact_kept_h=int(kept) if (kept := self.values["contact_kept_h"]) else None,
        )


def filled(settings: TerritorySettings, version: int) -> SettingsForm:
    """The form as it begins."""
    values = {name: _typed(getattr(settings, name)) for name in (*UNITS, "search_radius_km")}
    return SettingsForm(values, settings.default_audience, version, seen_of(settings))


def seen_of(settings: TerritorySettings) -> Mapping[str, str]:
    """Each setting in one word, for the form to carry along."""
    found = asdict(settings)
    audience = found.pop("default_audience")
    return {name: _typed(value) for name, value in found.items()} | {
        "default_audience": "+".join(sorted(audience))
    }


def read(fields: list[tuple[str, str]]) -> SettingsForm:
    """Understand what was posted."""
    form = dict(fields)
    names = (*UNITS, "search_radius_km")
    values = {name: "".join(form.get(name, "").split())[:TYPED_MAX] for name in names}
    seen = {name: form.get(f"seen_{name}", "")[:TYPED_MAX] for name in (*names, "default_audience")}
    audience = [value for name, value in fields if name == "default_audience"]
    errors = {}
    for number in NUMBERS:
        if (fault := _fault(number, values[number.name])) is not None:
            errors[number.name] = fault
    if not audience or not set(audience) <= set(Audience):
        errors["default_audience"] = "Choisissez au moins un public."
    if values["search_radius_km"] not in ("", *map(str, RADIUS_KM_CHOICES)):
        errors["search_radius_km"] = "Choisissez un rayon de la liste, ou aucun."
    version = form.get("version", "")
    is_number = version.isascii() and version.isdigit() and len(version) <= VERSION_DIGITS_MAX
    return SettingsForm(values, audience, int(version) if is_number else 0, seen, errors)


def overtaken(form: SettingsForm, now: TerritorySettings, version: int) -> SettingsForm:
    """The same form for another try, with what somebody else has set since it was begun."""
    theirs = seen_of(now)
    changed = {name: value for name, value in theirs.items() if value != form.seen[name]}
    said = {
        name: " ".join((value, UNITS.get(name, "km"))) if value else "rien"
        for name, value in changed.items()
    }
    if "default_audience" in said:
        said["default_audience"] = ", ".join(AUDIENCES[word] for word in now.default_audience)
    return replace(form, version=version, seen=theirs, meanwhile=said)


def _fault(number: Number, typed: str) -> str | None:
    if not typed and number.default is None:
        return None
    low, high = number.bounds
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= DIGITS_MAX
    if is_number and low <= int(typed) <= high:
        return None
    empty = ", ou rien" if number.default is None else ""
    return f"Un nombre entier de {low} à {high} est attendu{empty}."


def _typed(value: int | None) -> str:
    return "" if value is None else str(value)
