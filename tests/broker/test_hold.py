"""hold: first come, first served, within what one account may do."""

from datetime import timedelta

import pytest

from slots.audience import Role
from slots.errors import (
    IdempotencyMismatch,
    NotAllowed,
    SlotNotLive,
    SlotTaken,
    SlotUnknown,
    SlotWithdrawn,
    TooManyHolds,
)
from slots.ids import TerritoryId
from slots.slot import HOLD_FOR, HOLDS_PER_ACCOUNT_MAX
from tests.broker.stage import START, Stage, changed, make_account, make_slot

A_MILLISECOND = timedelta(milliseconds=1)
A_MINUTE = timedelta(minutes=1)


async def test_a_free_seat_is_the_callers_for_three_minutes(stage: Stage):
    slot = await stage.offer()

    hold = await stage.hold(slot)

    assert (hold.slot_id, hold.seat, hold.expires_at) == (slot.id, 1, START + timedelta(minutes=3))
    document = await stage.document(slot)
    assert (document.status, document.free, document.held, document.booked) == (
        *("busy-tentative", 0, 1, 0),
    )
    assert document.held_until == hold.expires_at


async def test_the_second_of_two_hears_that_the_seat_is_taken(stage: Stage):
    slot = await stage.offer()
    await stage.hold(slot)

    with pytest.raises(SlotTaken):
        await stage.hold(slot)

    assert await stage.types() == ["slot.offered", "slot.held"]


async def test_a_plage_gives_each_its_own_seat_until_none_is_left(stage: Stage):
    slot = await stage.offer(capacity=3)

    seats = [(await stage.hold(slot)).seat for _ in range(3)]

    assert seats == [1, 2, 3]
    with pytest.raises(SlotTaken):
        await stage.hold(slot)


async def test_a_plage_is_free_while_one_seat_is_and_held_until_says_when_the_first_ends(
    stage: Stage,
):
    slot = await stage.offer(capacity=2)
    first = await stage.hold(slot)
    stage.pass_time(timedelta(minutes=1))

    assert (await stage.document(slot)).status == "free"
    await stage.hold(slot)

    document = await stage.document(slot)
    assert (document.status, document.held_until) == ("busy-tentative", first.expires_at)


async def test_a_seat_that_was_given_back_is_the_next_to_be_held(stage: Stage):
    slot, account = await stage.offer(capacity=3), make_account()
    first = await stage.hold(slot, account)
    await stage.hold(slot)
    await stage.release(account, first)

    assert (await stage.hold(slot)).seat == 1
    assert (await stage.hold(slot)).seat == 3


async def test_booked_seats_are_passed_over(stage: Stage):
    slot = await stage.offer(capacity=3, seats={2: None})

    assert [(await stage.hold(slot)).seat for _ in range(2)] == [1, 3]
    with pytest.raises(SlotTaken):
        await stage.hold(slot)


