"""Attacks that once succeeded, or that came close: each is a way in which somebody loses."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from slots.booking import appointments, confirming, holding, offering
from slots.booking.offers import Amendment
from slots.booking.overflow import overflow
from slots.errors import (
    AppointmentUnknown,
    HoldExpired,
    LedgerUnavailable,
    NotAllowed,
    SlotUnknown,
)
from slots.store.mail import mails_to_send
from slots.transaction import entered
from tests.booking.conftest import CHOICE, a_key
from tests.booking.test_races import all_at_once, booked_seats, row_locked, until_waiting

# The only seat, confirmed in two tabs: each has a key of its own.


async def test_two_tabs_that_confirm_the_only_seat_hear_the_same_appointment(
    desk, world, offer, hold, owner, owner_url, now
):
    rolf = world.accounts["rolf"]
    slot = await offer()
    held = await hold(rolf, slot)

    async with row_locked(owner_url, slot):
        race = asyncio.ensure_future(
            all_at_once(
                confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now),
                confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now),
            )
        )
        await until_waiting(owner, 2)
    one, other = await race

    assert one == other
    assert await booked_seats(owner, slot) == [1]


async def test_two_tabs_that_move_one_booking_hear_the_same_appointment(
    desk, world, offer, hold, book, owner, owner_url, now
):
    rolf = world.accounts["rolf"]
    here, there = await offer(), await offer("bob")
    old = await book(rolf, here)
    held = await hold(rolf, there)

    async with row_locked(owner_url, there):
        race = asyncio.ensure_future(
            all_at_once(
                appointments.move(desk, rolf, old.id, held.id, a_key(), now),
                appointments.move(desk, rolf, old.id, held.id, a_key(), now),
            )
        )
        await until_waiting(owner, 2)
    one, other = await race

    assert one == other
    assert await booked_seats(owner, there) == [1]


async def test_a_hold_that_was_confirmed_in_one_tab_does_not_pass_for_a_move_in_another(
    desk, world, offer, hold, book, owner, now
):
    rolf = world.accounts["rolf"]
    here, there = await offer(), await offer("bob")
    old = await book(rolf, here)
    held = await hold(rolf, there)
    await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)

    with pytest.raises(HoldExpired):
        await appointments.move(desk, rolf, old.id, held.id, a_key(), now)

    assert await booked_seats(owner, here) == [1]


async def test_a_booking_moves_from_one_territory_to_another(desk, world, offer, hold, book, now):
    rita = world.accounts["rita"]
    here, there = await offer(), await offer("carl")
    old = await book(rita, here)
    held = await hold(rita, there)

    new = await appointments.move(desk, rita, old.id, held.id, a_key(), now)

    assert new.slot_id == there.id
    before = await appointments._visible(desk, rita, old.id)
    assert (before.status, before.moved_to) == ("cancelled", new.id)


async def test_a_note_is_amended_in_the_second_room_too(desk, world, offer, now):
    first = await offer("dora", schedule="radiology")
    second = await offer("dora", schedule="radiology")
    dora = world.accounts["dora"]
    for slot in (first, second):
        amended = await offering.amend(desk, dora, slot.id, Amendment(note="À jeun"), a_key(), now)
        assert amended.note == "À jeun"


async def test_a_colleague_of_the_same_house_must_tell_the_patient_too(
    desk, world, offer, book, now
):
    nina, ann = world.accounts["nina"], world.accounts["ann"]
    booked = await book(nina, await offer())

    cancelled = await appointments.cancel(desk, ann, booked.id, a_key(), now)

    assert cancelled.patient_to_tell


async def test_who_books_for_the_own_schedule_has_the_patient_at_hand(
    desk, world, offer, book, now
):
    olga, ann = world.accounts["olga"], world.accounts["ann"]
    booked = await book(olga, await offer())

    cancelled = await appointments.cancel(desk, ann, booked.id, a_key(), now)

    assert not cancelled.patient_to_tell


async def test_a_ledger_that_freezes_after_the_commit_does_not_unsay_it(
    desk, world, offer, hold, now, monkeypatch
):
    rolf = world.accounts["rolf"]
    held = await hold(rolf, await offer())
    desk.broker._generations.clear()

    async def frozen(*_):
        raise LedgerUnavailable

    monkeypatch.setattr("slots.booking.applying.put_slots", frozen)
    booked = await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)

    assert booked.status == "booked"


# A client that goes away.


async def test_a_client_that_leaves_while_it_confirms_leaves_all_or_nothing(
    desk, world, offer, hold, owner, owner_url, now
):
    rolf, key = world.accounts["rolf"], a_key()
    slot = await offer()
    held = await hold(rolf, slot)

    async with row_locked(owner_url, slot):
        confirmation = asyncio.ensure_future(
            confirming.confirm(desk, rolf, held.id, CHOICE, key, now)
        )
        await until_waiting(owner, 1)
        confirmation.cancel()
        with pytest.raises(asyncio.CancelledError):
            await confirmation
    assert await booked_seats(owner, slot) == []

    again = await confirming.confirm(desk, rolf, held.id, CHOICE, key, now)

    assert again.seat == 1
    assert await booked_seats(owner, slot) == [1]


async def turns_of_the_loop(count):
    loop = asyncio.get_running_loop()
    for _ in range(count):
        turned = loop.create_future()
        loop.call_soon(turned.set_result, None)
        await turned


async def leave_after(turns, request):
    task = asyncio.ensure_future(request)
    await turns_of_the_loop(turns)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_whoever_leaves_at_any_moment_gets_nobody_elses_answer(desk, world, offer, now):
    rolf, rosa = world.accounts["rolf"], world.accounts["rosa"]
    slot = await offer(capacity=2)
    mine = await holding.hold(desk, rolf, slot.id, a_key("mine"), now)

    for turns in range(60):
        await leave_after(turns, holding.hold(desk, rosa, slot.id, a_key("theirs"), now))
        assert await holding.hold(desk, rolf, slot.id, a_key("mine"), now) == mine


async def test_however_often_a_client_leaves_its_confirmation_has_one_effect(
    desk, world, offer, hold, owner, now
):
    rolf, key = world.accounts["rolf"], a_key()
    slot = await offer(capacity=2)
    held = await hold(rolf, slot)

    for turns in range(0, 200, 3):
        await leave_after(turns, confirming.confirm(desk, rolf, held.id, CHOICE, key, now))

    booked = await confirming.confirm(desk, rolf, held.id, CHOICE, key, now)
    assert await booked_seats(owner, slot) == [booked.seat]


# Those whose business it is not.


@pytest.mark.parametrize("stranger", ["emma", "carl", "rita", "nina", "dora", "cora"])
@pytest.mark.parametrize("verb", ["cancel", "seen", "fulfil", "noshow", "patient_told"])
async def test_a_stranger_changes_nothing_of_a_booking(
    desk, world, offer, book, now, stranger, verb
):
    rolf = world.accounts["rolf"]
    booked = await book(rolf, await offer(audience=("PRO",)))

    with pytest.raises((AppointmentUnknown, NotAllowed)):
        await getattr(appointments, verb)(desk, world.accounts[stranger], booked.id, a_key(), now)

    assert await appointments.seen(desk, world.accounts["ann"], booked.id, a_key(), now)


@pytest.mark.parametrize("stranger", ["rolf", "nina", "cora", "carl", "rita"])
async def test_a_stranger_changes_nothing_of_a_slot(desk, world, offer, now, stranger):
    slot, account = await offer(audience=("PRO",)), world.accounts[stranger]

    with pytest.raises(NotAllowed):
        await offering.withdraw(desk, account, slot.id, a_key(), now, cancel_booked=True)
    with pytest.raises(NotAllowed):
        await offering.amend(desk, account, slot.id, Amendment(note="Non"), a_key(), now)


@pytest.mark.parametrize(
    ("stranger", "audience", "error"),
    [
        ("carl", ("CPTS", "SNP"), SlotUnknown),
        ("rita", ("CPTS",), SlotUnknown),
        ("rolf", ("SNP",), SlotUnknown),
        ("olga", ("SNP",), NotAllowed),
        ("cora", ("CPTS", "PUBLIC"), NotAllowed),
    ],
)
async def test_nobody_holds_what_is_offered_to_others(
    desk, world, offer, now, stranger, audience, error
):
    slot = await offer(audience=audience)

    with pytest.raises(error):
        await holding.hold(desk, world.accounts[stranger], slot.id, a_key(), now)


async def test_who_is_no_longer_a_member_gets_no_more_mail(desk, world, offer, book, owner):
    olga = world.accounts["olga"]
    await owner.execute("DELETE FROM membership WHERE account_id = $1", olga.id)

    await book(world.accounts["rolf"], await offer())

    async with entered(desk.pool, None, [world.hauts]) as conn:
        (mail,) = await mails_to_send(conn, datetime.now(UTC), limit=10)
    assert mail.recipients == [world.accounts["ann"].email]


async def test_an_overflow_is_replayed_after_its_time(desk, world, now):
    rita, key = world.accounts["rita"], a_key()
    soon, bob = now + timedelta(minutes=1), world.schedules["bob"]
    booked = await overflow(desk, rita, bob, soon, CHOICE, key, now)

    late = now + timedelta(hours=1)
    assert await overflow(desk, rita, bob, soon, CHOICE, key, late) == booked
