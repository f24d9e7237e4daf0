import asyncio
import gc
from collections.abc import Callable
from typing import Self

import msgspec
import pytest
from redis.exceptions import RedisError

from tests.faults.proxy import proxy_to
from tests.waiting import until
from workers.loops import Loop
from workers.pulse import PULSE_FOR_S, PULSE_KEYS, beat, pulses
from workers.queue import QUEUE_NAME, Queue, decode, encode, queue_of


@pytest.fixture
async def make_queue():
    queues: list[Queue] = []

    def make(url: str) -> Queue:
        queues.append(Queue(url))
        return queues[-1]

    yield make
    for queue in queues:
        await queue.close()


class Jobs:
    """A queue at work; counts what it has done."""

    def __init__(self, queue: Queue, on_job: Callable[[], None] = lambda: None) -> None:
        self.queue, self.on_job = queue, on_job
        self.sent = 0
        self.stopping = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.working = asyncio.create_task(
            self.queue.keep_working(send_mails=self.send, forget=self.send, stopping=self.stopping)
        )
        return self

    async def __aexit__(self, *_) -> None:
        self.stopping.set()
        await asyncio.wait_for(self.working, 5)

    async def send(self) -> int:
        self.sent += 1
        self.on_job()
        return 1

    async def done(self, count: int) -> None:
        async def enough() -> bool:
            return self.sent >= count

        await until(enough)


async def test_mails_are_hurried(redis_url, make_queue):
    queue = make_queue(redis_url)

    async with Jobs(queue) as jobs:
        await queue.hurry_mails()
        await jobs.done(1)


async def test_asked_twice_before_it_is_done_it_is_done_once(redis_url, redis_client, make_queue):
    queue = make_queue(redis_url)
    await queue.hurry_mails()
    await queue.hurry_mails()

    assert await redis_client.zcard(QUEUE_NAME) == 1


async def test_a_job_travels_as_json(redis_url, redis_client, make_queue):
    await make_queue(redis_url).hurry_mails()

    (key,) = await redis_client.keys("arq:job:*")
    assert msgspec.json.decode(await redis_client.get(key))["f"] == "send_mails"


def test_what_arq_keeps_of_an_exception_is_its_name():
    assert decode(encode({"r": ValueError("a secret")})) == {"r": "ValueError"}


async def test_a_pickle_in_the_queue_is_not_opened(redis_url, redis_client, make_queue):
    queue = make_queue(redis_url)
    await redis_client.set("arq:job:evil", b"\x80\x04cos\nsystem\n(S'false'\ntR.")
    await redis_client.zadd(QUEUE_NAME, {"evil": 1})

    async with Jobs(queue) as jobs:
        await queue.hurry_mails()
        await jobs.done(1)

        async def is_gone() -> bool:
            return not await redis_client.exists("arq:job:evil")

        await until(is_gone)


async def test_the_queue_outlives_a_restart_of_its_server(unmade_servers, make_queue):
    await unmade_servers.start_valkey()
    queue = make_queue(unmade_servers.valkey.url)

    async with Jobs(queue) as jobs:
        await queue.hurry_mails()
        await jobs.done(1)
        await unmade_servers.stop("valkey")
        await unmade_servers.start_valkey()
        await queue.hurry_mails()
        await jobs.done(2)


async def test_a_last_word_that_cannot_be_said_is_no_news(redis_url, redis_client, make_queue):
    told: list[dict] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with proxy_to(redis_url) as (proxy, url):
        queue = make_queue(url)
        async with Jobs(queue, on_job=proxy.freeze) as jobs:
            await queue.hurry_mails()
            await jobs.done(1)
            before = asyncio.all_tasks()
        # Stopped, the worker has left its last word behind a shield; now its line breaks.
        left = [task for task in before if not task.done() and task is not asyncio.current_task()]
        proxy.cut()
        await asyncio.wait(left, timeout=5)
        del left, before
        gc.collect()

    assert told == []


async def test_a_server_that_freezes_under_a_question_keeps_no_connection_of_the_pool(
    redis_url, make_queue
):
    async with proxy_to(redis_url) as (proxy, url):
        queue = make_queue(url)
        pipeline = queue.redis.pipeline()
        await pipeline.watch("anything")  # as arq does before it enqueues
        proxy.freeze()

        with pytest.raises((RedisError, OSError)):
            async with pipeline:
                await pipeline.exists("anything")

        assert not queue.redis.connection_pool._in_use_connections
        proxy.cut()


@pytest.mark.parametrize("url", ["redis+cluster://a,b", "redis+sentinel://a,b/main"])
def test_what_arq_does_not_speak_is_no_queue(url):
    assert queue_of(url) is None


async def test_the_pulse_says_how_the_loops_fare(redis_url, redis_client):
    async def do() -> int:
        return 0

    good, new = Loop("sweep", 1.0, do), Loop("mend", 61.0, do)
    await good.once()
    assert await pulses(redis_url) == []

    await beat(redis_client, "worker-2", 48, [], 0.0)
    await beat(redis_client, "worker-1", 48, [good, new], good.good_at + 2.0)

    pulse, other = await pulses(redis_url)
    assert (pulse.worker, other.worker) == ("worker-1", "worker-2")
    assert [(it.name, it.good_s_ago, it.failing) for it in pulse.loops] == [
        ("sweep", 2.0, ""),
        ("mend", None, ""),
    ]
    assert 0 < await redis_client.ttl(PULSE_KEYS.format("worker-1")) <= PULSE_FOR_S
