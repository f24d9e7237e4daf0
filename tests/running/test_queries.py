"""The named queries of sql/*.sql: header and body must agree."""

import pytest

from slots.queries import Query, parse

BOTH = """\
-- Words about the file, with an apostrophe's trap.

-- name: first(slot_id, seat) -> one
-- It says $9 in a comment, which counts for nothing.
SELECT $1, $2, $2;

-- name: second() -> none
DELETE FROM slot;
"""


def test_a_file_is_cut_into_its_queries():
    first, second = parse(BOTH, "both.sql")

    assert (first.name, first.params, first.returns) == ("first", ("slot_id", "seat"), "one")
    assert first.sql.endswith("SELECT $1, $2, $2;")
    assert (second.params, second.sql) == ((), "DELETE FROM slot;")


def test_arguments_are_bound_by_name():
    query = Query("book", ("slot_id", "seat"), "one", "SELECT $1, $2")

    assert query.bind(seat=2, slot_id="a") == ("a", 2)


@pytest.mark.parametrize("arguments", [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 3}])
def test_a_missing_or_extra_argument_is_an_error(arguments):
    with pytest.raises(TypeError, match=r"q\(a, b\)"):
        Query("q", ("a", "b"), "one", "SELECT $1, $2").bind(**arguments)


@pytest.mark.parametrize(
    "text",
    [
        "-- name: f(a) -> one\nSELECT 1",
        "-- name: f() -> one\nSELECT $1",
        "-- name: f(a, b) -> one\nSELECT $1, $3",
        "-- name: f(a) -> several\nSELECT $1",
        "-- name: f -> one\nSELECT 1",
        "--name: f() -> one\nSELECT 1",
    ],
)
def test_a_header_that_lies_is_an_error(text):
    with pytest.raises(ValueError, match=r"x\.sql"):
        list(parse(text, "x.sql"))


async def test_asking_for_what_a_query_does_not_return_is_an_error(owner):
    query = Query("f", (), "value", "SELECT 48")

    assert await query.value(owner) == 48
    with pytest.raises(TypeError, match="returns value, not many"):
        await query.many(owner)
