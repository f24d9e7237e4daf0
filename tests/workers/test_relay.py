import asyncio
from datetime import timedelta

import pytest

from slots.booking import offering
from slots.errors import Rebuilding
from slots.ids import SlotId
from slots.reconcile.relay import relay
from slots.store.slot import slots_by_id
from tests.booking.conftest import a_key

A_MOMENT = timedelta(seconds=5)


async def waiting(enter) -> int:
    async with enter() as conn:
        return await conn.fetchval("SELECT count(*) FROM outbox")


async def test_what_a_dead_request_committed_reaches_the_broker(
    desk, board, enter, deaf, offer, now
):
    with deaf():
        slot = await offer()
    assert await board.slot(slot.id) is None

    assert await relay(desk, board.territory, now + A_MOMENT) == 1

    assert (await board.slot(slot.id)).status == "free"
    assert await board.told() == ["log.started", "slot.offered"]
    assert await waiting(enter) == 0


async def test_what_a_living_request_brought_is_not_told_twice(desk, board, enter, offer, now):
    await offer()
    told = await board.told()

    assert await relay(desk, board.territory, now + A_MOMENT) == 1

    assert await board.told() == told
    assert await waiting(enter) == 0


async def test_a_request_in_flight_has_its_second(desk, board, enter, deaf, offer, now):
    with deaf():
        await offer()

    assert await relay(desk, board.territory, now - A_MOMENT) == 0

    assert await waiting(enter) == 1


async def test_a_booking_of_a_dead_confirmer_is_confirmed_by_the_relay(
    desk, world, board, deaf, offer, hold, book, now
):
    slot = await offer()
    with deaf():
        await book(world.accounts["rolf"], slot)
    assert (await board.slot(slot.id)).status == "busy-tentative"

    await relay(desk, board.territory, now + A_MOMENT)

    seen = await board.slot(slot.id)
    assert (seen.status, seen.booked, seen.held) == ("busy", 1, 0)
    assert (await board.told())[-1] == "slot.confirmed"


async def test_several_changes_of_one_slot_are_one_event_named_by_the_last(
    desk, world, board, deaf, offer, now
):
    with deaf():
        slot = await offer()
        await offering.withdraw(
            desk, world.accounts["ann"], SlotId(slot.id), a_key(), now, cancel_booked=False
        )

    assert await relay(desk, board.territory, now + A_MOMENT) == 2

    assert await board.slot(slot.id) is None
    assert await board.told() == ["log.started"]


async def test_a_verb_of_a_newer_version_holds_up_nothing(desk, board, owner, deaf, offer, now):
    with deaf():
        slot = await offer()
    await owner.execute("UPDATE outbox SET verb = 'teleport'")

    assert await relay(desk, board.territory, now + A_MOMENT) == 1

    assert await board.slot(slot.id)


async def test_several_relays_share_the_work(desk, board, enter, deaf, offer, now):
    with deaf():
        for hour in range(1, 11):
            await offer(after=timedelta(hours=hour))

    counts = await asyncio.gather(*(relay(desk, board.territory, now + A_MOMENT) for _ in range(3)))

    assert sum(counts) == 10
    assert (await board.told()).count("slot.offered") == 10
    assert await waiting(enter) == 0


async def test_while_the_broker_is_rebuilt_the_outbox_waits(
    desk, board, enter, deaf, offer, redis_client, now
):
    with deaf():
        await offer()
    await redis_client.flushall()

    with pytest.raises(Rebuilding):
        await relay(desk, board.territory, now + A_MOMENT)

    assert await waiting(enter) == 1


async def test_a_territory_relays_its_own_only(desk, world, board, enter, deaf, offer, now):
    with deaf():
        await offer("carl", schedule="carl")

    assert await relay(desk, board.territory, now + A_MOMENT) == 0
    thau = desk.territories.by_id[world.thau]
    assert await relay(desk, thau, now + A_MOMENT) == 1


async def test_an_applier_that_comes_late_changes_nothing(desk, world, board, enter, offer, book):
    slot = await offer()
    async with enter() as conn:
        before = (await slots_by_id(conn, [slot.id]))[slot.id]
    await book(world.accounts["rolf"], slot)
    told = await board.told()

    word = await desk.broker.put(
        board.territory,
        before,
        "slot.offered",
        generation=await desk.broker.generation(board.territory),
        horizon=desk.horizon,
    )

    assert word == "stale"
    assert (await board.slot(slot.id)).status == "busy"
    assert await board.told() == told
