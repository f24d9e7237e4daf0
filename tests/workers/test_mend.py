import asyncio
from datetime import timedelta

from slots.reconcile.mend import mend
from tests.workers.conftest import OWNER
from tests.workers.test_rebuild import generation


async def test_what_is_right_costs_no_event(desk, world, board, offer, book, hold, now):
    await book(world.accounts["rolf"], await offer())
    await hold(world.accounts["rolf"], await offer(after=timedelta(hours=3)))
    told = await board.told()

    assert await mend(desk, board.territory, OWNER, now) == 0

    assert await board.told() == told


async def test_a_slot_that_was_changed_by_hand_is_mended(desk, board, offer, redis_client, now):
    slot = await offer()
    await redis_client.hset(board.key("docs"), str(slot.id), '{"note":"nonsense"')

    assert await mend(desk, board.territory, OWNER, now) == 1

    assert await board.slot(slot.id) == slot
    assert (await board.told())[-1] == "slot.mended"


async def test_a_slot_that_was_lost_returns(desk, board, offer, redis_client, now):
    slot = await offer()
    await redis_client.hdel(board.key("states"), str(slot.id))

    assert await mend(desk, board.territory, OWNER, now) == 1

    assert await board.slot(slot.id) == slot


async def test_a_broker_that_is_being_rebuilt_is_left_alone(desk, board, offer, redis_client, now):
    await offer()
    await redis_client.flushall()

    assert await mend(desk, board.territory, OWNER, now) == 0


async def test_a_slot_that_the_ledger_never_had_means_a_rebuild(desk, board, offer, owner, now):
    """PostgreSQL was restored to a moment before the offer."""
    slot = await offer()
    before = await generation(desk, board.territory)
    await owner.execute("DELETE FROM outbox")
    await owner.execute("DELETE FROM slot WHERE id = $1", slot.id)

    await mend(desk, board.territory, OWNER, now)

    assert await generation(desk, board.territory) > before
    assert await board.slots() == {}


async def test_a_version_that_the_ledger_never_had_means_a_rebuild(
    desk, world, board, offer, book, owner, now
):
    """PostgreSQL was restored to a moment before the booking."""
    slot = await offer()
    await book(world.accounts["rolf"], slot)
    before = await generation(desk, board.territory)
    await owner.execute("DELETE FROM hold_end")
    await owner.execute("DELETE FROM appointment")
    await owner.execute("UPDATE slot SET version = 1")

    await mend(desk, board.territory, OWNER, now)

    assert await generation(desk, board.territory) > before
    assert (await board.slot(slot.id)).status == "free"


async def test_a_slot_that_has_ended_is_no_reason_to_rebuild(desk, board, offer, now):
    slot = await offer()
    before = await generation(desk, board.territory)

    await mend(desk, board.territory, OWNER, now + timedelta(days=1))

    assert await generation(desk, board.territory) == before
    assert await board.slot(slot.id)


async def test_offers_that_come_while_it_looks_are_no_reason_to_rebuild(desk, board, offer, now):
    before = await generation(desk, board.territory)

    await asyncio.gather(
        *(offer(after=timedelta(hours=2 + number)) for number in range(10)),
        *(mend(desk, board.territory, OWNER, now) for _ in range(10)),
    )

    assert await generation(desk, board.territory) == before
    assert len(await board.slots()) == 10
