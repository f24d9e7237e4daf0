"""The name of every Redis key. One hash tag a partition, so that a script's keys share a node."""

from functools import cache
from typing import Final

from slots.ids import AccountId, TerritoryId
from slots.territory import Territory

# The order in which lua/_common.lua unpacks KEYS.
TERRITORY_KEYS: Final = (
    "docs",
    "states",
    "holds",
    "holders",
    "live",
    "due",
    "seals",
    "log",
    "meta",
)


@cache
def of(territory: Territory) -> tuple[bytes, ...]:
    """The TERRITORY_KEYS of one territory; made once, as they travel."""
    return tuple(named(territory, name).encode() for name in TERRITORY_KEYS)


def named(territory: Territory, name: str) -> str:
    """One key of a territory."""
    return f"{{p{territory.partition}}}:{territory.id}:{name}"


def answer(territory: Territory, account_id: AccountId, verb: str, key: str) -> str:
    """Where the answer to one idempotency key of a hold lives."""
    return f"{{p{territory.partition}}}:{territory.id}:answer:{account_id}:{verb}:{key}"


def territory_of(key: str) -> TerritoryId:
    """The territory that a key belongs to."""
    return TerritoryId(int(key.split(":")[1]))
