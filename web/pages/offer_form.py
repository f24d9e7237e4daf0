"""The form that publishes: typed words → offered slots, or what to mend field by field. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from slots.booking.offers import OfferedSlot
from slots.document import SlotDocument
from slots.errors import FieldError
from slots.ids import ScheduleId
from slots.store.directory import Commune
from slots.times import PARIS, LocalTimeTwice, LocalTimeUnknown, from_paris
from web.pages.finding import commune_of
from web.pages.habits import Preset, overlaps, part_of_day
from web.parsing import whole_number

MOMENTS_MAX: Final = 30  # slots of one form
DURATIONS_MIN: Final = (10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
DURATION_DEFAULT_MIN: Final = 20
CAPACITY_DEFAULT: Final = 1
RADIUS_DEFAULT_KM: Final = 10
ROUND_TO: Final = timedelta(minutes=5)
PRESETS_MAX: Final = 3
HABITS_MAX: Final = 2  # of them: a patient who did not come is nobody's habit, so “now” stays
EVENINGS: Final = (time(18), time(20))
MORNING: Final = time(9)
SLOT_FIELD: Final = re.compile(r"slots\[(\d+)\]\.(\w+)")
# Where the form shows what the domain says of a field.
SHOWN_AT: Final = {"starts_at": "at", "ends_at": "duration_min"}

TWICE: Final = "Cette heure existe deux fois cette nuit-là : dites laquelle."
UNKNOWN: Final = "Cette heure n’existe pas cette nuit-là : les montres avancent d’une heure."


@dataclass(frozen=True, slots=True)
class Moment:
    """A day and an hour as they were typed; *fold* where the hour exists twice."""

    day: str
    at: str
    fold: str = ""


@dataclass(frozen=True, slots=True)
class OfferForm:
    """What was typed, kept for the page that asks again. *errors*: name of a field → sentence."""

    schedule_id: str = ""
    moments: Sequence[Moment] = (Moment("", ""),)
    preset: str = ""
    duration_min: str = str(DURATION_DEFAULT_MIN)
    capacity: str = str(CAPACITY_DEFAULT)
    modality: str = "AMB"
    area: str = "radius"
    radius_km: str = str(RADIUS_DEFAULT_KM)
    communes: str = ""
    acts: Sequence[str] = ()
    audience: Sequence[str] = ()
    note: str = ""
    shown_for: str = ""  # the schedule whose habits were ticked when the form was drawn
    shown: Sequence[str] = ()  # and those habits: acts and audience
    errors: Mapping[str, str] = field(default_factory=dict)
    was_sent: bool = False


class Mistyped(Exception):
    """Fields that cannot be read; *errors* says which, by the names of the form."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        """Carry what to show beside each field."""
        super().__init__()
        self.errors = dict(errors)


def typed(fields: Sequence[tuple[str, str]]) -> OfferForm:
    """What was posted, as it was typed. Several fields may have one name."""
    form = dict(fields)

    def every(wanted: str) -> list[str]:
        return [value for name, value in fields if name == wanted]

    days, hours = every("day"), every("at")
    folds = [*every("fold"), *[""] * len(days)]
    moments = [
        Moment(day.strip(), hour.strip(), fold)
        for day, hour, fold in zip(days, hours, folds, strict=False)
    ]
    return OfferForm(
        schedule_id=form.get("schedule_id", ""),
        moments=moments[:MOMENTS_MAX] or [Moment("", "")],
        preset=form.get("preset", ""),
        duration_min=form.get("duration_min", ""),
        capacity=form.get("capacity", ""),
        modality=form.get("modality", "AMB"),
        area=form.get("area", "radius"),
        radius_km=form.get("radius_km", ""),
        communes=form.get("communes", ""),
        acts=every("acts"),
        audience=every("audience"),
        note=form.get("note", "").strip(),
        shown_for=form.get("shown_for", ""),
        shown=form.get("shown", "").split(),
        was_sent=True,
    )


def one_more(form: OfferForm) -> OfferForm:
    """The same form with room for another moment, on the same day as the last."""
    return replace(form, moments=[*form.moments, Moment(form.moments[-1].day, "")])


def offered(form: OfferForm, communes: Mapping[str, Commune]) -> list[OfferedSlot]:
    """The slots that the form asks to publish, in the order of its moments.

    Raises:
        Mistyped: Some fields cannot be read. What the domain refuses is its own to say.
    """
    errors: dict[str, str] = {}
    starts = _starts(form, errors)
    minutes = _number(form.duration_min, "duration_min", "Choisissez une durée.", errors)
    capacity = _number(form.capacity, "capacity", "Dites combien de places.", errors)
    area = _area(form, communes, errors)
    schedule_id = _schedule_id(form, errors)
    if errors:
        raise Mistyped(errors)
    # Another place was chosen and nothing ticked: its own habits count, not those that were shown.
    untouched = form.shown_for != form.schedule_id and {*form.acts, *form.audience} == {*form.shown}
    acts, audience = ((), ()) if untouched else (form.acts, form.audience)
    return [
        OfferedSlot(
            schedule_id=schedule_id,
            starts_at=start,
            ends_at=start + timedelta(minutes=minutes),
            capacity=capacity,
            modality=form.modality,
            acts=tuple(acts) or None,
            audience=tuple(audience) or None,
            area=area,
            note=form.note or None,
        )
        for start in starts
    ]


def errors_of(refused: Sequence[FieldError]) -> dict[str, str]:
    """What the domain says of each field, by the names of the form."""
    errors: dict[str, str] = {}
    for error in refused:
        found = SLOT_FIELD.match(error.field)
        name = found[2] if found else error.field
        shown = SHOWN_AT.get(name, name)
        if found and shown == "at":
            shown = f"at-{found[1]}"
        errors.setdefault(shown, error.message)
    return errors


def presets(
    now: datetime,
    taken: Sequence[tuple[datetime, datetime]],
    minutes: int = DURATION_DEFAULT_MIN,
    likely: Sequence[datetime] = (),
) -> list[Preset]:
    """Now, and the two moments that somebody publishes as a rule (*likely*, the surest first).

    Where they have no habits yet: this evening, tomorrow morning. Each default moves behind what is
    published already; a habit that is published already is none any more.
    """
    span = timedelta(minutes=minutes)
    chosen: list[Preset] = []
    occupied = list(taken)
    for start in likely:
        if len(chosen) < HABITS_MAX and not overlaps(start, start + span, occupied):
            chosen.append(Preset(part_of_day(start, now), start))
            occupied.append((start, start + span))
    titles = {preset.title for preset in chosen}
    defaults = [
        Preset(title, _after_what_is_taken(start, span, taken))
        for title, start in _defaults(now)
        if title not in titles
    ]
    chosen += defaults[: PRESETS_MAX - len(chosen)]
    return sorted(chosen, key=lambda preset: preset.starts_at)


def fait(slots: Iterable[SlotDocument], horizon_at: datetime) -> str:
    """Which notice follows on publishing: whether others see any of it already."""
    live = any(slot.starts_at <= horizon_at for slot in slots)
    return "publie" if live else "publie-plus-tard"


def _defaults(now: datetime) -> list[tuple[str, datetime]]:
    today = now.astimezone(PARIS).date()
    tomorrow = today + timedelta(days=1)
    evenings = (_paris(today, at) for at in EVENINGS)
    return [
        ("Maintenant", _rounded_up(now)),
        *[("Ce soir", start) for start in evenings if start > now + timedelta(minutes=30)][:1],
        ("Demain matin", _paris(tomorrow, MORNING)),
        ("Demain soir", _paris(tomorrow, EVENINGS[0])),
    ]


def _starts(form: OfferForm, errors: dict[str, str]) -> list[datetime]:
    if form.preset:
        try:
            start = datetime.fromisoformat(form.preset)
        except ValueError:
            errors["at-0"] = "Ce moment est illisible : choisissez un jour et une heure."
            return []
        return [start.astimezone(UTC)] if start.tzinfo else []
    starts = []
    for index, moment in enumerate(form.moments):
        try:
            fold = int(moment.fold) if moment.fold in ("0", "1") else None
            day, at = date.fromisoformat(moment.day), time.fromisoformat(moment.at)
            starts.append(from_paris(day, at, fold=fold))
        except LocalTimeTwice:
            errors[f"at-{index}"] = TWICE
        except LocalTimeUnknown:
            errors[f"at-{index}"] = UNKNOWN
        except ValueError:
            errors[f"at-{index}"] = "Donnez un jour et une heure, par exemple 17:30."
    return starts


def _number(typed_number: str, name: str, message: str, errors: dict[str, str]) -> int:
    number = whole_number(typed_number)
    if number is None:
        errors[name] = message
    return number or 0


def _schedule_id(form: OfferForm, errors: dict[str, str]) -> ScheduleId:
    try:
        return ScheduleId(UUID(form.schedule_id))
    except ValueError:
        errors["schedule_id"] = "Choisissez un lieu."
        return ScheduleId(UUID(int=0))


def _area(
    form: OfferForm, communes: Mapping[str, Commune], errors: dict[str, str]
) -> dict[str, Any] | None:
    if form.modality != "HH":
        return None
    if form.area == "radius":
        return {"radius_km": _number(form.radius_km, "radius_km", "Donnez un rayon.", errors)}
    names = [name for name in re.split(r"[,;\n]", form.communes) if name.strip()]
    found = [(name, commune_of(name, communes)) for name in names]
    unknown = [name.strip() for name, commune in found if commune is None]
    if unknown or not names:
        said = f"Commune inconnue : {', '.join(unknown)}." if unknown else "Nommez les communes."
        errors["communes"] = said
    return {"insee": [commune.insee for _, commune in found if commune is not None]}


def _paris(day: date, at: time) -> datetime:
    return from_paris(day, at, fold=0)


def _rounded_up(now: datetime) -> datetime:
    past = timedelta(minutes=now.minute % 5, seconds=now.second, microseconds=now.microsecond)
    return now + (ROUND_TO - past if past else timedelta())


def _after_what_is_taken(
    start: datetime, span: timedelta, taken: Sequence[tuple[datetime, datetime]]
) -> datetime:
    for from_at, to_at in sorted(taken):
        if from_at < start + span and start < to_at:
            start = to_at
    return start
