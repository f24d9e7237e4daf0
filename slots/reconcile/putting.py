"""Puts many slots at once, under one generation."""

import asyncio
from collections.abc import Iterable
from typing import Final

from slots.broker import OTHER_GENERATION
from slots.desk import Desk
from slots.ids import SlotId
from slots.slot import Slot
from slots.territory import Territory

PUTS_AT_ONCE: Final = 16


async def put_all(
    desk: Desk, territory: Territory, slots: Iterable[Slot], event: str, *, generation: str
) -> dict[SlotId, str]:
    """Put each of *slots*; returns the broker's word for each.

    Stops early where the generation is no longer the broker's: the rest have no word then.

    Raises:
        BrokerUnavailable, Rebuilding: Some may have been put, and that does no harm.
    """
    words: dict[SlotId, str] = {}
    waiting = iter(slots)

    async def put_some() -> None:
        for slot in waiting:
            word = await desk.broker.put(
                territory, slot, event, generation=generation, horizon=desk.horizon
            )
            words[slot.id] = word
            if word == OTHER_GENERATION:
                return

    tasks = [asyncio.create_task(put_some()) for _ in range(PUTS_AT_ONCE)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return words
