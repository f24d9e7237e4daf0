"""Ids carry their territory: a key or a wall is found without a look-up."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.ids import TERRITORY_NUMBER_MAX, TerritoryId, made_at, new_id, territory_of


@given(st.integers(1, TERRITORY_NUMBER_MAX))
def test_an_id_carries_its_territory(number: int):
    identifier = new_id(TerritoryId(number))

    assert territory_of(identifier) == number
    assert territory_of(UUID(str(identifier))) == number


def test_an_id_is_a_uuid_of_version_8():
    identifier = new_id(TerritoryId(TERRITORY_NUMBER_MAX))

    assert (identifier.version, identifier.variant) == (8, RFC_4122)


def test_an_id_says_when_it_was_made():
    before = datetime.now(UTC)

    age = made_at(new_id(TerritoryId(1))) - before

    assert timedelta(milliseconds=-1) <= age <= timedelta(seconds=5)


def test_ids_sort_by_the_millisecond_in_which_they_were_made():
    ids = [new_id(TerritoryId(1 + number % 9)) for number in range(500)]

    assert sorted(ids, key=made_at) == ids
    assert [made_at(one) for one in sorted(ids)] == [made_at(one) for one in ids]


def test_ids_made_at_once_differ():
    assert len({new_id(TerritoryId(1)) for _ in range(2_000)}) == 2_000


@pytest.mark.parametrize("number", [0, -1, TERRITORY_NUMBER_MAX + 1])
def test_a_number_that_does_not_fit_is_a_bug(number):
    with pytest.raises(AssertionError):
        new_id(TerritoryId(number))


@pytest.mark.parametrize(
    "stranger",
    [
        uuid4(),
        UUID(int=0),
        UUID("ffffffff-ffff-ffff-ffff-ffffffffffff"),
        UUID("018f0000-0000-7000-8001-000000000000"),  # version 7
        UUID("018f0000-0000-8000-8000-000000000000"),  # no territory
    ],
)
def test_an_id_that_is_not_ours_has_no_territory(stranger):
    assert territory_of(stranger) is None
