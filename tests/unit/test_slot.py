"""A slot as the ledger has it: its seats, its life on the boards, its one word."""

from dataclasses import replace
from datetime import timedelta

import pytest

from slots.audience import Audience
from slots.slot import HORIZON_DEFAULT, STARTED_GRACE, TRANSITIONS, SlotStatus, status
from tests.broker.stage import START, changed, make_slot

A_MILLISECOND = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("capacity", "seats", "free"),
    [
        (1, {}, 1),
        (1, {1: None}, None),
        (3, {1: None}, 2),
        (3, {2: None}, 1),
        (3, {1: None, 3: None}, 2),
        (3, {1: None, 2: None, 3: None}, None),
        (2, {3: None}, 1),  # a seat from before the plage became smaller
        (1, {2: None}, None),
        (1, {1: None, 2: None}, None),
    ],
)
def test_the_lowest_seat_without_an_appointment_is_the_next(capacity, seats, free):
    assert make_slot(capacity=capacity, seats=seats).free_seat() == free


@pytest.mark.parametrize(
    ("capacity", "lasts", "over_after"),
    [
        (1, timedelta(minutes=20), STARTED_GRACE),
        (1, timedelta(minutes=3), timedelta(minutes=3)),
        (2, timedelta(hours=3), timedelta(hours=3)),
    ],
)
def test_a_creneau_is_over_soon_after_its_start_and_a_plage_at_its_end(capacity, lasts, over_after):
    slot = make_slot(capacity=capacity, lasts=lasts)

    assert slot.over_at == slot.starts_at + over_after


def test_a_slot_is_live_from_the_horizon_until_it_is_over():
    slot = make_slot(starts_at=START)
    crosses = START - HORIZON_DEFAULT

    assert slot.live_from(HORIZON_DEFAULT) == crosses
    assert not slot.is_live(crosses - A_MILLISECOND, HORIZON_DEFAULT)
    assert slot.is_live(crosses, HORIZON_DEFAULT)
    assert slot.is_live(slot.over_at - A_MILLISECOND, HORIZON_DEFAULT)
    assert not slot.is_live(slot.over_at, HORIZON_DEFAULT)
    assert slot.is_live(crosses - A_MILLISECOND, timedelta(hours=72))


def test_a_withdrawn_slot_is_never_live():
    slot = changed(make_slot(), withdrawn=True)

    assert not slot.is_live(slot.starts_at, HORIZON_DEFAULT)


@pytest.mark.parametrize(
    ("withdrawn", "free", "held", "word"),
    [
        (False, 1, 0, "free"),
        (False, 1, 1, "free"),
        (False, 0, 1, "busy-tentative"),
        (False, 0, 0, "busy"),
        (True, 1, 0, "busy-unavailable"),
        (True, 0, 1, "busy-unavailable"),
        (True, 0, 0, "busy-unavailable"),
    ],
)
def test_the_one_word_for_a_slot_is_fhirs(withdrawn, free, held, word):
    assert status(withdrawn=withdrawn, free=free, held=held) == word


def test_the_ledger_alone_knows_of_no_holds():
    slot = make_slot(capacity=3, seats={2: None}, note="Sonner")

    document = slot.document()

    assert (document.free, document.held, document.booked, document.held_until) == (2, 0, 1, None)
    assert (document.status, document.version, document.note) == ("free", 1, "Sonner")
    assert document.id == slot.id


def test_a_withdrawn_slot_has_no_free_seat():
    document = changed(make_slot(capacity=3), withdrawn=True).document()

    assert (document.free, document.status) == (0, "busy-unavailable")


def test_more_bookings_than_seats_leave_none_free_and_not_less():
    assert replace(make_slot(), seats={1: None, 2: None}).document().free == 0


def test_nothing_leads_out_of_withdrawn():
    assert not [verb for (was, verb) in TRANSITIONS if was is SlotStatus.UNAVAILABLE]


def test_only_a_free_slot_can_be_held_and_only_a_held_one_confirmed():
    assert [was for (was, verb) in TRANSITIONS if verb == "hold"] == [SlotStatus.FREE]
    assert [was for (was, verb) in TRANSITIONS if verb == "confirm"] == [SlotStatus.HELD]


def test_the_words_of_the_audience_are_those_of_the_nomenclature():
    assert [word.value for word in Audience] == ["CPTS", "SNP", "PRO", "PUBLIC"]
