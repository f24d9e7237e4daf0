"""Sentences for what msgspec stumbles on: each of its words must find its French one."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import pytest
from starlette.datastructures import QueryParams

from slots.errors import Invalid
from web.parsing import OTHERWISE, SENTENCES, parse_json, parse_query, utc, whole_number


class Line(msgspec.Struct, forbid_unknown_fields=True):
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Everything(msgspec.Struct, forbid_unknown_fields=True):
    need: str = ""
    id: UUID | None = None
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    word: Literal["a", "b"] = "a"
    short: Annotated[str, msgspec.Meta(max_length=3, min_length=1)] = "abc"
    many: Annotated[list[int], msgspec.Meta(max_length=2, min_length=1)] = []
    whole: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    broken: Annotated[float, msgspec.Meta(ge=1, le=9)] = 1
    yes: bool = False
    line: Line | None = None
    code: Annotated[str, msgspec.Meta(pattern="^x")] = "x"


class Needy(msgspec.Struct):
    lines: list[Line]


@pytest.mark.parametrize(
    "raw, field, message",
    [
        ('{"colour": 1}', "colour", "Ce champ n’existe pas."),
        ('{"line": {"colour": 1}}', "line.colour", "Ce champ n’existe pas."),
        ('{"id": "x"}', "id", "Un identifiant UUID est attendu."),
        ('{"at": "x"}', "at", "Un instant RFC 3339 est attendu."),
        ('{"at": "2026-11-22T08:00:00"}', "at", "L’instant doit dire son fuseau (Z ou ±hh:mm)."),
        ('{"word": "c"}', "word", "Cette valeur n’est pas admise."),
        ('{"short": "abcd"}', "short", "3 au plus."),
        ('{"short": ""}', "short", "1 au moins."),
        ('{"many": [1, 2, 3]}', "many", "2 au plus."),
        ('{"many": []}', "many", "1 au moins."),
        ('{"many": ["a"]}', "many[0]", "Un nombre entier est attendu."),
        ('{"many": "a"}', "many", "Une liste est attendue."),
        ('{"whole": 10}', "whole", "Au plus 9."),
        ('{"whole": 0}', "whole", "Au moins 1."),
        ('{"whole": 1.5}', "whole", "Un nombre entier est attendu."),
        ('{"broken": 9.5}', "broken", "Au plus 9.0."),
        ('{"broken": "x"}', "broken", "Un nombre est attendu."),
        ('{"broken": 1e400}', "broken", "Un nombre est attendu."),
        ('{"yes": 1}', "yes", "true ou false est attendu."),
        ('{"need": 1}', "need", "Un texte est attendu."),
        ('{"line": 1}', "line", "Un objet est attendu."),
        ('{"code": "y"}', "code", "Cette valeur n’est pas admise."),
        ("[]", "", "Un objet est attendu."),
    ],
)
def test_a_field_that_cannot_be_read_is_named_in_french(raw, field, message):
    with pytest.raises(Invalid) as refused:
        parse_json(raw.encode(), Everything)

    [error] = refused.value.errors
    assert (error.field, error.message) == (field, message)


def test_a_field_that_is_missing_is_named():
    with pytest.raises(Invalid) as refused:
        parse_json(b"{}", Needy)

    assert (refused.value.errors[0].field, refused.value.errors[0].message) == (
        "lines",
        "Ce champ est obligatoire.",
    )


def test_an_empty_body_is_an_empty_object():
    assert parse_json(b"", Everything) == Everything()


def test_a_query_names_what_is_given_twice():
    with pytest.raises(Invalid) as refused:
        parse_query(QueryParams("need=a&need=b"), Everything)

    assert refused.value.errors[0].field == "need"


def test_a_list_may_be_given_more_than_once():
    assert parse_query(QueryParams("many=1&many=2"), Everything).many == [1, 2]


def test_numbers_that_are_none_are_refused():
    for value in ("nan", "inf", "-inf", "1e999"):
        with pytest.raises(Invalid):
            parse_query(QueryParams({"broken": value}), Everything)


def test_instants_are_utc_or_beyond_the_calendar():
    assert utc("at", datetime.fromisoformat("2026-11-22T10:00:00+02:00")) == datetime(
        2026, 11, 22, 8, tzinfo=UTC
    )
    with pytest.raises(Invalid):
        utc("at", datetime.fromisoformat("0001-01-01T00:00:00+02:00"))


def test_no_sentence_is_an_apology_in_english():
    assert all(sentence.endswith(".") for _, sentence in SENTENCES)
    assert OTHERWISE.endswith(".")


@pytest.mark.parametrize("typed", ["", "²", "٣", "-1", "1.5", " 1", "1_0", "9" * 6, "9" * 5_000])
def test_what_is_no_number_that_somebody_means_is_none(typed):
    assert whole_number(typed) is None


def test_a_number_is_one():
    assert (whole_number("0"), whole_number("20"), whole_number("99999")) == (0, 20, 99_999)
