"""What may become of an appointment: the table, and all that is not in it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from slots.appointment import (
    REFERENCE_ALPHABET,
    REFERENCE_LENGTH,
    TRANSITIONS,
    Appointment,
    AppointmentStatus,
    BookedBy,
    Origin,
    Side,
    new_reference,
)
from slots.ids import (
    AccountId,
    AppointmentId,
    OrganisationId,
    ScheduleId,
    SlotId,
    TerritoryId,
    new_id,
)

AT = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
HAUTS = TerritoryId(1)


def make_appointment(**fields) -> Appointment:
    appointment = Appointment(
        id=AppointmentId(new_id(HAUTS)),
        territory_id=HAUTS,
        schedule_id=ScheduleId(uuid4()),
        slot_id=SlotId(new_id(HAUTS)),
        seat=1,
        reference="K7M4QT",
        status=AppointmentStatus.BOOKED,
        origin=Origin.REFERRER,
        reason="fever-infection",
        urgency="within-24h",
        starts_at=AT,
        booked_by=BookedBy("Rolf Garcia", "Cabinet des Rosiers", "0400000004"),
        booked_by_account_id=AccountId(uuid4()),
        booked_by_organisation_id=OrganisationId(uuid4()),
        booked_at=AT,
        seen_at=None,
        outcome_at=None,
        cancelled_at=None,
        cancelled_by_side=None,
        patient_told_at=None,
        moved_to=None,
    )
    return replace(appointment, **fields)


@pytest.mark.parametrize("status", AppointmentStatus)
@pytest.mark.parametrize("verb", ["cancel", "fulfil", "noshow"])
def test_a_verb_makes_of_a_status_what_the_table_says(status, verb):
    allowed = {
        ("booked", "cancel"): "cancelled",
        ("booked", "fulfil"): "fulfilled",
        ("booked", "noshow"): "noshow",
        ("fulfilled", "noshow"): "noshow",
        ("noshow", "fulfil"): "fulfilled",
    }

    assert TRANSITIONS.get((status, verb)) == allowed.get((status.value, verb))


def test_the_table_has_no_other_verbs_and_nothing_leads_out_of_cancelled():
    assert {verb for _, verb in TRANSITIONS} == {"cancel", "fulfil", "noshow"}
    assert AppointmentStatus.CANCELLED not in {status for status, _ in TRANSITIONS}


def test_an_appointment_without_a_slot_is_overflow():
    assert make_appointment(slot_id=None, seat=None).overflow
    assert not make_appointment().overflow


@pytest.mark.parametrize(
    ("status", "side", "told_at", "to_tell"),
    [
        (AppointmentStatus.CANCELLED, Side.PROFESSIONAL, None, True),
        (AppointmentStatus.CANCELLED, Side.PROFESSIONAL, AT, False),
        (AppointmentStatus.CANCELLED, Side.REFERRER, None, False),
        (AppointmentStatus.CANCELLED, Side.MOVE, None, False),
        (AppointmentStatus.BOOKED, None, None, False),
        (AppointmentStatus.NOSHOW, None, None, False),
    ],
)
def test_a_patient_is_to_be_told_when_the_professionals_side_cancelled(
    status, side, told_at, to_tell
):
    appointment = make_appointment(status=status, cancelled_by_side=side, patient_told_at=told_at)

    assert appointment.patient_to_tell is to_tell


def test_a_reference_can_be_said_on_the_phone():
    references = [new_reference() for _ in range(500)]

    assert {len(reference) for reference in references} == {REFERENCE_LENGTH}
    assert set("".join(references)) <= set(REFERENCE_ALPHABET)
    assert not set("0O1I") & set(REFERENCE_ALPHABET)
    assert len(set(references)) > 490
