"""Errors are answers: one stable code each, and a sentence."""

import re

import pytest

from slots import errors
from slots.broker import ENDED

ANSWERS = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.SlotError) and "code" in vars(error)
]


def test_codes_are_unique():
    codes = [error.code for error in ANSWERS]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", ANSWERS, ids=lambda error: error.__name__)
def test_a_code_is_words_with_hyphens_and_a_class_says_itself_in_a_sentence(error):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)
    said = str(error([])) if error is errors.Invalid else str(error())
    assert said.endswith(".")


def test_a_message_of_its_own_is_said_instead():
    assert str(errors.SlotTaken("This hold is being confirmed.")) == "This hold is being confirmed."


def test_what_cannot_be_told_now_says_when_to_ask_again():
    unavailable = [error for error in ANSWERS if issubclass(error, errors.Unavailable)]

    assert {"broker-unavailable", "ledger-unavailable", "rebuilding", "outcome-unknown"} <= {
        error.code for error in unavailable
    }
    assert all(error.retry_after_s > 0 for error in unavailable)


def test_every_end_of_a_hold_has_an_answer():
    assert set(ENDED) == {
        *("expired", "released", "revoked", "confirmed", "taken", "withdrawn", "changed"),
    }
