from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from slots.errors import FieldError
from slots.store.directory import Commune
from web.pages import offer_form
from web.pages.offer_form import Mistyped

NOW = datetime(2026, 11, 22, 9, 2, tzinfo=UTC)  # 10 h 02 in France
COMMUNES = {"34028": Commune("34028", "Bédarieux", ("34600",), 43.61, 3.17)}
SCHEDULE = str(uuid4())


def fields(**given):
    typed = {
        "schedule_id": SCHEDULE,
        "day": "2026-11-23",
        "at": "09:30",
        "duration_min": "20",
        "capacity": "1",
        **given,
    }
    return list(typed.items())


def offered(form):
    return offer_form.offered(offer_form.typed(form), COMMUNES)


def test_a_french_hour_becomes_an_instant():
    (slot,) = offered(fields())

    assert slot.starts_at == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    assert slot.ends_at - slot.starts_at == timedelta(minutes=20)
    assert (slot.capacity, slot.acts, slot.audience, slot.area) == (1, None, None, None)


def test_several_moments_are_several_slots():
    form = [*fields(), ("day", "2026-11-23"), ("at", "10:00"), ("acts", "suture"), ("acts", "pain")]

    slots = offered(form)

    assert [slot.starts_at.hour for slot in slots] == [8, 9]
    assert slots[0].acts == ("suture", "pain")


def test_a_preset_needs_no_typed_moment():
    (slot,) = offered(fields(day="", at="", preset="2026-11-22T17:00:00Z"))

    assert slot.starts_at == datetime(2026, 11, 22, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "given,name",
    [
        ({"at": "midi"}, "at-0"),
        ({"day": ""}, "at-0"),
        ({"day": "2027-03-28", "at": "02:30"}, "at-0"),
        ({"day": "2026-10-25", "at": "02:30"}, "at-0"),
        ({"preset": "bientôt"}, "at-0"),
        ({"duration_min": "long"}, "duration_min"),
        ({"capacity": "²"}, "capacity"),
        ({"schedule_id": "ici"}, "schedule_id"),
        ({"modality": "HH", "area": "radius", "radius_km": ""}, "radius_km"),
        ({"modality": "HH", "area": "communes", "communes": "Bédarieux, Ys"}, "communes"),
        ({"modality": "HH", "area": "communes", "communes": " "}, "communes"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(given, name):
    with pytest.raises(Mistyped) as mistyped:
        offered(fields(**given))

    assert list(mistyped.value.errors) == [name]


@pytest.mark.parametrize("fold,utc_hour", [("0", 0), ("1", 1)])
def test_the_hour_that_exists_twice_is_asked_for_and_then_understood(fold, utc_hour):
    (slot,) = offered(fields(day="2026-10-25", at="02:30", fold=fold))

    assert slot.starts_at == datetime(2026, 10, 25, utc_hour, 30, tzinfo=UTC)


def test_a_visit_names_its_communes():
    (slot,) = offered(fields(modality="HH", area="communes", communes="bedarieux, 34600"))

    assert slot.area == {"insee": ["34028", "34028"]}


def test_the_domains_refusals_find_their_fields():
    errors = offer_form.errors_of(
        [
            FieldError("slots[1].starts_at", "Trop tard."),
            FieldError("slots[0].ends_at", "Trop long."),
            FieldError("slots[0].acts", "Acte inconnu."),
        ]
    )

    assert errors == {"at-1": "Trop tard.", "duration_min": "Trop long.", "acts": "Acte inconnu."}


def test_presets_are_now_this_evening_and_tomorrow_morning():
    presets = offer_form.presets(NOW, [])

    assert [preset.title for preset in presets] == ["Maintenant", "Ce soir", "Demain matin"]
    assert presets[0].starts_at == datetime(2026, 11, 22, 9, 5, tzinfo=UTC)
    assert presets[1].starts_at == datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    assert presets[2].starts_at == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_late_at_night_the_evening_is_tomorrows():
    late = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)

    titles = [preset.title for preset in offer_form.presets(late, [])]

    assert titles == ["Maintenant", "Demain matin", "Demain soir"]


def test_a_preset_moves_behind_what_is_published_already():
    start = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)
    taken = [
        (start + timedelta(minutes=20 * n), start + timedelta(minutes=20 * (n + 1)))
        for n in range(2)
    ]

    assert offer_form.presets(NOW, taken)[0].starts_at == start + timedelta(minutes=40)


def test_another_place_brings_its_own_habits_unless_something_was_ticked():
    shown = {"shown_for": str(uuid4()), "shown": "x-ray CPTS"}
    untouched = [*fields(**shown), ("acts", "x-ray"), ("audience", "CPTS")]
    touched = [*untouched, ("acts", "ultrasound")]

    assert offered(untouched)[0].acts is None
    assert offered(touched)[0].acts == ("x-ray", "ultrasound")
