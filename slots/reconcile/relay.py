"""Brings to the broker what the request that committed it did not live to bring."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from slots.booking.applying import put_slots
from slots.desk import Desk
from slots.events import EVENT_OF_VERB
from slots.ids import SlotId
from slots.store.outbox import Change, outbox_delivered, outbox_waiting
from slots.territory import Territory
from slots.transaction import entered

RELAY_AFTER: Final = timedelta(seconds=1)  # the request itself needs less
RELAY_BATCH_MAX: Final = 200  # rows of one transaction: far below its time-out
ROUNDS_MAX: Final = 10
UNKNOWN_VERB: Final = EVENT_OF_VERB["mend"]


async def relay(desk: Desk, territory: Territory, now: datetime) -> int:
    """Put what the outbox names, then forget the rows. Each second.

    A request that lived has brought its own: the broker's version says so, and the row only goes.
    Rows are forgotten only after the broker took them, in the transaction that locks them.
    Returns how many went.

    Raises:
        BrokerUnavailable, Rebuilding, LedgerUnavailable: The rows stay; the next round takes them.
    """
    delivered = 0
    for _ in range(ROUNDS_MAX):
        batch = await _relay_batch(desk, territory, now - RELAY_AFTER)
        delivered += batch
        if batch < RELAY_BATCH_MAX:
            break
    return delivered


async def _relay_batch(desk: Desk, territory: Territory, older_than: datetime) -> int:
    async with entered(desk.pool, None, [territory.id]) as conn:
        changes = await outbox_waiting(conn, older_than, RELAY_BATCH_MAX)
        known = await desk.broker.versions(territory, [change.slot_id for change in changes])
        behind = [change for change in changes if known.get(change.slot_id, 0) < change.version]
        for event, slot_ids in _by_event(behind).items():
            await put_slots(desk, slot_ids, event)
        if changes:
            await outbox_delivered(conn, [change.id for change in changes])
    return len(changes)


def _by_event(changes: list[Change]) -> dict[str, list[SlotId]]:
    # The whole slot is put, so of several changes of one slot the last gives its name.
    verbs = {change.slot_id: change.verb for change in changes}
    slots: defaultdict[str, list[SlotId]] = defaultdict(list)
    for slot_id, verb in verbs.items():
        # During an upgrade a newer process may write a verb that this one does not know.
        slots[EVENT_OF_VERB.get(verb, UNKNOWN_VERB)].append(slot_id)
    return slots
