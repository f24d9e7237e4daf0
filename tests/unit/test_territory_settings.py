"""What may be set for a territory: bounds, what a change is called, codes of acts."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from slots import queries
from slots.act import ACTS_MAX, CODE_LENGTH_MAX, ActWords, code_of, faults
from slots.ids import TerritoryId
from slots.patient_contact import KEPT_H_MAX, KEPT_H_MIN
from slots.slot import HORIZON_DEFAULT
from slots.territory import (
    HOLD_FOR_S,
    HOLDS_PER_ACCOUNT,
    HORIZON_H,
    SEARCH_RADIUS_KM,
    Territory,
)
from slots.territory_settings import changes, settings_of
from web.pages import settings_form
from web.pages.finding import RADIUS_KM_CHOICES
from web.pages.settings_form import NUMBERS

HAUTS = Territory(TerritoryId(1), "hauts", "CPTS Hauts", "34", 0)
NOW = settings_of(HAUTS)


@pytest.mark.parametrize(
    ("column", "bounds"),
    [
        ("horizon_h", HORIZON_H),
        ("hold_for_s", HOLD_FOR_S),
        ("holds_per_account_max", HOLDS_PER_ACCOUNT),
        ("search_radius_km", SEARCH_RADIUS_KM),
        ("contact_kept_h", (KEPT_H_MIN, KEPT_H_MAX)),
    ],
)
def test_the_bounds_are_those_of_the_table(column, bounds):
    schema = (queries.SQL_DIRECTORY / "schema.sql").read_text()

    assert f"CHECK ({column} BETWEEN {bounds[0]} AND {bounds[1]})" in schema


def test_every_radius_that_is_offered_may_be_set():
    low, high = SEARCH_RADIUS_KM

    assert all(low <= km <= high for km in RADIUS_KM_CHOICES)


def test_a_territory_without_a_horizon_has_the_usual_one():
    assert HAUTS.horizon(HORIZON_DEFAULT) == HORIZON_DEFAULT
    assert replace(HAUTS, horizon_h=72).horizon(HORIZON_DEFAULT) == timedelta(hours=72)


def test_a_change_is_called_by_what_was_and_what_is():
    after = replace(NOW, horizon_h=72, default_audience=("CPTS", "PRO"), search_radius_km=20)

    assert changes(NOW, after) == [
        "setting horizon_h - 72",
        "setting default_audience CPTS+SNP CPTS+PRO",
        "setting search_radius_km - 20",
    ]
    assert changes(after, after) == []


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_number_is_taken_up_to_its_bounds_and_not_beyond(number):
    low, high = number.bounds

    def errors(typed):
        filled = settings_form.filled(NOW, 1)
        fields = [*filled.values.items(), ("default_audience", "CPTS")]
        return settings_form.read([*fields, (number.name, typed)]).errors

    for typed in (str(low), str(high), f" {low} "):
        assert errors(typed) == {}
    for typed in (str(low - 1), str(high + 1), "-1", "1.5", "١٢٠", "9" * 5000, "beaucoup"):
        assert set(errors(typed)) == {number.name}
    assert (errors("") == {}) is (number.default is None)


def test_a_form_that_is_sent_as_it_begins_says_what_is_set():
    territory = replace(HAUTS, horizon_h=36, search_radius_km=10)
    filled = settings_form.filled(settings_of(territory), 7)
    fields = [*filled.values.items(), *(("default_audience", word) for word in filled.audience)]

    read = settings_form.read([*fields, ("version", "7")])

    assert read.settings == settings_of(territory)
    assert read.version == 7


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("Suture", "suture"),
        ("Échographie du cœur", "echographie-du-coeur"),
        ("  Pose d’un plâtre (bras) ", "pose-d-un-platre-bras"),
        ("ECG / Holter 24 h", "ecg-holter-24-h"),
        ("!?", ""),
    ],
)
def test_the_code_of_an_act_is_made_from_its_label(label, code):
    assert code_of(label) == code


def test_a_code_is_short_and_always_a_word_of_its_format():
    code = code_of("très " * 40)

    assert len(f"{code}-{ACTS_MAX}") <= CODE_LENGTH_MAX + 4
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)


def test_each_field_of_an_act_says_what_is_wrong_with_it():
    assert faults(ActWords("Suture", "", prescription_required=False)) == {}
    assert set(faults(ActWords("", "a" * 501, prescription_required=False))) == {
        "label",
        "preparation",
    }
