"""Where the ledger contradicts a hold, the ledger wins, and the holder hears it."""

from datetime import timedelta

import pytest

from slots.broker import HoldEnded
from slots.errors import HoldExpired, SlotChanged, SlotTaken, SlotWithdrawn
from tests.broker.stage import Stage, booked, changed, make_account, moved


async def what_became_of(stage: Stage, account, hold):
    """What a holder hears who comes back to a hold."""
    with pytest.raises(HoldEnded) as ended:
        await stage.seal(account, hold)
    return ended.value.error


async def test_a_withdrawn_slot_ends_its_holds(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)

    await stage.put(changed(slot, withdrawn=True), "slot.withdrawn")

    assert await what_became_of(stage, account, hold) is SlotWithdrawn
    last = (await stage.events())[-1]
    assert (last.type, last.live) == ("slot.withdrawn", False)
    assert b'"status":"busy-unavailable"' in last.slot


async def test_other_terms_end_the_holds_of_the_old(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)

    await stage.put(moved(slot, timedelta(minutes=30)))

    assert await what_became_of(stage, account, hold) is SlotChanged
    assert (await stage.document(slot)).free == 1


async def test_another_note_ends_no_hold(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)

    await stage.put(changed(slot, note="Sonner deux fois"))

    assert (await stage.document(slot)).held_until == hold.expires_at
    assert (await stage.seal(account, hold)).seat == 1


async def test_a_seat_that_the_ledger_gave_to_another_ends_the_hold(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()
    hold = await stage.hold(slot, account)

    await stage.put(changed(slot, seats={1: None}), "slot.confirmed")

    assert await what_became_of(stage, account, hold) is SlotTaken
    assert (await stage.document(slot)).free == 1


async def test_fewer_places_end_the_holds_of_those_who_came_last(stage: Stage):
    slot = await stage.offer(capacity=3)
    accounts = [make_account() for _ in range(3)]
    holds = []
    for account in accounts:
        holds.append(await stage.hold(slot, account))
        stage.pass_time(timedelta(seconds=1))

    await stage.put(changed(slot, capacity=1))

    assert (await stage.seal(accounts[0], holds[0])).seat == 1
    for account, hold in zip(accounts[1:], holds[1:], strict=True):
        assert await what_became_of(stage, account, hold) is SlotTaken


async def test_a_seat_above_the_capacity_is_kept_while_there_are_places_enough(stage: Stage):
    slot, first, second = await stage.offer(capacity=2), make_account(), make_account()
    released = await stage.hold(slot, first)
    hold = await stage.hold(slot, second)
    await stage.release(first, released)

    await stage.put(changed(slot, capacity=1))

    assert (await stage.seal(second, hold)).seat == 2
    assert (await stage.document(slot)).free == 0


async def test_the_hold_that_became_the_appointment_is_confirmed_on_whichever_seat(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)

    await stage.put(changed(slot, seats={1: None, 2: hold.id}), "slot.confirmed")

    document = await stage.document(slot)
    assert (document.booked, document.held, document.free) == (2, 0, 0)
    assert await what_became_of(stage, account, hold) is HoldExpired


@pytest.mark.parametrize(
    "change",
    [
        lambda slot: changed(slot, withdrawn=True),
        lambda slot: moved(slot, timedelta(minutes=30)),
        lambda slot: changed(slot, seats={1: None}),
    ],
    ids=["withdrawn", "changed", "taken"],
)
async def test_a_sealed_hold_waits_for_its_row_of_hold_end(stage: Stage, change):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)

    await stage.put(change(slot))

    sealed = await stage.seal(account, hold)
    assert (sealed.slot_id, sealed.seat, sealed.terms) == (slot.id, hold.seat, slot.terms)
    assert await stage.broker.old_seals(stage.territory, timedelta(0), 9) == [(slot.id, hold.id)]


async def test_a_sealed_hold_on_a_seat_that_is_booked_counts_once(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()
    hold = await stage.hold(slot, account)
    await stage.seal(account, hold)

    await stage.put(changed(slot, seats={1: None}))

    document = await stage.document(slot)
    assert (document.booked, document.held, document.free) == (1, 0, 1)
    assert (await stage.hold(slot)).seat == 2


async def test_two_seats_confirmed_in_reverse_order_are_both_booked(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()
    first, second = await stage.hold(slot, account), await stage.hold(slot, account)
    await stage.seal(account, first)
    await stage.seal(account, second)
    once = booked(slot, second)
    twice = booked(once, first)

    await stage.put(twice, "slot.confirmed")
    assert await stage.put(once, "slot.confirmed") == "stale"

    document = await stage.document(slot)
    assert (document.booked, document.held, document.free) == (2, 0, 0)


async def test_an_overdue_hold_cannot_be_sealed_though_a_sealed_one_keeps_its_ended_slot(
    stage: Stage,
):
    slot = await stage.offer(capacity=2, lasts=timedelta(hours=1))
    stage.at(slot.ends_at - timedelta(minutes=1))
    sealer, sleeper = make_account(), make_account()
    await stage.seal(sealer, await stage.hold(slot, sealer))
    overdue = await stage.hold(slot, sleeper)
    stage.at(slot.ends_at + timedelta(hours=1))
    await stage.rebuild(slot)

    assert await what_became_of(stage, sleeper, overdue) is HoldExpired
