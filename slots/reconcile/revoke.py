"""Ends the holds that a confirmer has sealed and never come back to."""

from typing import Final

from slots.booking.applying import put_slots
from slots.desk import Desk
from slots.events import EVENT_OF_VERB
from slots.ids import HoldId, SlotId
from slots.slot import SEAL_FOR
from slots.store.audit import record
from slots.store.booking import revoke_hold
from slots.territory import Territory
from slots.transaction import entered

REVOKE_BATCH_MAX: Final = 100  # seals a call


async def revoke(desk: Desk, territory: Territory) -> int:
    """Free the seats of seals older than SEAL_FOR, or confirm them. Every few seconds.

    The danger is a confirmer that is only slow: `hold_end` takes one row a hold, so either its
    appointment stands and the broker hears of it here, or it finds the hold ended when it wakes.
    Returns how many seals went.

    Raises:
        BrokerUnavailable, Rebuilding, LedgerUnavailable: The seal stays; the next round takes it.
    """
    seals = await desk.broker.old_seals(territory, SEAL_FOR, REVOKE_BATCH_MAX)
    for slot_id, hold_id in seals:
        await _end_seal(desk, territory, slot_id, hold_id)
    return len(seals)


async def _end_seal(desk: Desk, territory: Territory, slot_id: SlotId, hold_id: HoldId) -> None:
    async with entered(desk.pool, None, [territory.id]) as conn:
        # Waits for a confirmation that is just being committed.
        end = await revoke_hold(conn, hold_id, territory.id)
        if end.is_new:
            await record(conn, territory.id, None, "revoke", "hold", [hold_id])
    why = "revoke"
    if end.appointment_id is not None:
        await put_slots(desk, [slot_id], EVENT_OF_VERB["confirm"])
        # The put has made the hold a booked seat, unless the appointment was cancelled since:
        # only then is there something left to unseal.
        why = "cancel"
    await desk.broker.unseal(territory, slot_id, hold_id, EVENT_OF_VERB[why])
