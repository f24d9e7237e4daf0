"""The form of a territory's settings: typed words → settings, or what to mend field by field. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from slots.audience import DEFAULT_AUDIENCE, Audience
from slots.slot import HOLD_FOR, HOLDS_PER_ACCOUNT_MAX
from slots.territory import HOLD_FOR_S, HOLDS_PER_ACCOUNT, HORIZON_H
from slots.territory_settings import TerritorySettings
from web.pages.finding import RADIUS_KM_CHOICES
from web.pages.french import AUDIENCES

DIGITS_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Number:
    """A setting that is a whole number. *default* is for its page; None: it may stay empty."""

    name: str
    label: str
    unit: str
    bounds: tuple[int, int]
    default: int | None
    hint: str


NUMBERS: Final = (
    Number(
        "horizon_h",
        "Horizon",
        "heures",
        HORIZON_H,
        None,
        "Un créneau paraît sur les tableaux ce nombre d’heures avant son début ; publié plus tôt, il attend.",
    ),
    Number(
        "hold_for_s",
        "Durée d’une retenue",
        "secondes",
        HOLD_FOR_S,
        round(HOLD_FOR.total_seconds()),
        "Une place choisie est gardée ce temps, prolongeable une fois ; ensuite elle est rendue à tous.",
    ),
    Number(
        "holds_per_account_max",
        "Places retenues à la fois",
        "places",
        HOLDS_PER_ACCOUNT,
        HOLDS_PER_ACCOUNT_MAX,
        "Personne ne retient plus de places que cela en même temps dans le territoire.",
    ),
)
AUDIENCE_HINT: Final = "Ce que le formulaire de publication propose à un lieu d’exercice que l’annuaire accueille désormais ; chacun le change pour ses offres."
RADIUS_HINT: Final = "Une recherche autour d’une commune commence avec ce rayon ; chacun peut l’élargir ou le retirer."
AUDIENCE_DEFAULT: Final = " et ".join(AUDIENCES[word] for word in DEFAULT_AUDIENCE)


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """What was typed, and what is wrong with it. *version*: of the settings that it began with."""

    values: Mapping[str, str]
    audience: Collection[str]
    version: int
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
        )


def filled(settings: TerritorySettings, version: int) -> SettingsForm:
    """The form as it begins."""
    values = {one.name: _typed(getattr(settings, one.name)) for one in NUMBERS}
    values["search_radius_km"] = _typed(settings.search_radius_km)
    return SettingsForm(values, settings.default_audience, version)


def read(fields: list[tuple[str, str]]) -> SettingsForm:
    """Understand what was posted."""
    form = dict(fields)
    names = [*(one.name for one in NUMBERS), "search_radius_km"]
    values = {name: "".join(form.get(name, "").split())[:80] for name in names}
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
    is_number = version.isascii() and version.isdigit() and len(version) < DIGITS_MAX + 5
    return SettingsForm(values, audience, int(version) if is_number else 0, errors)


def meanwhile(form: SettingsForm, now: TerritorySettings) -> Mapping[str, str]:
    """Where what was typed differs from what somebody else has set since: what it is now."""
    theirs = filled(now, 0)
    units = {one.name: one.unit for one in NUMBERS} | {"search_radius_km": "km"}
    found = {
        name: f"{value}\u00a0{units[name]}" if value else "aucune valeur"
        for name, value in theirs.values.items()
        if value != form.values[name]
    }
    if set(theirs.audience) != set(form.audience):
        found["default_audience"] = ", ".join(AUDIENCES[word] for word in theirs.audience)
    return found


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
