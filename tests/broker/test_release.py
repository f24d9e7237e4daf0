"""release: the seat is free, and everybody hears it."""

from datetime import timedelta

import pytest

from slots.broker import HoldEnded
from slots.errors import HoldExpired, HoldNotYours, SlotChanged, SlotTaken, SlotWithdrawn
from slots.ids import HoldId, new_id
from slots.slot import Hold
from tests.broker.stage import Stage, booked, changed, make_account, moved

PAST_MAX = 50  # as in lua/_common.lua


async def test_the_seat_is_free_at_once(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)

    await stage.release(account, hold)

    document = await stage.document(slot)
    assert (document.status, document.free, document.held_until) == ("free", 1, None)
    assert (await stage.types())[-1] == "slot.released"


async def test_twice_is_once(stage: Stage):
    account = make_account()
    hold = await stage.hold(await stage.offer(), account)

    await stage.release(account, hold)
    await stage.release(account, hold)

    assert (await stage.types()).count("slot.released") == 1


async def test_a_late_second_release_leaves_the_next_holder_alone(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.release(account, hold)
    await stage.hold(slot)

    await stage.release(account, hold)

    assert (await stage.document(slot)).held == 1


async def test_a_hold_that_is_being_confirmed_stays(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)

    with pytest.raises(SlotTaken):
        await stage.release(account, hold)

    assert (await stage.document(slot)).held == 1


async def test_nobody_releases_the_hold_of_another(stage: Stage):
    slot = await stage.offer()
    hold = await stage.hold(slot)

    with pytest.raises(HoldNotYours):
        await stage.release(make_account(), hold)

    assert (await stage.document(slot)).held == 1


async def test_an_unknown_hold_is_a_forgotten_hold(stage: Stage):
    slot = await stage.offer()
    never_made = Hold(HoldId(new_id(stage.territory.id)), slot.id, 1, stage.now)

    with pytest.raises(HoldEnded) as ended:
        await stage.release(make_account(), never_made)

    assert (ended.value.error, ended.value.slot_id) == (HoldExpired, None)


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (lambda slot, hold: changed(slot, withdrawn=True), SlotWithdrawn),
        (lambda slot, hold: moved(slot, timedelta(hours=1)), SlotChanged),
        (lambda slot, hold: changed(slot, seats={hold.seat: None}), SlotTaken),
        (booked, HoldExpired),
    ],
    ids=["withdrawn", "changed", "taken", "confirmed"],
)
async def test_the_holder_hears_what_became_of_the_hold(stage: Stage, end, error):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.put(end(slot, hold))

    with pytest.raises(HoldEnded) as ended:
        await stage.release(account, hold)

    assert (ended.value.error, ended.value.slot_id) == (error, slot.id)


async def test_only_the_latest_ended_holds_of_a_slot_are_remembered(stage: Stage):
    slot, account = await stage.offer(), make_account()
    holds = []
    for _ in range(PAST_MAX + 1):
        holds.append(await stage.hold(slot, account))
        await stage.release(account, holds[-1])

    with pytest.raises(HoldEnded) as ended:
        await stage.release(account, holds[0])

    assert ended.value.slot_id is None
    assert await stage.broker.slot_of_hold(stage.territory, holds[0].id) is None
    assert await stage.broker.slot_of_hold(stage.territory, holds[1].id) == slot.id
