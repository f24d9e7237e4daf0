"""What an account sees of the live boards: from the hub, or from the ledger when Redis is away."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import msgspec
from starlette.requests import Request

from slots.account import Account
from slots.audience import Audience
from slots.document import SlotDocument
from slots.errors import BrokerUnavailable, FieldError, Invalid, NotAllowed, Rebuilding
from slots.events import Position
from slots.ids import SlotId, TerritoryId
from slots.store.slot import live_slots
from slots.territory import Territories
from slots.transaction import entered


@dataclass(slots=True)
class Seen:
    """The live slots that somebody sees. *raw*: the same as JSON, where they came so."""

    source: Literal["broker", "ledger"] = "broker"
    at: dict[str, Position] = field(default_factory=dict)
    slots: list[SlotDocument] = field(default_factory=list)
    raw: dict[SlotId, bytes] = field(default_factory=dict)

    def json(self, document: SlotDocument) -> msgspec.Raw:
        """One of the slots as JSON, without writing it again where that can be spared."""
        raw = self.raw.get(SlotId(document.id))
        return msgspec.Raw(msgspec.json.encode(document) if raw is None else raw)


def territories_asked(
    account: Account, slugs: Iterable[str], territories: Territories
) -> list[TerritoryId]:
    """The territories that a query names, or all that the account reaches.

    Raises:
        Invalid: There is no such territory.
        NotAllowed: The account does not reach it.
    """
    wanted = list(slugs)
    for slug in wanted:
        if slug not in territories.by_slug:
            raise Invalid([FieldError("territory", "Ce territoire n’est pas connu ici.")])
        if territories.by_slug[slug].id not in account.reach:
            raise NotAllowed
    if not wanted:
        return account.reach
    return sorted({territories.by_slug[slug].id for slug in wanted})


async def seen_by(
    request: Request[Any], account: Account, territory_ids: Iterable[TerritoryId]
) -> Seen:
    """What the account may see of these boards now.

    Raises:
        LedgerUnavailable: Redis is away, and the ledger is too.
    """
    numbers = list(territory_ids)
    try:
        return await _from_hub(request, account, numbers)
    except (BrokerUnavailable, Rebuilding):
        return await _from_ledger(request, account, numbers)


async def _from_hub(
    request: Request[Any], account: Account, territory_ids: list[TerritoryId]
) -> Seen:
    seen = Seen()
    for territory_id in territory_ids:
        board = await request.state["hub"].board(territory_id)
        slug = request.state["desk"].territories.by_id[territory_id].slug
        seen.at[slug] = board.at
        seen.slots += [
            document
            for document in board.slots.values()
            if may_see(account, territory_id, document)
        ]
        seen.raw |= board.raw
    return seen


async def _from_ledger(
    request: Request[Any], account: Account, territory_ids: list[TerritoryId]
) -> Seen:
    desk = request.state["desk"]
    seen = Seen(source="ledger")
    async with entered(desk.pool, account.id, territory_ids) as conn:
        for territory_id in territory_ids:
            found = await live_slots(conn, territory_id, desk.clock.now(), desk.horizon)
            seen.slots += [
                document
                for document in (slot.document() for slot in found)
                if may_see(account, territory_id, document)
            ]
    return seen


def may_see(account: Account, territory_id: TerritoryId, document: SlotDocument) -> bool:
    """Whether this slot is on the account's screens."""
    return account.may_see(territory_id, document.schedule.id, _audience(tuple(document.audience)))


@cache
def _audience(words: tuple[str, ...]) -> frozenset[Audience]:
    """Of four words there are few lists, and a board has many slots."""
    return frozenset(Audience(word) for word in words)
