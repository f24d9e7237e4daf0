"""Many questions on one connection: each has its own answer, its own refusal, and its own end."""

import asyncio
from concurrent.futures import Future
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
import uvloop
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import ConnectionError, DataError, NoScriptError, ResponseError  # noqa: A004

from slots.lane import Lane, _Turn

ECHO = "return ARGV[1]"
REFUSE = "return redis.error_reply('NO this one')"
PAUSE_MS = 60_000  # ended by the test, however busy the machine is
COUNT = "return redis.call('INCR', KEYS[1])"


class CountingPool(BlockingConnectionPool):
    taken = 0

    async def get_connection(self):
        self.taken += 1
        return await super().get_connection()


@pytest.fixture
async def pool(servers):
    pool = CountingPool.from_url(servers.valkey.url, max_connections=2, timeout=1, socket_timeout=2)
    yield pool
    await pool.disconnect()


@pytest.fixture
async def server(servers):
    async with Redis.from_url(servers.valkey.url) as client:
        yield client


async def pause(server):
    """Scripts wait until the test says `client_unpause`, which is no script."""
    await server.client_pause(PAUSE_MS, all=False)


async def on_the_loop_of_production(coroutine):
    told = Future()

    async def tell():
        try:
            told.set_result(await coroutine)
        except BaseException as error:
            told.set_exception(error)
            raise

    # Nobody waits for the loop to close: uvloop (0.23.0) was seen to wait for ever for a handle of a
    # connection that was aborted.
    Thread(target=uvloop.run, args=[tell()], daemon=True).start()
    return await asyncio.wrap_future(told)


async def test_a_crowd_shares_one_connection_and_each_has_its_own_answer(pool):
    lane = Lane(pool)

    answers = await asyncio.gather(*(lane.eval(ECHO, 0, str(number)) for number in range(500)))

    assert answers == [str(number).encode() for number in range(500)]
    assert pool.taken == 1


async def test_what_is_written_while_others_wait_is_answered_behind_them(pool):
    lane = Lane(pool)

    async def ask_again(number: int) -> list[bytes]:
        return [await lane.eval(ECHO, 0, f"{number}.{round_}") for round_ in range(20)]

    for number, answers in enumerate(await asyncio.gather(*map(ask_again, range(20)))):
        assert answers == [f"{number}.{round_}".encode() for round_ in range(20)]


async def test_a_refusal_is_only_of_the_one_who_asked(pool):
    lane = Lane(pool)

    first, refused, unknown, last = await asyncio.gather(
        lane.eval(ECHO, 0, "first"),
        lane.eval(REFUSE, 0),
        lane.evalsha("0" * 40, 0),
        lane.eval(ECHO, 0, "last"),
        return_exceptions=True,
    )

    assert (first, last) == (b"first", b"last")
    assert isinstance(refused, ResponseError)
    assert isinstance(unknown, NoScriptError)


async def test_who_gives_up_before_there_is_a_connection_has_asked_nothing(pool):
    lane, key = Lane(pool), str(uuid4())
    mine = [await pool.get_connection() for _ in range(pool.max_connections)]
    given_up = asyncio.create_task(lane.eval(COUNT, 1, key))
    stayed = asyncio.create_task(lane.eval(COUNT, 1, key))
    await asyncio.wait([given_up], timeout=0)
    given_up.cancel()
    await asyncio.wait([given_up])

    for connection in mine:
        await pool.release(connection)

    assert await stayed == 1


async def test_who_gives_up_later_takes_nobodys_answer(pool, server):
    lane = Lane(pool)
    await pause(server)
    given_up = asyncio.create_task(lane.eval(ECHO, 0, "given up"))
    others = [asyncio.create_task(lane.eval(ECHO, 0, str(number))) for number in range(3)]
    while not lane._turn or not lane._turn._sent:
        done, _ = await asyncio.wait([given_up], timeout=0)
        assert not done
    given_up.cancel()
    await server.client_unpause()

    assert await asyncio.gather(*others) == [b"0", b"1", b"2"]


async def test_a_lost_connection_is_told_to_all_who_wait_and_the_next_has_another(pool, server):
    lane = Lane(pool)
    connection = await pool.get_connection()
    await connection.send_command("CLIENT", "ID")
    number = await connection.read_response()
    await pool.release(connection)
    await pause(server)
    waiting = [asyncio.create_task(lane.eval(COUNT, 1, str(uuid4()))) for _ in range(3)]
    while not lane._turn or len(lane._turn._sent) < len(waiting):
        done, _ = await asyncio.wait(waiting, timeout=0)
        assert not done

    await server.client_kill_filter(_id=str(number), skipme=False)
    lost = await asyncio.gather(*waiting, return_exceptions=True)
    await server.client_unpause()

    assert all(isinstance(error, ConnectionError) for error in lost), lost
    assert await lane.eval(ECHO, 0, "again") == b"again"


