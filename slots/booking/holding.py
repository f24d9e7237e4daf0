"""hold, renew, release: a claim on a seat. The broker alone decides; the ledger hears nothing yet."""

from datetime import datetime

from slots.account import Account
from slots.alternatives import next_best
from slots.broker import HoldEnded
from slots.desk import Desk
from slots.document import SlotDocument, decode_slot
from slots.errors import (
    Conflict,
    HoldExpired,
    NotAllowed,
    SlotError,
    SlotUnknown,
    Unavailable,
)
from slots.ids import HoldId, SlotId, new_id
from slots.slot import Hold
from slots.store.idempotency import Key
from slots.store.slot import slots_by_id
from slots.territory import Territory
from slots.transaction import entered


async def hold(desk: Desk, account: Account, slot_id: SlotId, key: Key, now: datetime) -> Hold:
    """Hold a free seat, as long as the territory lets one; the first to ask has it. Atomic: hold.lua.

    Safe to repeat: the same key gets the same hold. An account may hold two seats of a plage
    under two keys (mother and child).

    Raises:
        SlotTaken, SlotWithdrawn, SlotNotLive, TooManyHolds: With alternatives, where there are any.
        NotAllowed: The account sees the slot and may not book it.
        SlotUnknown: There is none that this account may know of.
    """
    territory = desk.territory(slot_id)
    if territory is None or territory.id not in account.reach:
        raise SlotUnknown
    try:
        return await desk.broker.hold(
            territory, account, slot_id, HoldId(new_id(territory.id)), key.value
        )
    except NotAllowed:
        raise await _seen_or_unknown(desk, account, slot_id) from None
    except Conflict as error:
        raise await with_alternatives(desk, account, territory, error, slot_id, now) from None


async def renew(desk: Desk, account: Account, hold_id: HoldId, key: Key, now: datetime) -> Hold:
    """Hold the same seat as long once more, from now; once. Safe to repeat under the same key.

    Raises:
        HoldExpired and what else ends a hold, HoldNotYours, HoldRenewed.
    """
    territory = territory_of_hold(desk, account, hold_id)
    try:
        return await desk.broker.renew(territory, account.id, hold_id, key.value)
    except HoldEnded as ended:
        raise await ended_with_alternatives(desk, account, territory, ended, now) from None


async def release(desk: Desk, account: Account, hold_id: HoldId, now: datetime) -> None:
    """Give a held seat back. Safe to repeat; a hold that has ended by itself is no error.

    Raises:
        HoldNotYours: Somebody else holds it.
        SlotTaken: It is being confirmed.
    """
    del now
    territory = territory_of_hold(desk, account, hold_id)
    try:
        await desk.broker.release(territory, account.id, hold_id)
    except HoldEnded:
        return


def territory_of_hold(desk: Desk, account: Account, hold_id: HoldId) -> Territory:
    """Where a hold lives.

    Raises:
        HoldExpired: Nowhere that this account reaches.
    """
    territory = desk.territory(hold_id)
    if territory is None or territory.id not in account.reach:
        raise HoldExpired
    return territory


async def ended_with_alternatives(
    desk: Desk, account: Account, territory: Territory, ended: HoldEnded, now: datetime
) -> SlotError:
    """Why a hold ended, as an answer with the next best free slots."""
    error = ended.error()
    if ended.slot_id is None:
        return error
    return await with_alternatives(desk, account, territory, error, ended.slot_id, now)


async def with_alternatives(
    desk: Desk,
    account: Account,
    territory: Territory,
    error: SlotError,
    slot_id: SlotId,
    now: datetime,
) -> SlotError:
    """*error*, which now names the next best free slots. Losing a race is normal."""
    if not isinstance(error, Conflict):
        return error
    try:
        snapshot = await desk.broker.snapshot(territory)
        documents = [decode_slot(raw) for raw in snapshot.slots]
        like = next((one for one in documents if one.id == slot_id), None)
        like = like or await _from_ledger(desk, account, slot_id)
    except Unavailable:
        return error  # without alternatives it is still the true answer
    if like is None:
        return error
    hears = account.hears(territory.id)

    def may_book(document: SlotDocument) -> bool:
        return not hears.isdisjoint(document.audience) and document.ends_at > now

    error.alternatives = next_best(like, documents, may_book)
    return error


async def _from_ledger(desk: Desk, account: Account, slot_id: SlotId) -> SlotDocument | None:
    async with entered(desk.pool, account.id, account.reach) as conn:
        slot = (await slots_by_id(conn, [slot_id])).get(slot_id)
    return slot.document() if slot else None


async def _seen_or_unknown(desk: Desk, account: Account, slot_id: SlotId) -> SlotError:
    """Existence is itself a secret from one who may not see the slot."""
    async with entered(desk.pool, account.id, account.reach) as conn:
        slot = (await slots_by_id(conn, [slot_id])).get(slot_id)
    if slot and account.may_see(slot.territory_id, slot.schedule_id, slot.audience):
        return NotAllowed()
    return SlotUnknown()