async def test_mother_and_child_take_two_seats_of_a_plage_under_two_keys(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()

    mother = await stage.hold(slot, account, key="mother")
    child = await stage.hold(slot, account, key="child")

    assert (mother.seat, child.seat) == (1, 2)
    assert mother.id != child.id


async def test_the_same_key_is_answered_the_same_hold_with_the_same_deadline(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()
    first = await stage.hold(slot, account, key="one")
    stage.pass_time(timedelta(minutes=1))

    again = await stage.hold(slot, account, key="one")

    assert again == first
    assert await stage.types() == ["slot.offered", "slot.held"]


async def test_the_same_key_for_another_slot_is_refused(stage: Stage):
    account = make_account()
    await stage.hold(await stage.offer(), account, key="one")
    other = await stage.offer()

    with pytest.raises(IdempotencyMismatch):
        await stage.hold(other, account, key="one")

    assert (await stage.document(other)).free == 1


async def test_a_key_is_only_its_accounts(stage: Stage):
    await stage.hold(await stage.offer(), make_account(), key="one")
    other = await stage.offer()

    assert (await stage.hold(other, make_account(), key="one")).slot_id == other.id


async def test_a_refusal_is_not_remembered(stage: Stage):
    slot, account, other = await stage.offer(), make_account(), make_account()
    hold = await stage.hold(slot, other)
    with pytest.raises(SlotTaken):
        await stage.hold(slot, account, key="one")
    await stage.release(other, hold)

    assert (await stage.hold(slot, account, key="one")).seat == 1


async def test_an_expired_hold_can_be_taken_by_the_next_in_line_without_a_sweep(stage: Stage):
    slot = await stage.offer()
    hold = await stage.hold(slot)
    stage.at(hold.expires_at - A_MILLISECOND)
    with pytest.raises(SlotTaken):
        await stage.hold(slot)

    stage.at(hold.expires_at)
    await stage.hold(slot)

    assert await stage.types() == ["slot.offered", "slot.held", "slot.expired", "slot.held"]


async def test_one_account_holds_five_seats_and_no_more(stage: Stage):
    account = make_account()
    for _ in range(HOLDS_PER_ACCOUNT_MAX):
        await stage.hold(await stage.offer(), account)
    sixth = await stage.offer()

    with pytest.raises(TooManyHolds):
        await stage.hold(sixth, account)

    assert (await stage.hold(sixth, make_account())).seat == 1


async def test_overdue_holds_do_not_count_though_nobody_swept(stage: Stage):
    account = make_account()
    for _ in range(HOLDS_PER_ACCOUNT_MAX):
        await stage.hold(await stage.offer(), account)
    slot = await stage.offer()

    stage.pass_time(HOLD_FOR - A_MILLISECOND)
    with pytest.raises(TooManyHolds):
        await stage.hold(slot, account)
    stage.pass_time(A_MILLISECOND)

    assert (await stage.hold(slot, account)).seat == 1


async def test_holds_of_a_slot_that_is_over_do_not_count_though_nobody_swept(stage: Stage):
    account = make_account()
    ending = await stage.offer(capacity=HOLDS_PER_ACCOUNT_MAX, starts_at=START, lasts=A_MINUTE)
    for _ in range(HOLDS_PER_ACCOUNT_MAX):
        await stage.hold(ending, account)
    slot = await stage.offer()
    with pytest.raises(TooManyHolds):
        await stage.hold(slot, account)

    stage.pass_time(A_MINUTE)

    await stage.hold(slot, account)


async def test_sealed_holds_count_however_old(stage: Stage):
    account = make_account()
    for _ in range(HOLDS_PER_ACCOUNT_MAX):
        await stage.seal(account, await stage.hold(await stage.offer(), account))
    stage.pass_time(2 * HOLD_FOR)
    slot = await stage.offer()

    with pytest.raises(TooManyHolds):
        await stage.hold(slot, account)


async def test_a_hold_that_ended_in_any_way_makes_room_for_another(stage: Stage):
    account = make_account()
    slots = [await stage.offer() for _ in range(HOLDS_PER_ACCOUNT_MAX)]
    holds = [await stage.hold(slot, account) for slot in slots]

    await stage.release(account, holds[0])
    await stage.put(changed(slots[1], withdrawn=True))
    await stage.seal(account, holds[2])
    await stage.unseal(slots[2], holds[2])
    await stage.put(changed(slots[3], seats={1: holds[3].id}))

    for _ in range(4):
        await stage.hold(await stage.offer(), account)
    last = await stage.offer()
    with pytest.raises(TooManyHolds):
        await stage.hold(last, account)


NEIGHBOUR = make_account(neighbours=frozenset({TerritoryId(1)}))


@pytest.mark.parametrize(
    ("account", "audience", "may"),
    [
        (make_account(Role.REFERRER), "CPTS", True),
        (make_account(Role.PROFESSIONAL), "CPTS", True),
        (make_account(Role.DELEGATE), "CPTS", True),
        (make_account(Role.REGULATOR), "CPTS", False),
        (make_account(Role.COORDINATOR), "CPTS", False),
        (NEIGHBOUR, "CPTS", False),
        (make_account(Role.REFERRER), "SNP", False),
        (make_account(Role.REGULATOR), "SNP", True),
        (NEIGHBOUR, "SNP", False),
        (make_account(Role.REFERRER), "PRO", True),
        (make_account(Role.REGULATOR), "PRO", True),
        (make_account(Role.COORDINATOR), "PRO", False),
        (NEIGHBOUR, "PRO", True),
        (NEIGHBOUR, "PUBLIC", True),
        (NEIGHBOUR, "CPTS SNP PUBLIC", True),
        (NEIGHBOUR, "CPTS SNP", False),
    ],
)
async def test_the_script_itself_asks_whom_the_slot_is_for(stage: Stage, account, audience, may):
    slot = await stage.offer(audience=tuple(audience.split()))

    if may:
        assert (await stage.hold(slot, account)).seat == 1
    else:
        with pytest.raises(NotAllowed):
            await stage.hold(slot, account)


async def test_a_slot_beyond_the_horizon_cannot_be_held_until_it_crosses_it(stage: Stage):
    slot = await stage.offer(starts_at=START + timedelta(hours=48, milliseconds=1))
    with pytest.raises(SlotNotLive):
        await stage.hold(slot)
    assert await stage.types() == []

    stage.pass_time(A_MILLISECOND)
    await stage.hold(slot)

    assert await stage.types() == ["slot.offered", "slot.held"]


async def test_a_withdrawn_slot_cannot_be_held(stage: Stage):
    slot = await stage.offer()
    await stage.put(changed(slot, withdrawn=True), "slot.withdrawn")

    with pytest.raises(SlotWithdrawn):
        await stage.hold(slot)


async def test_a_slot_that_nobody_put_is_unknown(stage: Stage):
    with pytest.raises(SlotUnknown):
        await stage.hold(make_slot())


async def test_a_creneau_can_be_held_until_five_minutes_after_its_start(stage: Stage):
    slot = await stage.offer(capacity=1, lasts=timedelta(minutes=20))
    stage.at(slot.starts_at + timedelta(minutes=5) - A_MILLISECOND)
    await stage.hold(slot)

    stage.pass_time(A_MILLISECOND)
    with pytest.raises(SlotUnknown):
        await stage.hold(slot)

    assert await stage.types() == ["slot.offered", "slot.held", "slot.ended"]


async def test_a_plage_can_be_held_until_its_end(stage: Stage):
    slot = await stage.offer(capacity=2, lasts=timedelta(hours=3))
    stage.at(slot.ends_at - A_MILLISECOND)
    await stage.hold(slot)

    stage.at(slot.ends_at)
    with pytest.raises(SlotUnknown):
        await stage.hold(slot)
