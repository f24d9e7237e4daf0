import asyncio

from slots.errors import LedgerUnavailable
from workers.duties import REBUILD_EVERY_S, duties
from workers.loops import FAILING_WAIT_MAX_S, Loop
from workers.post import Post
from workers.workshop import Workshop


async def test_a_loop_carries_on_whatever_goes_wrong():
    stopping, rounds = asyncio.Event(), []

    async def do() -> int:
        rounds.append(len(rounds))
        match len(rounds):
            case 1:
                raise LedgerUnavailable
            case 2:
                raise ZeroDivisionError
            case 5:
                stopping.set()
        return 1

    await asyncio.wait_for(Loop("test", 0.001, do).run(stopping), 5)

    assert len(rounds) == 5


async def test_a_loop_that_fails_says_so_and_waits_longer_each_time():
    async def do() -> int:
        raise LedgerUnavailable

    loop = Loop("test", 1.0, do)
    waits = []
    for _ in range(20):
        await loop.once()
        waits.append(loop.wait_s())

    assert waits[:2] == [2.0, 4.0]
    assert waits[-1] == FAILING_WAIT_MAX_S
    assert (loop.failing, loop.good_at) == ("ledger-unavailable", None)


async def test_a_rare_loop_that_fails_does_not_wait_for_its_whole_period():
    async def do() -> int:
        raise LedgerUnavailable

    loop = Loop("test", 61.0, do)
    await loop.once()

    assert loop.wait_s() == FAILING_WAIT_MAX_S


async def test_a_rebuild_is_tried_each_second_however_long_redis_was_away(desk):
    """Whoever has to wait for it waits for a free seat."""
    workshop = Workshop(desk, Post("nobody@example.test", None), None)
    rebuild = next(loop for loop in duties(workshop) if loop.name == "rebuild")
    rebuild.failures = 20

    assert rebuild.wait_s() == REBUILD_EVERY_S


async def test_a_good_round_forgets_the_failures():
    answers = iter([LedgerUnavailable(), 0])

    async def do() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    loop = Loop("test", 1.0, do)
    await loop.once()
    await loop.once()

    assert (loop.failing, loop.wait_s()) == ("", 1.0)
    assert loop.good_at is not None


async def test_a_loop_finishes_its_round_when_it_is_stopped():
    stopping, begun, done = asyncio.Event(), asyncio.Event(), []

    async def do() -> int:
        begun.set()
        await stopping.wait()
        done.append(True)
        return 0

    running = asyncio.create_task(Loop("test", 60.0, do).run(stopping))
    await begun.wait()
    stopping.set()
    await asyncio.wait_for(running, 5)

    assert done == [True]
