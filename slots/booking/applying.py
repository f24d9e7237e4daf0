"""Brings what the ledger has committed to the broker: versioned, so twice, late or never is fine."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from slots.broker import OTHER_GENERATION
from slots.desk import Desk
from slots.errors import Rebuilding, Unavailable
from slots.events import EVENT_OF_VERB
from slots.ids import SlotId, TerritoryId, territory_of
from slots.slot import Slot
from slots.store.slot import slots_by_id
from slots.transaction import entered

GENERATION_TRIES_MAX: Final = 3
PUTS_AT_ONCE_MAX: Final = 32


async def bring(
    desk: Desk, slots: Sequence[Slot], verb: str, generations: Mapping[TerritoryId, str]
) -> None:
    """Put slots as they were read inside the transaction that has just been committed.

    *generations* are those known before that reading. Never fails: where the broker is away or
    is being rebuilt, or the ledger freezes now, the outbox waits for a worker.
    """

    async def bring_one(slot: Slot) -> None:
        territory = desk.territories.by_id[slot.territory_id]
        generation = generations.get(slot.territory_id)
        word = OTHER_GENERATION
        if generation is not None:
            word = await desk.broker.put(
                territory, slot, EVENT_OF_VERB[verb], generation=generation, horizon=desk.horizon
            )
        if word == OTHER_GENERATION:
            await put_slots(desk, [slot.id], EVENT_OF_VERB[verb])

    for start in range(0, len(slots), PUTS_AT_ONCE_MAX):
        batch = slots[start : start + PUTS_AT_ONCE_MAX]
        outcomes = await asyncio.gather(*map(bring_one, batch), return_exceptions=True)
        for outcome in outcomes:
            match outcome:
                case Unavailable():
                    return
                case BaseException():
                    raise outcome


async def put_slots(desk: Desk, slot_ids: Iterable[SlotId], event: str) -> int:
    """Read these slots in one look at the ledger and put each. Returns how many were news.

    The generation is read before the ledger: an older ledger never lands in a newer generation.

    Raises:
        BrokerUnavailable, Rebuilding: Nothing is lost; try again later.
        LedgerUnavailable: The same.
    """
    wanted = set(slot_ids)
    news = 0
    for _ in range(GENERATION_TRIES_MAX):
        by_territory: dict[TerritoryId, set[SlotId]] = {}
        for slot_id in wanted:
            number = territory_of(slot_id)
            if number is not None and number in desk.territories.by_id:
                by_territory.setdefault(number, set()).add(slot_id)
        for number, members in by_territory.items():
            territory = desk.territories.by_id[number]
            generation = await desk.broker.generation(territory)
            async with entered(desk.pool, None, [number]) as conn:
                slots = await slots_by_id(conn, members)
            for slot in slots.values():
                word = await desk.broker.put(
                    territory, slot, event, generation=generation, horizon=desk.horizon
                )
                if word != OTHER_GENERATION:
                    wanted.discard(slot.id)
                news += word == "put"
            wanted -= members - slots.keys()
        if not wanted:
            return news
    raise Rebuilding
