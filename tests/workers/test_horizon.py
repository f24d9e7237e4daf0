"""Another horizon, while everything runs: boards follow, whoever still knows the old one."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from slots.booking import confirming
from slots.booking.applying import put_slots
from slots.desk import look_for_territories
from slots.reconcile.mend import mend
from slots.reconcile.rebuild import rebuild
from slots.reconcile.relay import relay
from slots.store.slot import live_slots, slots_by_id
from slots.store.territory_settings import set_territory
from slots.territory_settings import Outcome, settings_of
from slots.transaction import entered
from tests.booking.conftest import CHOICE, a_key
from tests.workers.conftest import OWNER

A_MOMENT = timedelta(seconds=5)
SOON, MIDDLE, FAR, FARTHER = (timedelta(hours=hours) for hours in (2, 30, 60, 80))


@pytest.fixture
def sets_horizon(desk, world, now):
    """Cora sets it; whoever has the desk does not know yet."""

    async def to(hours, *, relayed=True):
        territory = desk.territories.by_id[world.hauts]
        async with entered(desk.pool, world.accounts["cora"].id, [world.hauts]) as conn:
            seen = await conn.fetchval(
                "SELECT settings_version FROM territory WHERE id = $1", territory.id
            )
            new = replace(settings_of(territory), horizon_h=hours)
            outcome = await set_territory(conn, territory.id, seen, new, desk.horizon, now)
        assert outcome is Outcome.SAVED
        if relayed:
            await relay(desk, territory, now + A_MOMENT)

    return to


@pytest.fixture
async def slots(offer):
    return {after: await offer(after=after) for after in (SOON, MIDDLE, FAR, FARTHER)}


async def shown(board, slots):
    """Which of the slots are on the board, by how far ahead they are."""
    return [after for after, slot in slots.items() if slot.id in await board.slots()]


async def test_slots_up_to_a_wider_horizon_appear(board, slots, sets_horizon):
    assert await shown(board, slots) == [SOON, MIDDLE]
    told = len(await board.told())

    await sets_horizon(72)

    assert await shown(board, slots) == [SOON, MIDDLE, FAR]
    assert (await board.told())[told:] == ["slot.offered"]  # and of the others nothing


async def test_slots_beyond_a_narrower_horizon_vanish_and_come_back_in_time(
    board, slots, sets_horizon
):
    await sets_horizon(24)
    assert await shown(board, slots) == [SOON]

    board.later(timedelta(hours=7))  # the first has been, and the second crosses the horizon
    assert await shown(board, slots) == [MIDDLE]


async def test_no_horizon_is_the_installations(board, slots, sets_horizon):
    await sets_horizon(24)

    await sets_horizon(None)

    assert await shown(board, slots) == [SOON, MIDDLE]


async def test_a_slot_beyond_both_goes_live_at_the_new_horizon(board, slots, sets_horizon):
    await sets_horizon(72)

    board.later(timedelta(hours=9))

    assert FARTHER in await shown(board, slots)


async def test_a_hold_beyond_the_new_horizon_stays_and_is_confirmed(
    desk, world, board, slots, hold, sets_horizon, now
):
    rolf = world.accounts["rolf"]
    held = await hold(rolf, slots[MIDDLE])

    await sets_horizon(24)
    booked = await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)

    assert booked.slot_id == slots[MIDDLE].id
    assert await shown(board, slots) == [SOON]


async def test_a_booking_at_once_by_who_does_not_know_keeps_the_slot_away(
    desk, world, board, slots, hold, sets_horizon, now
):
    """Its statement reads no horizon: it takes the broker's, of the version that it was decided on."""
    rolf = world.accounts["rolf"]
    held = await hold(rolf, slots[MIDDLE])
    await sets_horizon(24)
    assert desk.territories.by_id[world.hauts].horizon_h is None

    await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)

    assert await shown(board, slots) == [SOON]
    assert await mend(desk, board.territory, OWNER, now) == 0


