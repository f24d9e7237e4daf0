"""What a coordinator sets for a territory, in the broker: how long, how many, how far ahead."""

from dataclasses import replace
from datetime import timedelta

import pytest

from slots.errors import TooManyHolds
from slots.slot import HOLD_FOR
from tests.broker.stage import HORIZON, changed, make_account

A_MILLISECOND, A_MINUTE = timedelta(milliseconds=1), timedelta(minutes=1)
NARROW, WIDE = HORIZON - timedelta(hours=24), HORIZON + timedelta(hours=24)


def sets(stage, **settings):
    stage.territory = replace(stage.territory, **settings)


async def live(stage) -> set:
    return set(await stage.board())


async def test_a_seat_is_held_as_long_as_its_territory_says(stage):
    sets(stage, hold_for=10 * A_MINUTE)
    account, slot = make_account(), await stage.offer()

    hold = await stage.hold(slot, account)
    assert hold.expires_at == stage.now + 10 * A_MINUTE

    stage.pass_time(HOLD_FOR + A_MINUTE)
    renewed = await stage.renew(account, hold)
    assert renewed.expires_at == stage.now + 10 * A_MINUTE


async def test_a_hold_that_stands_keeps_its_deadline_when_the_setting_changes(stage):
    slot = await stage.offer()
    hold = await stage.hold(slot)

    sets(stage, hold_for=A_MINUTE)
    stage.pass_time(HOLD_FOR - A_MILLISECOND)

    assert (await stage.document(slot)).held_until == hold.expires_at


async def test_an_account_holds_as_many_as_its_territory_says(stage):
    sets(stage, holds_max=2)
    account = make_account()
    for _ in range(2):
        await stage.hold(await stage.offer(), account)

    with pytest.raises(TooManyHolds):
        await stage.hold(await stage.offer(), account)

    sets(stage, holds_max=3)
    assert await stage.hold(await stage.offer(), account)


async def test_a_slot_is_live_within_the_horizon_that_it_was_read_with(stage):
    far = await stage.offer(starts_at=stage.now + HORIZON + timedelta(hours=2), horizon=WIDE)
    near = await stage.offer(starts_at=stage.now + HORIZON - timedelta(hours=2), horizon=NARROW)

    assert await live(stage) == {far.id}

    stage.at(near.starts_at - NARROW)
    assert await live(stage) == {far.id, near.id}


async def test_a_narrower_horizon_takes_a_slot_away_and_its_hold_stays(stage):
    slot = await stage.offer(starts_at=stage.now + HORIZON - timedelta(hours=2))
    account = make_account()
    hold = await stage.hold(slot, account)

    assert await stage.put(changed(slot, horizon=NARROW), "slot.mended") == "put"

    assert await live(stage) == set()
    assert (await stage.events())[-1].live is False
    sealed = await stage.seal(account, hold)
    assert sealed.live_from == slot.starts_at - NARROW


async def test_whoever_read_the_old_horizon_is_behind_however_late(stage):
    slot = await stage.offer(starts_at=stage.now + HORIZON + timedelta(hours=2))
    assert await stage.put(changed(slot, horizon=WIDE), "slot.mended") == "put"

    assert await stage.put(slot, "slot.amended") == "stale"

    assert await live(stage) == {slot.id}


async def test_of_a_slot_that_is_live_before_and_after_nobody_is_told(stage):
    slot = await stage.offer()
    told = await stage.types()

    assert await stage.put(replace(slot, horizon=WIDE), "slot.mended") == "same"

    assert await stage.types() == told
