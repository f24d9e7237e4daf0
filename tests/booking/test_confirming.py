from datetime import timedelta

import pytest

from slots.appointment import Origin
from slots.booking import appointments, confirming, holding, offering
from slots.booking.choice import Choice
from slots.booking.overflow import overflow
from slots.document import decode_slot
from slots.errors import (
    HoldExpired,
    HoldNotYours,
    IdempotencyMismatch,
    OriginNotYours,
    OverflowRefused,
    SeatsBooked,
    SlotTaken,
)
from tests.booking.conftest import CHOICE, a_key


async def on_the_board(desk, world, slot):
    snapshot = await desk.broker.snapshot(desk.territories.by_id[world.hauts])
    found = [one for one in map(decode_slot, snapshot.slots) if one.id == slot.id]
    return found[0] if found else None


async def test_a_held_seat_becomes_an_appointment(desk, world, offer, hold, now):
    slot = await offer()
    held = await hold(world.accounts["rolf"], slot)

    booked = await confirming.confirm(desk, world.accounts["rolf"], held.id, CHOICE, a_key(), now)

    assert (booked.slot_id, booked.seat, booked.status) == (slot.id, 1, "booked")
    assert booked.booked_by.organisation == "Cabinet des Rosiers"
    seen = await on_the_board(desk, world, slot)
    assert (seen.status, seen.free, seen.booked, seen.version) == ("busy", 0, 1, 2)


async def test_the_origin_follows_from_the_role(desk, world, offer, book):
    assert (await book(world.accounts["rita"], await offer())).origin == "regulation"
    slot = await offer(after=timedelta(hours=3))
    assert (await book(world.accounts["rolf"], slot)).origin == "referrer"
    slot = await offer(after=timedelta(hours=4))
    assert (await book(world.accounts["emma"], slot)).origin == "emergency"
    slot = await offer(after=timedelta(hours=5))
    assert (await book(world.accounts["ann"], slot)).origin == "self"


async def test_a_client_that_claims_another_origin_is_refused_and_keeps_its_hold(
    desk, world, offer, hold, now
):
    rolf = world.accounts["rolf"]
    held = await hold(rolf, await offer())
    lie = Choice("pain", "today", origin=Origin.REGULATION)

    with pytest.raises(OriginNotYours):
        await confirming.confirm(desk, rolf, held.id, lie, a_key(), now)

    assert (await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)).seat == 1


async def test_the_same_key_answers_the_same_appointment(desk, world, offer, hold, now):
    rolf, key = world.accounts["rolf"], a_key()
    held = await hold(rolf, await offer())

    first = await confirming.confirm(desk, rolf, held.id, CHOICE, key, now)
    again = await confirming.confirm(desk, rolf, held.id, CHOICE, key, now)
    other_key = await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)

    assert first == again == other_key


async def test_the_same_key_with_another_body_is_refused(desk, world, offer, hold, now):
    rolf, key = world.accounts["rolf"], a_key()
    held = await hold(rolf, await offer())
    await confirming.confirm(desk, rolf, held.id, CHOICE, key, now)

    with pytest.raises(IdempotencyMismatch):
        await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(key.value, b"another"), now)


async def test_after_a_cancellation_the_replay_answers_the_cancelled_appointment(
    desk, world, offer, hold, now
):
    rolf, key = world.accounts["rolf"], a_key()
    slot = await offer()
    held = await hold(rolf, slot)
    booked = await confirming.confirm(desk, rolf, held.id, CHOICE, key, now)

    await appointments.cancel(desk, rolf, booked.id, a_key(), now)

    replayed = await confirming.confirm(desk, rolf, held.id, CHOICE, key, now)
    assert (replayed.id, replayed.status) == (booked.id, "cancelled")
    assert (await on_the_board(desk, world, slot)).free == 1


async def test_somebody_elses_hold_is_refused(desk, world, offer, hold, now):
    held = await hold(world.accounts["rolf"], await offer())

    with pytest.raises(HoldNotYours):
        await confirming.confirm(desk, world.accounts["rosa"], held.id, CHOICE, a_key(), now)


async def test_a_released_hold_cannot_be_confirmed(desk, world, offer, hold, now):
    rolf = world.accounts["rolf"]
    held = await hold(rolf, await offer())
    await holding.release(desk, rolf, held.id, now)

    with pytest.raises(HoldExpired):
        await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)


async def test_the_loser_is_told_the_next_best_slots(desk, world, offer, hold):
    slot, other = await offer(), await offer("bob", after=timedelta(hours=3))
    await hold(world.accounts["rolf"], slot)

    with pytest.raises(SlotTaken) as refusal:
        await hold(world.accounts["rosa"], slot)

    assert [one.id for one in refusal.value.alternatives] == [other.id]


async def test_withdrawing_booked_seats_asks_first_then_leaves_a_patient_to_tell(
    desk, world, offer, book, now
):
    slot = await offer()
    booked = await book(world.accounts["rolf"], slot)
    ann, rosa = world.accounts["ann"], world.accounts["rosa"]

    with pytest.raises(SeatsBooked):
        await offering.withdraw(desk, ann, slot.id, a_key(), now, cancel_booked=False)
    gone = await offering.withdraw(desk, ann, slot.id, a_key(), now, cancel_booked=True)

    assert gone.status == "busy-unavailable"
    assert await on_the_board(desk, world, slot) is None
    told = await appointments.patient_told(desk, rosa, booked.id, a_key(), now)
    assert (told.cancelled_by_side, told.patient_told_at) == ("professional", now)


async def test_a_move_books_the_new_seat_and_frees_the_old_one(desk, world, offer, hold, book, now):
    rolf = world.accounts["rolf"]
    old_slot, new_slot = await offer(), await offer("bob")
    old = await book(rolf, old_slot)
    held = await hold(rolf, new_slot)

    new = await appointments.move(desk, rolf, old.id, held.id, a_key(), now)

    assert new.slot_id == new_slot.id
    assert (await on_the_board(desk, world, old_slot)).free == 1
    assert (await on_the_board(desk, world, new_slot)).booked == 1


async def test_overflow_reaches_only_those_who_accept_it(desk, world, now):
    rita = world.accounts["rita"]
    soon = now + timedelta(hours=2)

    booked = await overflow(desk, rita, world.schedules["bob"], soon, CHOICE, a_key(), now)

    assert booked.overflow
    assert booked.seat is None
    with pytest.raises(OverflowRefused):
        await overflow(desk, rita, world.schedules["ann"], soon, CHOICE, a_key(), now)