async def test_a_connection_that_closed_a_moment_ago_is_a_lost_one(servers, server):
    """On the loop of production, which refuses to write there in words of its own."""

    async def ask_on_what_is_closed() -> tuple[list[Any], bytes]:
        pool = BlockingConnectionPool.from_url(servers.valkey.url, max_connections=1, timeout=1)
        lane = Lane(pool)
        waiting = [asyncio.ensure_future(lane.eval(ECHO, 0, "before"))]
        while not lane._turn or not lane._turn._sent:
            done, _ = await asyncio.wait(waiting, timeout=0)
            assert not done
        lane._turn._connection._writer.transport.abort()
        waiting += [asyncio.ensure_future(lane.eval(ECHO, 0, "after")) for _ in range(2)]
        lost = await asyncio.gather(*waiting, return_exceptions=True)
        async with Redis.from_url(servers.valkey.url) as another:
            await another.client_unpause()
        answer = await lane.eval(ECHO, 0, "again")
        await pool.disconnect()
        return lost, answer

    await pause(server)
    lost, answer = await on_the_loop_of_production(ask_on_what_is_closed())

    assert [type(error) for error in lost] == [ConnectionError] * 3, lost
    assert answer == b"again"


async def test_a_connection_that_closes_as_the_crowd_boards_is_told_to_all(servers):
    async def board_what_is_closed() -> list[Any]:
        pool = BlockingConnectionPool.from_url(servers.valkey.url, max_connections=1, timeout=1)
        turn = _Turn(pool, at_most_s=1)
        answers = [turn.ask(("EVAL", ECHO, 0, "x")) for _ in range(2)]
        connection = await pool.get_connection()
        connection._writer.transport.abort()
        await connection._writer.wait_closed()
        await pool.release(connection)
        pool.ensure_connection = _as_it_is  # it closes after the pool has looked
        await turn.run()
        await pool.disconnect()
        return [answer.exception() for answer in answers]

    told = await on_the_loop_of_production(board_what_is_closed())

    assert [type(error) for error in told] == [ConnectionError] * 2, told


async def _as_it_is(connection) -> None:
    """Take a connection without another look at it."""


async def test_an_answer_that_nobody_reads_is_never_that_of_the_next_question(pool, server):
    """Whatever stops a turn in its middle: here its task is cancelled, and once it fails by itself."""
    for stop in (lambda turn, task: task.cancel(), lambda turn, task: turn._sent.clear()):
        lane = Lane(pool)
        await server.client_pause(100)
        waiting = [asyncio.create_task(lane.eval(ECHO, 0, "old")) for _ in range(2)]
        while not lane._turn or len(lane._turn._sent) < len(waiting):
            await asyncio.wait(waiting, timeout=0)
        [task] = lane._turns
        stop(lane._turn, task)
        await asyncio.wait([task])

        new = [lane.eval(ECHO, 0, f"new {number}") for number in range(4)]
        assert await asyncio.gather(*new) == [f"new {number}".encode() for number in range(4)]

        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_turn_ends_however_much_is_asked(pool):
    """So that a crowd cannot stay for ever with a server that the Sentinels have deposed."""
    lane = Lane(pool, turn_s=0)

    async def ask_again() -> None:
        for _ in range(5):
            assert await lane.eval(ECHO, 0, "x") == b"x"

    await asyncio.gather(ask_again(), ask_again())

    assert pool.taken >= 5


async def test_what_cannot_be_sent_is_refused_at_once_and_hurts_nobody(pool):
    lane = Lane(pool)
    good = asyncio.create_task(lane.eval(ECHO, 0, "good"))
    while not lane._turn or not lane._turn._sent:
        await asyncio.wait([good], timeout=0)

    with pytest.raises(DataError):
        await lane.eval(ECHO, 0, {"no": "word"})

    assert await good == b"good"
    first, refused = await asyncio.gather(
        lane.eval(ECHO, 0, "first"), lane.eval(ECHO, 0, {"no": "word"}), return_exceptions=True
    )
    assert (first, type(refused)) == (b"first", DataError)