async def test_a_process_that_read_the_slot_before_is_behind_when_it_puts_it_after(
    desk, world, board, slots, enter, sets_horizon
):
    async with enter() as conn:
        before = (await slots_by_id(conn, [slots[FAR].id]))[slots[FAR].id]

    await sets_horizon(72)
    word = await desk.broker.put(
        board.territory,
        before,
        "slot.amended",
        generation=await desk.broker.generation(board.territory),
        horizon=desk.horizon,
    )

    assert word == "stale"
    assert FAR in await shown(board, slots)


async def test_whoever_puts_or_mends_or_rebuilds_afterwards_has_the_new_one(
    desk, world, board, slots, sets_horizon, now
):
    await sets_horizon(72)
    told = await board.told()

    await put_slots(desk, [slot.id for slot in slots.values()], "slot.mended")
    assert await mend(desk, board.territory, OWNER, now) == 0
    assert await board.told() == told  # nobody undoes anything

    await rebuild(desk, board.territory, OWNER, now)
    assert await shown(board, slots) == [SOON, MIDDLE, FAR]


async def test_a_slot_that_is_being_inserted_is_waited_for_and_moved(
    desk, slots, owner, enter, sets_horizon
):
    """Its insert holds the territory's row. Else it could be put with the old horizon, for long."""
    columns = [
        row["column_name"]
        for row in await owner.fetch(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'slot' AND column_name NOT IN ('id', 'starts_at', 'ends_at')"
        )
    ]
    names = ", ".join(columns)
    inserting = owner.transaction()
    await inserting.start()
    slot_id = await owner.fetchval(
        f"INSERT INTO slot (id, starts_at, ends_at, {names})"
        f" SELECT gen_random_uuid(), starts_at + $2, ends_at + $2, {names} FROM slot WHERE id = $1"
        " RETURNING id",
        *(slots[SOON].id, FAR - SOON - timedelta(hours=1)),
    )

    setting = asyncio.create_task(sets_horizon(72, relayed=False))
    async with asyncio.timeout(5), enter() as conn:
        while not await conn.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            assert not setting.done()
    await inserting.commit()
    await setting

    assert await owner.fetchval("SELECT version FROM slot WHERE id = $1", slot_id) == 2


async def test_the_ledger_alone_shows_the_same_board(desk, world, slots, enter, sets_horizon, now):
    await sets_horizon(72)

    async with enter() as conn:
        found = await live_slots(conn, world.hauts, now, desk.horizon)

    assert {slot.id for slot in found} == {slots[after].id for after in (SOON, MIDDLE, FAR)}


async def test_a_process_learns_the_settings_of_a_territory_by_looking(desk, world, sets_horizon):
    await sets_horizon(72)

    await look_for_territories(desk)

    assert desk.horizon_in([world.hauts]) == timedelta(hours=72)
    assert desk.horizon_in([world.thau]) == desk.horizon
    assert desk.horizon_in([world.hauts, world.thau]) == timedelta(hours=72)


async def test_two_who_set_at_once_do_not_overwrite_each_other(desk, world, now):
    territory = desk.territories.by_id[world.hauts]

    async def sets(hours):
        async with entered(desk.pool, world.accounts["cora"].id, [world.hauts]) as conn:
            new = replace(settings_of(territory), horizon_h=hours)
            return await set_territory(conn, territory.id, 1, new, desk.horizon, now)

    assert sorted(await asyncio.gather(sets(24), sets(72))) == [Outcome.CHANGED, Outcome.SAVED]


@pytest.mark.parametrize("who", ["ann", "olga", "rolf", "carl", "rita", None])
async def test_the_door_of_the_settings_opens_to_the_coordinator_only(desk, world, who, now):
    territory = desk.territories.by_id[world.hauts]
    account_id = world.accounts[who].id if who else None
    async with entered(desk.pool, account_id, [world.hauts]) as conn:
        outcome = await set_territory(
            conn, territory.id, 1, settings_of(territory), desk.horizon, now
        )
    assert outcome is Outcome.NOT_ALLOWED


async def test_a_coordinator_sets_nothing_of_another_territory(desk, world, now):
    territory = desk.territories.by_id[world.thau]
    async with entered(desk.pool, world.accounts["cora"].id, [world.hauts, world.thau]) as conn:
        outcome = await set_territory(
            conn, territory.id, 1, settings_of(territory), desk.horizon, now
        )
    assert outcome is Outcome.NOT_ALLOWED
