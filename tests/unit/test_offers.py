"""What may be offered, each rule at its border."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from slots.booking.offers import Amendment, OfferedSlot, communes_named, field_errors
from slots.ids import ScheduleId

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)
KNOWN_ACTS = {"consultation", "suture"}
CRENEAU = OfferedSlot(ScheduleId(uuid4()), NOW + timedelta(hours=1), NOW + timedelta(minutes=80))


def wrong(offered: OfferedSlot) -> list[str]:
    """The fields that are wrong."""
    return [error.field for error in field_errors(offered, NOW, KNOWN_ACTS, "")]


def at(starts_in: timedelta, lasts: timedelta = timedelta(minutes=20), **fields) -> OfferedSlot:
    starts_at = NOW + starts_in
    return replace(CRENEAU, starts_at=starts_at, ends_at=starts_at + lasts, **fields)


def test_a_creneau_in_an_hour_is_right():
    assert wrong(CRENEAU) == []


@pytest.mark.parametrize(
    ("offered", "fields"),
    [
        (at(timedelta(days=14)), []),
        (at(timedelta(days=14) + A_SECOND), ["starts_at"]),
        (at(timedelta(0)), []),
        (at(timedelta(minutes=-5) + A_SECOND), []),
        (at(timedelta(minutes=-5)), ["starts_at"]),  # it would leave the boards at once
        (at(timedelta(minutes=-5) - A_SECOND), ["starts_at"]),
        (at(timedelta(minutes=-3), timedelta(minutes=2)), ["starts_at"]),
        (at(timedelta(hours=-2), timedelta(hours=2) + A_SECOND, capacity=2), []),
        (at(timedelta(hours=-2), timedelta(hours=2), capacity=2), ["starts_at"]),
        (at(timedelta(hours=1), A_SECOND), []),
        (at(timedelta(hours=1), timedelta(0)), ["ends_at"]),
        (at(timedelta(hours=1), -A_SECOND), ["ends_at"]),
        (at(timedelta(hours=1), timedelta(hours=24)), []),
        (at(timedelta(hours=1), timedelta(hours=24) + A_SECOND), ["ends_at"]),
    ],
)
def test_when(offered, fields):
    assert wrong(offered) == fields


@pytest.mark.parametrize(
    ("capacity", "fields"),
    [(-1, ["capacity"]), (0, ["capacity"]), (1, []), (50, []), (51, ["capacity"])],
)
def test_how_many(capacity, fields):
    assert wrong(replace(CRENEAU, capacity=capacity)) == fields


@pytest.mark.parametrize(
    ("modality", "area", "fields"),
    [
        ("AMB", None, []),
        ("VR", None, []),
        ("AMB", {"radius_km": 10}, ["area"]),
        ("VR", {"insee": ["34028"]}, ["area"]),
        ("XX", None, ["modality"]),
        ("amb", None, ["modality"]),
        ("HH", None, ["area"]),
        ("HH", {}, ["area"]),
        ("HH", {"radius_km": 0}, ["area"]),
        ("HH", {"radius_km": 0.1}, []),
        ("HH", {"radius_km": 7.5}, []),
        ("HH", {"radius_km": 100}, []),
        ("HH", {"radius_km": 100.1}, ["area"]),
        ("HH", {"radius_km": float("nan")}, ["area"]),
        ("HH", {"radius_km": True}, ["area"]),
        ("HH", {"radius_km": "10"}, ["area"]),
        ("HH", {"insee": ["34028"]}, []),
        ("HH", {"insee": []}, ["area"]),
        ("HH", {"insee": "34028"}, ["area"]),
        ("HH", {"insee": [34028]}, ["area"]),
        ("HH", {"insee": ["34028"] * 100}, []),
        ("HH", {"insee": ["34028"] * 101}, ["area"]),
        ("HH", {"insee": ["34028"], "radius_km": 5}, ["area"]),
        ("HH", {"insee": ["34028"], "patient": "…"}, ["area"]),
    ],
)
def test_where(modality, area, fields):
    assert wrong(replace(CRENEAU, modality=modality, area=area)) == fields


@pytest.mark.parametrize(
    ("acts", "fields"),
    [
        (None, []),
        (("suture",), []),
        (("suture", "consultation"), []),
        ((), ["acts"]),
        (("suture", "surgery"), ["acts"]),
    ],
)
def test_what(acts, fields):
    assert wrong(replace(CRENEAU, acts=acts)) == fields


@pytest.mark.parametrize(
    ("audience", "fields"),
    [
        (None, []),
        (("CPTS",), []),
        (("CPTS", "SNP", "PRO", "PUBLIC"), []),
        ((), ["audience"]),
        (("CPTS", "ALL"), ["audience"]),
    ],
)
def test_for_whom(audience, fields):
    assert wrong(replace(CRENEAU, audience=audience)) == fields


@pytest.mark.parametrize(
    ("note", "fields"), [(None, []), ("", []), ("é" * 80, []), ("é" * 81, ["note"])]
)
def test_the_note_is_short(note, fields):
    assert wrong(replace(CRENEAU, note=note)) == fields


def test_each_field_that_is_wrong_is_named_once_under_its_prefix_in_french():
    offered = at(timedelta(days=15), timedelta(0), capacity=0, acts=("surgery",), note="n" * 99)

    errors = field_errors(offered, NOW, KNOWN_ACTS, "slots[3].")

    assert [error.field for error in errors] == [
        f"slots[3].{field}" for field in ("starts_at", "ends_at", "capacity", "acts", "note")
    ]
    assert all(error.message.endswith(".") for error in errors)
    assert "surgery" in errors[3].message


def test_the_communes_of_all_areas_are_to_be_looked_up_once():
    offers = [
        replace(CRENEAU, area={"insee": ["34301", "34028"]}),
        replace(CRENEAU, area={"insee": ["34028"]}),
        replace(CRENEAU, area={"radius_km": 5}),
        CRENEAU,
    ]

    assert communes_named(offers) == ["34028", "34301"]


def test_an_amendment_changes_what_it_names_and_nothing_else():
    before = replace(CRENEAU, note="Sonner", acts=("suture",))

    assert Amendment().applied_to(before) == before
    assert Amendment(capacity=3).applied_to(before) == replace(before, capacity=3)
    assert Amendment(note="Frapper").applied_to(before).note == "Frapper"


def test_a_note_can_be_taken_away():
    assert Amendment(clear_note=True).applied_to(replace(CRENEAU, note="Sonner")).note is None


def test_whoever_no_longer_goes_home_has_no_area_any_more():
    at_home = replace(CRENEAU, modality="HH", area={"radius_km": 5})

    assert Amendment(modality="AMB").applied_to(at_home).area is None
    assert Amendment(note="Sonner").applied_to(at_home).area == {"radius_km": 5}


def test_an_area_for_a_practice_is_not_dropped_in_silence():
    amended = Amendment(area={"radius_km": 5}).applied_to(CRENEAU)

    assert wrong(amended) == ["area"]
