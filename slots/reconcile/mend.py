"""Compares what the broker keeps with the ledger, and mends what differs."""

from collections.abc import Collection
from datetime import datetime

import structlog

from slots.broker import OTHER_GENERATION
from slots.database import Connection
from slots.desk import Desk
from slots.ids import SlotId
from slots.reconcile.putting import put_all
from slots.reconcile.rebuild import MEND, rebuild
from slots.slot import Slot
from slots.store.slot import slots_by_id, slots_on_the_books
from slots.store.territory import ledger_identity
from slots.territory import Territory
from slots.transaction import entered, looking

log = structlog.get_logger()


async def mend(desk: Desk, territory: Territory, owner: str, now: datetime) -> int:
    """Put every slot on the books: what is right costs no event. Each minute, and when `identity`
    says another word.

    Where the broker knows more than the ledger, the ledger was restored to an earlier moment: the
    territory is rebuilt under a new generation. Returns how many slots were mended.

    Raises:
        BrokerUnavailable, Rebuilding, LedgerUnavailable: The next round looks again.
    """
    position = await desk.broker.position(territory)
    if position is None:
        return 0  # the rebuild brings it all
    generation = position.partition(".")[0]
    # The broker before the ledger: what is put was committed before, so the ledger has it.
    kept = await desk.broker.slot_ids(territory)
    async with entered(desk.pool, None, [territory.id]) as conn:
        slots = {slot.id: slot for slot in await slots_on_the_books(conn, territory.id, now)}
        # Those that have ended for the ledger, and not yet for the broker.
        slots |= await slots_by_id(conn, kept - slots.keys())
    words = await put_all(desk, territory, slots.values(), MEND, generation=generation)
    if OTHER_GENERATION in words.values():
        return 0
    stale = [slots[slot_id] for slot_id, word in words.items() if word == "stale"]
    async with entered(desk.pool, None, [territory.id]) as conn:
        went_back = await _ledger_went_back(conn, kept - slots.keys(), stale)
    if went_back:
        log.warning("ledger.went-back", territory=territory.slug)
        return await rebuild(desk, territory, owner, now)
    return list(words.values()).count("put")


async def identity(desk: Desk) -> str:
    """Which ledger this is: another word after each start, promotion or restore of PostgreSQL.

    Whoever hears another one mends at once: it may be at an earlier moment.

    Raises:
        LedgerUnavailable: Nobody can say.
    """
    async with looking(desk.pool) as conn:
        return await ledger_identity(conn)


async def _ledger_went_back(
    conn: Connection, unknown: Collection[SlotId], stale: Collection[Slot]
) -> bool:
    """Whether the broker has heard of what the ledger, read once more, still does not know."""
    if unknown:
        return True
    again = await slots_by_id(conn, [slot.id for slot in stale])
    return any(slot.id not in again or again[slot.id].version <= slot.version for slot in stale)
