"""All keys of a partition share one hash tag, so that a script's keys share a node."""

import re
from uuid import uuid4

from slots import keys
from slots.ids import AccountId, TerritoryId
from slots.territory import Territories, Territory

HAUTS = Territory(TerritoryId(1), "hauts", "Hauts", "34", 3)
THAU = Territory(TerritoryId(2), "thau", "Thau", "34", 3)
ROLF = AccountId(uuid4())


def tag(key: str) -> str:
    return re.findall(r"\{(.*?)\}", key)[0]


def test_the_keys_of_a_territory_and_its_answers_share_one_tag():
    of_hauts = [
        *(key.decode() for key in keys.of(HAUTS)),
        keys.answer(HAUTS, ROLF, "hold", "key {with} braces"),
    ]

    assert {tag(key) for key in of_hauts} == {"p3"}


def test_territories_of_a_partition_share_its_tag_and_no_key():
    assert tag(keys.named(HAUTS, "log")) == tag(keys.named(THAU, "log"))
    assert set(keys.of(HAUTS)).isdisjoint(keys.of(THAU))


def test_the_names_are_those_that_the_scripts_unpack():
    assert keys.of(HAUTS) == tuple(keys.named(HAUTS, name).encode() for name in keys.TERRITORY_KEYS)


def test_an_answer_belongs_to_one_account_and_one_verb():
    other = AccountId(uuid4())
    names = {
        keys.answer(territory, account, verb, "key")
        for territory in (HAUTS, THAU)
        for account in (ROLF, other)
        for verb in ("hold", "renew")
    }

    assert len(names) == 8


def test_a_key_says_whose_it_is():
    assert keys.territory_of(keys.named(THAU, "log")) == THAU.id


def test_territories_are_found_by_number_and_by_slug_in_order():
    found = Territories([THAU, HAUTS])

    assert list(found.by_id) == [1, 2]
    assert found.by_slug["thau"] is THAU
