"""What may be in a patient's contact, and until when it is kept."""

from datetime import UTC, datetime

import pytest

from slots.ids import AppointmentId, TerritoryId, new_id
from slots.patient_contact import (
    ADDRESS_LENGTH_MAX,
    AGE_MAX,
    NAME_LENGTH_MAX,
    NOT_AT_HOME,
    NOTHING_SAID,
    PatientContact,
    as_bytes,
    field_errors,
    from_bytes,
    place_of,
    purge_instant,
    tidied,
)

NOW = datetime(2026, 11, 28, 18, tzinfo=UTC)
WHOLE = PatientContact("J. D.", 1951, "06 12 34 56 78", "3 rue des Lilas, code 48")


def faults(modality="HH", **fields):
    contact = tidied(PatientContact(**fields))
    return {error.field: error.message for error in field_errors(contact, modality, NOW)}


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "J. D."},
        {"name": "Zoé d’Arc-L’Hénoret"},
        {"birth_year": NOW.year},
        {"birth_year": NOW.year - AGE_MAX},
        {"phone": "0612345678"},
        {"phone": "+33 6 12.34-56 78"},
        {"address": "3 rue des Lilas"},
    ],
    ids=str,
)
def test_each_part_is_enough_alone(fields):
    assert faults(**fields) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * (NAME_LENGTH_MAX + 1)),
        ("name", "a\x07b"),
        ("birth_year", NOW.year + 1),
        ("birth_year", NOW.year - AGE_MAX - 1),
        ("phone", "appelez la voisine"),
        ("phone", "12345"),
        ("phone", "0" * 16),
        ("address", "x" * (ADDRESS_LENGTH_MAX + 1)),
    ],
)
def test_what_cannot_be_accepted_is_said_beside_its_field_and_not_repeated(field, value):
    found = faults(**{field: value})

    assert list(found) == [field]
    assert str(value) not in found[field]


def test_an_empty_one_says_nothing():
    assert faults(name="  ", address="\n") == {"name": NOTHING_SAID}


@pytest.mark.parametrize("modality", ["AMB", "VR", None])
def test_only_a_visit_has_an_address(modality):
    assert faults(modality, address="3 rue des Lilas") == {"address": NOT_AT_HOME}


def test_on_new_years_eve_the_year_is_that_of_france():
    almost = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert field_errors(PatientContact(birth_year=2027), None, almost) == []


@pytest.mark.parametrize("at", [datetime(2026, 10, 24, 10, tzinfo=UTC), NOW])
def test_hours_are_hours_when_the_clocks_change_too(at):
    assert (purge_instant(at, 48) - at).total_seconds() == 48 * 3600


def test_what_is_sealed_comes_back_and_parts_that_were_left_out_take_no_room():
    assert from_bytes(as_bytes(WHOLE)) == WHOLE
    assert as_bytes(PatientContact(name="J. D.")) == b'{"name":"J. D."}'


def test_the_place_names_table_column_territory_and_row():
    one = AppointmentId(new_id(TerritoryId(1)))

    assert place_of(one, TerritoryId(1)) == f"patient_contact.sealed/1/{one}"
    assert place_of(one, TerritoryId(1)) != place_of(one, TerritoryId(2))
