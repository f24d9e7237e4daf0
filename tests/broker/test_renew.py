"""renew: three minutes more, from now, once."""

from datetime import timedelta

import pytest

from slots.broker import HoldEnded
from slots.errors import (
    HoldExpired,
    HoldNotYours,
    HoldRenewed,
    IdempotencyMismatch,
    SlotTaken,
    TooManyHolds,
)
from slots.slot import HOLD_FOR, HOLDS_PER_ACCOUNT_MAX
from tests.broker.stage import Stage, make_account

A_MINUTE = timedelta(minutes=1)


async def test_the_hold_lasts_three_minutes_from_the_renewal(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    stage.pass_time(A_MINUTE)

    renewed = await stage.renew(account, hold)

    assert renewed.expires_at == stage.now + HOLD_FOR
    assert (renewed.id, renewed.slot_id, renewed.seat) == (hold.id, slot.id, 1)
    assert (await stage.document(slot)).held_until == renewed.expires_at
    assert await stage.types() == ["slot.offered", "slot.held", "slot.renewed"]


async def test_a_renewed_hold_outlives_its_first_deadline_and_ends_at_the_second(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    stage.pass_time(2 * A_MINUTE)
    renewed = await stage.renew(account, hold)

    stage.at(hold.expires_at)
    with pytest.raises(SlotTaken):
        await stage.hold(slot)
    stage.at(renewed.expires_at)

    assert (await stage.hold(slot)).seat == 1


async def test_a_renewed_hold_counts_for_its_holder_until_its_second_deadline(stage: Stage):
    account = make_account()
    slots = [await stage.offer() for _ in range(HOLDS_PER_ACCOUNT_MAX)]
    holds = [await stage.hold(slot, account) for slot in slots]
    stage.pass_time(A_MINUTE)
    for hold in holds:
        await stage.renew(account, hold)
    stage.at(holds[0].expires_at)
    sixth = await stage.offer()

    with pytest.raises(TooManyHolds):
        await stage.hold(sixth, account)
    stage.pass_time(A_MINUTE)

    assert (await stage.hold(sixth, account)).seat == 1


async def test_a_hold_is_renewed_once_only(stage: Stage):
    account = make_account()
    hold = await stage.hold(await stage.offer(), account)
    await stage.renew(account, hold)

    with pytest.raises(HoldRenewed):
        await stage.renew(account, hold)


async def test_the_same_key_is_answered_the_same_deadline(stage: Stage):
    account = make_account()
    hold = await stage.hold(await stage.offer(), account)
    first = await stage.renew(account, hold, key="one")
    stage.pass_time(A_MINUTE)

    assert await stage.renew(account, hold, key="one") == first
    assert (await stage.types()).count("slot.renewed") == 1


async def test_the_same_key_for_another_hold_is_refused(stage: Stage):
    account = make_account()
    hold = await stage.hold(await stage.offer(), account)
    other = await stage.hold(await stage.offer(), account)
    await stage.renew(account, hold, key="one")

    with pytest.raises(IdempotencyMismatch):
        await stage.renew(account, other, key="one")


async def test_a_key_of_a_hold_may_be_a_key_of_a_renewal(stage: Stage):
    account = make_account()
    hold = await stage.hold(await stage.offer(), account, key="one")
    stage.pass_time(A_MINUTE)

    renewed = await stage.renew(account, hold, key="one")

    assert renewed.expires_at == hold.expires_at + A_MINUTE


async def test_at_its_deadline_it_is_too_late(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    stage.at(hold.expires_at)

    with pytest.raises(HoldEnded) as ended:
        await stage.renew(account, hold)

    assert (ended.value.error, ended.value.slot_id) == (HoldExpired, slot.id)
    assert (await stage.types())[-1] == "slot.expired"


async def test_a_hold_that_is_being_confirmed_is_not_renewed(stage: Stage):
    account = make_account()
    hold = await stage.hold(await stage.offer(), account)
    await stage.seal(account, hold)

    with pytest.raises(HoldRenewed):
        await stage.renew(account, hold)


async def test_nobody_renews_the_hold_of_another_living_or_ended(stage: Stage):
    account, other = make_account(), make_account()
    hold = await stage.hold(await stage.offer(), account)

    with pytest.raises(HoldNotYours):
        await stage.renew(other, hold)
    stage.at(hold.expires_at)
    with pytest.raises(HoldNotYours):
        await stage.renew(other, hold)
