"""Mails: in French, with whom to call, and never a word about the patient."""

from uuid import uuid4

import pytest

from slots import letters
from slots.document import ScheduleDocument, ServiceDocument
from tests.broker.stage import make_slot
from tests.unit.test_appointment import make_appointment

SCHEDULE = make_slot().card.schedule
WRITERS = [
    letters.booked,
    letters.cancelled_by_referrer,
    letters.cancelled_by_professional,
]
WHEN = "jeudi 26\u00a0novembre 2026 à 17\u00a0h\u00a030"


@pytest.mark.parametrize("write", WRITERS)
def test_a_letter_names_the_reference_the_professional_the_place_and_the_time(write):
    letter = write(make_appointment(), SCHEDULE)

    assert "K7M4QT" in letter.subject
    for words in ("K7M4QT", "Ann Martin (Maison, Bédarieux)", WHEN):
        assert words in letter.body


@pytest.mark.parametrize("write", WRITERS)
def test_a_letter_says_nothing_of_why_the_patient_comes(write):
    appointment = make_appointment(reason="fever-infection", urgency="within-24h")

    letter = write(appointment, SCHEDULE)

    for secret in ("fever", "infection", "within-24h", "24", str(appointment.id)):
        assert secret not in letter.subject + letter.body


@pytest.mark.parametrize("write", WRITERS)
def test_a_subject_is_one_line(write):
    assert "\n" not in write(make_appointment(), SCHEDULE).subject


@pytest.mark.parametrize("write", [letters.booked, letters.cancelled_by_referrer])
def test_the_professionals_side_reads_whom_to_call(write):
    body = write(make_appointment(), SCHEDULE).body

    assert "Orienté par : Rolf Garcia, Cabinet des Rosiers, 0400000004" in body


def test_the_referrer_reads_that_a_patient_is_to_be_told_and_whom_to_call():
    letter = letters.cancelled_by_professional(make_appointment(), SCHEDULE)

    assert letter.subject.startswith("Patient à prévenir")
    assert "0400000001" in letter.body
    assert "Prévenez le patient" in letter.body


def test_a_surnumeraire_is_called_one():
    assert (
        "surnuméraire" in letters.booked(make_appointment(slot_id=None, seat=None), SCHEDULE).body
    )
    assert "surnuméraire" not in letters.booked(make_appointment(), SCHEDULE).body


def test_a_service_is_named_like_a_professional():
    service = ServiceDocument(uuid4(), "Radiologie", "10", "SM44")
    schedule = ScheduleDocument(uuid4(), None, service, SCHEDULE.location)

    assert letters.owner(schedule) == "Radiologie (Maison, Bédarieux)"
