"""seal and unseal: between the two, only the ledger ends the hold."""

from datetime import timedelta

import pytest

from slots import keys
from slots.broker import HoldEnded
from slots.errors import HoldExpired, HoldNotYours, SlotTaken
from slots.slot import HOLD_FOR
from tests.broker.stage import Stage, booked, changed, make_account, moved

A_MILLISECOND = timedelta(milliseconds=1)


async def test_it_answers_the_seat_and_the_terms_that_its_holder_agreed_to(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()
    await stage.hold(slot)
    hold = await stage.hold(slot, account)

    seal = await stage.seal(account, hold)

    assert (seal.slot_id, seal.seat, seal.terms) == (slot.id, 2, slot.terms)


async def test_a_sealed_hold_no_longer_counts_down(stage: Stage):
    slot, account = await stage.offer(), make_account()
    await stage.seal(account, await stage.hold(slot, account))

    document = await stage.document(slot)

    assert (document.status, document.held, document.held_until) == ("busy-tentative", 1, None)
    assert (await stage.types())[-1] == "slot.sealed"


async def test_time_does_not_free_a_sealed_seat(stage: Stage):
    slot, account = await stage.offer(), make_account()
    await stage.seal(account, await stage.hold(slot, account))
    stage.pass_time(HOLD_FOR)
    await stage.due()

    with pytest.raises(SlotTaken):
        await stage.hold(slot)

    assert "slot.expired" not in await stage.types()


async def test_another_tab_frees_nothing_and_seals_the_same_again(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account, key="tab")
    seal = await stage.seal(account, hold)

    with pytest.raises(SlotTaken):
        await stage.release(account, hold)
    assert await stage.hold(slot, account, key="tab") == hold

    assert await stage.seal(account, hold) == seal
    assert (await stage.types()).count("slot.sealed") == 1


async def test_at_its_deadline_it_is_too_late_to_seal(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    stage.at(hold.expires_at - A_MILLISECOND)
    await stage.seal(account, hold)
    other_slot, other = await stage.offer(), make_account()
    late = await stage.hold(other_slot, other)
    stage.at(late.expires_at)

    with pytest.raises(HoldEnded) as ended:
        await stage.seal(other, late)

    assert (ended.value.error, ended.value.slot_id) == (HoldExpired, other_slot.id)
    assert (await stage.document(other_slot)).free == 1


async def test_nobody_seals_the_hold_of_another(stage: Stage):
    hold = await stage.hold(await stage.offer())

    with pytest.raises(HoldNotYours):
        await stage.seal(make_account(), hold)


async def test_the_ledger_may_change_the_terms_under_a_seal_and_the_seal_tells_the_old_ones(
    stage: Stage,
):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)
    await stage.put(moved(slot, timedelta(hours=1)))

    assert (await stage.seal(account, hold)).terms == slot.terms


async def test_a_seal_outlives_the_slot_until_the_ledger_has_decided(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    stage.at(slot.over_at - HOLD_FOR)
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)
    stage.at(slot.ends_at)
    await stage.due()
    assert await stage.board() == {}
    assert await stage.broker.slot_ids(stage.territory) == {slot.id}

    assert await stage.put(booked(slot, hold), "slot.confirmed") == "put"

    assert await stage.broker.slot_ids(stage.territory) == set()
    assert (await stage.types())[-1] == "slot.ended"


async def test_a_seal_is_old_by_the_brokers_clock_and_sealing_again_makes_it_young(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)
    age = timedelta(seconds=30)
    assert await stage.broker.old_seals(stage.territory, age, 10) == []

    stage.pass_time(age)
    assert await stage.broker.old_seals(stage.territory, age, 10) == [(slot.id, hold.id)]
    await stage.seal(account, hold)

    assert await stage.broker.old_seals(stage.territory, age, 10) == []


async def test_an_unsealed_seat_is_free_and_the_event_says_why(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)

    await stage.unseal(slot, hold, "slot.revoked")

    assert (await stage.document(slot)).status == "free"
    assert (await stage.types())[-1] == "slot.revoked"
    assert await stage.broker.old_seals(stage.territory, timedelta(0), 10) == []
    with pytest.raises(HoldEnded) as ended:
        await stage.seal(account, hold)
    assert ended.value.error is HoldExpired


async def test_unsealing_twice_or_late_leaves_the_next_holder_alone(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)
    await stage.unseal(slot, hold)
    await stage.hold(slot)
    before = await stage.types()

    await stage.unseal(slot, hold)

    assert (await stage.document(slot)).held == 1
    assert await stage.types() == before


async def test_a_seal_without_a_hold_is_forgotten_by_unsealing_it(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.release(account, hold)
    await stage.tap.zadd(keys.named(stage.territory, "seals"), {f"{slot.id}|{hold.id}": 0})

    await stage.unseal(slot, hold)

    assert await stage.broker.old_seals(stage.territory, timedelta(0), 9) == []


async def test_unsealing_what_the_ledger_has_booked_frees_nothing(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)
    await stage.put(booked(slot, hold), "slot.confirmed")

    await stage.unseal(slot, hold)

    assert (await stage.document(slot)).status == "busy"


async def test_unsealing_the_last_hold_of_a_slot_that_is_over_forgets_it(stage: Stage):
    slot, account = await stage.offer(), make_account()
    stage.at(slot.starts_at)
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)
    stage.at(slot.ends_at)

    await stage.unseal(slot, hold)

    assert await stage.broker.slot_ids(stage.territory) == set()
    assert await stage.types() == ["slot.offered", "slot.held", "slot.sealed", "slot.ended"]


async def test_a_withdrawn_slot_shows_nothing_when_its_seal_ends(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)
    await stage.put(changed(slot, withdrawn=True), "slot.withdrawn")

    await stage.unseal(slot, hold)

    assert (await stage.types())[-1] == "slot.withdrawn"
    assert await stage.board() == {}
