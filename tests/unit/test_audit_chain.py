"""The chain of an audit: whatever is changed, taken out or put between is found, and where."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.audit_chain import AuditRow, Break, chained, first_break
from slots.ids import AccountId, TerritoryId

AT = datetime(2026, 11, 28, 8, tzinfo=UTC)


def row(number: int, **fields) -> AuditRow:
    known = {
        "id": number,
        "territory_id": TerritoryId(1),
        "at": AT + timedelta(seconds=number),
        "account_id": AccountId(UUID(int=number)),
        "verb": "offer",
        "subject": "slot",
        "subject_id": UUID(int=number),
    }
    return AuditRow(**{**known, **fields})


def a_chain(length: int):
    rows = [row(number) for number in range(1, length + 1)]
    return list(zip(chained(rows, None), rows, strict=True))


def test_an_untouched_chain_holds():
    assert first_break(a_chain(5)) is None
    assert first_break([]) is None


@given(st.integers(2, 30), st.data())
def test_it_may_be_made_and_read_in_any_pieces(length: int, data):
    rows = [row(number) for number in range(length)]
    cut = data.draw(st.integers(1, length - 1))

    first = chained(rows[:cut], None)
    links = first + chained(rows[cut:], first[-1])

    assert links == chained(rows, None)
    pairs = list(zip(links, rows, strict=True))
    assert first_break(pairs[cut:], links[cut - 1]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"at": AT},
        {"account_id": None},
        {"account_id": AccountId(UUID(int=999))},
        {"verb": "withdraw"},
        {"subject": "hold"},
        {"subject_id": UUID(int=999)},
        {"territory_id": TerritoryId(2)},
        {"id": 999},
    ],
)
@pytest.mark.parametrize("where", [0, 2, 4])
def test_a_changed_row_is_the_first_that_does_not_hold(change, where):
    pairs = a_chain(5)
    link, honest = pairs[where]
    pairs[where] = (link, replace(honest, **change))

    found = first_break(pairs)

    assert found == Break(where + 1, link.audit_id, "the row or the link was changed")


def test_a_missing_row_a_missing_link_and_a_forged_one_are_found():
    pairs = a_chain(5)
    without_row = [*pairs[:2], (pairs[2][0], None), *pairs[3:]]
    without_link = [*pairs[:2], *pairs[3:]]
    forged = replace(pairs[3][0], hash=bytes(32))

    assert first_break(without_row) == Break(3, 3, "its row is missing")
    assert first_break(without_link) == Break(3, 4, "a link is missing")
    assert first_break([*pairs[:3], (forged, pairs[3][1])]).position == 4


def test_who_writes_all_later_links_anew_is_found_by_a_head_that_was_kept():
    honest = a_chain(5)
    rows = [one for _, one in honest]
    rows[1] = replace(rows[1], verb="withdraw")
    forged = list(zip(chained(rows, None), rows, strict=True))

    assert first_break(forged) is None  # by itself the new chain holds
    assert forged[-1][0].hash != honest[-1][0].hash  # but its head is another
