"""arq: hurries what the loops would do anyway, and runs what has an hour of its own.

It needs a single Redis server and ends when that restarts: `keep_working` starts it again. Jobs
travel as JSON on both sides: nothing that reaches Redis can make us run code.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import arq
import msgspec
import structlog
from arq.connections import ArqRedis
from arq.typing import WorkerCoroutine
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from slots import redis_url
from slots.errors import BrokerUnavailable, Unavailable

QUEUE_NAME: Final = "chrono48:queue"
SINGLE_SERVER: Final = ("redis", "rediss", "unix")
SEND_MAILS: Final = "send_mails"
FORGET: Final = "forget"
FORGET_AT_MINUTE: Final = 17  # of each hour
JOB_TIMEOUT_S: Final = 60
AGAIN_IN_S: Final = 2.0  # after the queue's server went away
WORKED_WELL_S: Final = 10.0  # then its end is news again
HURRY_POLL_S: Final = 0.5

Job: TypeAlias = Callable[[], Awaitable[int]]

log = structlog.get_logger()


def encode(value: dict[str, Any]) -> bytes:
    """A job, or its result, as JSON. An exception is its name: arq keeps those as results."""
    return msgspec.json.encode(value, enc_hook=lambda other: type(other).__name__)


def decode(data: bytes) -> dict[str, Any]:
    """What `encode` wrote."""
    return msgspec.json.decode(data, type=dict[str, Any])


class Worker(arq.Worker):
    """Arq's, whose last word on a job may get lost.

    Arq says that word behind a shield: cut off from its server, it would fail where nobody listens.
    The job is then done again, which costs nothing.
    """

    async def finish_job(self, *args: Any, **named: Any) -> None:
        """Take a job out of the queue, where the queue can be reached."""
        with contextlib.suppress(*redis_url.UNAVAILABLE):
            await super().finish_job(*args, **named)

    async def finish_failed_job(self, *args: Any, **named: Any) -> None:
        """The same for one that could not be read, or was tried too often."""
        with contextlib.suppress(*redis_url.UNAVAILABLE):
            await super().finish_failed_job(*args, **named)


class GivenBack(Pipeline):
    """redis-py's, which always gives its connection back.

    Where the server freezes while a key is watched, redis-py asks it to unwatch, hears nothing, and
    leaves with the connection: the pool has one less for ever, and the log says “Unclosed”.
    """

    async def reset(self) -> None:
        """End what was begun, or the connection where nobody answers."""
        connection = self.connection
        try:
            await super().reset()  # type: ignore[no-untyped-call]
        except BaseException:
            if connection is not None and self.connection is connection:
                self.connection, self.watching = None, False
                await connection.disconnect(nowait=True)
                await self.connection_pool.release(connection)
            raise


class Client(ArqRedis):
    """Arq's client, with pipelines that give their connections back."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """As redis-py's."""
        return GivenBack(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class Queue:
    """The queue, from both ends. One per process."""

    def __init__(self, url: str) -> None:
        """Speak to the server at *url*; connects on first use."""
        self.redis = Client(
            redis_url.connect(url).connection_pool,
            job_serializer=encode,
            job_deserializer=decode,
            default_queue_name=QUEUE_NAME,
        )
        # One line a job and poll says less than our own loops do.
        logging.getLogger("arq").setLevel(logging.ERROR)

    async def close(self) -> None:
        """End the connections."""
        await self.redis.aclose(close_connection_pool=True)

    async def hurry_mails(self) -> None:
        """Have the mails sent now; asked twice before it is done, it is done once.

        Raises:
            BrokerUnavailable: The queue is away; the mails' own loop sends them a little later.
        """
        try:
            await self.redis.enqueue_job(SEND_MAILS, _job_id=SEND_MAILS)
        except (RedisError, OSError, TimeoutError) as error:
            raise BrokerUnavailable from error

    async def keep_working(self, *, send_mails: Job, forget: Job, stopping: asyncio.Event) -> None:
        """Run jobs until *stopping*, whatever becomes of the server meanwhile."""
        loop = asyncio.get_running_loop()
        is_away = False
        while not stopping.is_set():
            began_at = loop.time()
            error = await self._work(send_mails, forget, stopping)
            if stopping.is_set():
                return
            if not is_away or loop.time() - began_at > WORKED_WELL_S:
                log.warning("queue.away", error=type(error).__name__)
            is_away = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), AGAIN_IN_S)

    async def _work(
        self, send_mails: Job, forget: Job, stopping: asyncio.Event
    ) -> BaseException | None:
        worker = Worker(
            [_function(SEND_MAILS, send_mails)],
            cron_jobs=[arq.cron(_coroutine(forget), name=FORGET, minute=FORGET_AT_MINUTE)],
            queue_name=QUEUE_NAME,
            redis_pool=self.redis,
            handle_signals=False,
            poll_delay=HURRY_POLL_S,
            job_timeout=JOB_TIMEOUT_S,
            keep_result=0,
            timezone=UTC,
            job_serializer=encode,
            job_deserializer=decode,
            log_results=False,
        )
        working = asyncio.create_task(worker.async_run())
        stopped = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Not worker.close(): it speaks to a server that may be gone.
            tasks = [working, stopped, *worker.tasks.values()]
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        return outcomes[0] if isinstance(outcomes[0], BaseException) else None


def queue_of(url: str) -> Queue | None:
    """The queue at *url*; None where that is a Cluster or Sentinel: arq knows a single server."""
    if urlsplit(url).scheme in SINGLE_SERVER:
        return Queue(url)
    log.warning("queue.none", why="QUEUE_REDIS_URL is not a single server: nothing is hurried")
    return None


def _function(name: str, job: Job) -> Any:
    return arq.func(_coroutine(job), name=name, keep_result=0)


def _coroutine(job: Job) -> WorkerCoroutine:
    async def run(ctx: dict[Any, Any]) -> int:
        try:
            return await job()
        except Unavailable as error:
            # The loops do the same work again; arq would say so with a page of traceback.
            log.warning("job.failed", error=error.code)
            return 0

    return run
