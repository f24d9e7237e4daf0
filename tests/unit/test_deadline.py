import asyncio

import pytest

from slots.deadline import Deadline

SOON_S = 0.02


async def for_ever() -> None:
    await asyncio.Event().wait()


async def bounded(deadline: Deadline, work) -> object:
    async with deadline():
        return await work


async def test_what_ends_in_time_is_left_alone():
    deadline = Deadline(SOON_S)

    async def one() -> int:
        return 1

    assert await bounded(deadline, one()) == 1

    later = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(3 * SOON_S, later.set_result, "still here")
    assert await later == "still here"


async def test_what_takes_longer_is_cut_off():
    with pytest.raises(TimeoutError):
        await bounded(Deadline(SOON_S), for_ever())

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_each_of_many_has_its_own_end():
    deadline, loop = Deadline(5 * SOON_S), asyncio.get_running_loop()
    ends: list[float] = []

    async def one() -> None:
        began = loop.time()
        with pytest.raises(TimeoutError):
            await bounded(deadline, for_ever())
        ends.append(loop.time() - began)

    tasks = []
    for _ in range(5):
        tasks.append(asyncio.create_task(one()))
        await asyncio.wait(tasks, timeout=SOON_S)
    await asyncio.gather(*tasks)

    assert len(ends) == 5
    assert all(5 * SOON_S <= took < 50 * SOON_S for took in ends)


async def test_one_that_ended_early_does_not_shield_the_next():
    deadline = Deadline(SOON_S)

    async def nothing() -> None:
        return

    await bounded(deadline, nothing())
    with pytest.raises(TimeoutError):
        await bounded(deadline, for_ever())


async def test_somebody_elses_cancel_stays_a_cancel():
    task = asyncio.create_task(bounded(Deadline(10), for_ever()))
    await asyncio.wait([task], timeout=SOON_S)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancel_that_comes_with_the_time_out_stays_a_cancel():
    deadline = Deadline(SOON_S)
    task = asyncio.create_task(bounded(deadline, for_ever()))
    await asyncio.wait([task], timeout=SOON_S / 4)
    # Just after our timer has fired, in the same turn of the loop.
    asyncio.get_running_loop().call_at(deadline._running[0].ends_at, task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_inside_stays_what_it_is():
    async def fails() -> None:
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        await bounded(Deadline(SOON_S), fails())
