"""One table from refusals to answers, and nobody is missing from it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from slots import errors
from web import refusals
from web.errors import STATUS_OF, headers_of, problem_of, refusal_of
from web.sentences import SENTENCES


def every_refusal(kind=errors.SlotError):
    for child in kind.__subclasses__():
        yield child
        yield from every_refusal(child)


REFUSALS = sorted(set(every_refusal()), key=lambda one: one.__name__)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: one.__name__)
def test_every_refusal_has_a_status_and_a_french_sentence(refusal):
    assert 400 <= STATUS_OF[refusal] < 600
    title, detail = SENTENCES[refusal.code]
    assert title
    assert detail.endswith(".")
    assert "'" not in title + detail, "apostrophes are typographic"


def test_codes_are_unique_and_every_sentence_is_used():
    codes = [refusal.code for refusal in REFUSALS]

    assert len(set(codes)) == len(codes)
    assert set(SENTENCES) == set(codes)


@pytest.mark.parametrize(
    "error, expected",
    [
        (HTTPException(404), refusals.NotFound),
        (HTTPException(405), refusals.MethodNotAllowed),
        (HTTPException(413), refusals.BodyTooLarge),
        (HTTPException(400), refusals.Malformed),
        (HTTPException(418), refusals.Unexpected),
        (RedisConnectionError(), errors.BrokerUnavailable),
        (asyncpg.DeadlockDetectedError(""), errors.LedgerUnavailable),
        (asyncpg.CannotConnectNowError(""), errors.LedgerUnavailable),
        (asyncpg.QueryCanceledError(""), errors.LedgerUnavailable),
        (ConnectionRefusedError(), errors.LedgerUnavailable),
        (TimeoutError(), errors.LedgerUnavailable),
        (ClientDisconnect(), refusals.Malformed),
        (asyncpg.UniqueViolationError(""), refusals.Unexpected),
        (KeyError("x"), refusals.Unexpected),
    ],
)
def test_whatever_breaks_is_some_refusal(error, expected):
    assert type(refusal_of(error)) is expected


def test_an_overlap_names_the_other_slot_by_the_french_clock():
    starts_at = datetime(2026, 7, 1, 8, tzinfo=UTC)
    other = errors.OtherSlot(uuid4(), starts_at, starts_at + timedelta(minutes=20), "Cabinet")

    problem = problem_of(errors.SlotOverlap(other=other))

    assert problem.other.id == other.id
    assert problem.detail == (
        "Le professionnel a déjà un créneau mercredi 1er\u00a0juillet 2026, "
        "de 10\u00a0h à 10\u00a0h\u00a020, à Cabinet."
    )
    assert problem_of(errors.SlotOverlap()).detail == SENTENCES["slot-overlap"][1]


def test_what_the_code_says_to_itself_never_reaches_people():
    assert problem_of(errors.SlotTaken("This is English.")).detail == SENTENCES["slot-taken"][1]


def test_only_what_time_mends_says_when_to_come_back():
    assert headers_of(errors.Rebuilding()) == {"Retry-After": "2"}
    assert headers_of(refusals.TooManyTries(30)) == {"Retry-After": "30"}
    assert headers_of(errors.SlotTaken()) == {}


def test_a_lost_race_always_lists_alternatives_and_other_refusals_only_what_they_have():
    assert problem_of(errors.SlotTaken()).alternatives == []
    assert problem_of(errors.HoldExpired()).alternatives == []
    assert not isinstance(problem_of(errors.SeatsBooked()).alternatives, list)
