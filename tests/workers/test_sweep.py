from datetime import timedelta

from slots.reconcile import sweep as module
from slots.reconcile.sweep import sweep
from slots.slot import HOLD_FOR


async def test_a_hold_that_ran_out_is_told(desk, world, board, offer, hold):
    slot = await offer()
    await hold(world.accounts["rolf"], slot)
    board.later(HOLD_FOR + timedelta(seconds=1))

    assert await sweep(desk, board.territory) == 1

    assert (await board.told())[-1] == "slot.expired"
    assert (await board.slot(slot.id)).status == "free"
    assert await sweep(desk, board.territory) == 0


async def test_a_slot_that_crosses_the_horizon_goes_live(desk, board, offer):
    slot = await offer(after=timedelta(hours=50))
    assert await board.slot(slot.id) is None
    board.later(timedelta(hours=3))

    assert await sweep(desk, board.territory) == 1

    assert (await board.told())[-1] == "slot.offered"


async def test_a_slot_that_has_ended_leaves_the_board_and_the_memory(desk, board, offer):
    await offer()
    board.later(timedelta(hours=3))

    assert await sweep(desk, board.territory) == 1

    assert (await board.told())[-1] == "slot.ended"
    assert await desk.broker.slot_ids(board.territory) == set()


async def test_more_than_one_batch_is_swept_in_one_round(desk, board, offer, monkeypatch):
    for number in range(5):
        await offer(after=timedelta(hours=number + 1))
    board.later(timedelta(hours=12))
    monkeypatch.setattr(module, "DUE_BATCH_MAX", 2)
    settle = desk.broker.due
    monkeypatch.setattr(desk.broker, "due", lambda territory: settle(territory, 2))

    assert await sweep(desk, board.territory) == 5
