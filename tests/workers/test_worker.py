"""`python -m workers`, as the Procfile runs it."""

import asyncio
import contextlib
import signal
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from slots.booking import offering
from slots.booking.offers import OfferedSlot
from slots.desk import close_desk, open_desk
from slots.document import decode_slot
from slots.errors import Unavailable
from slots.settings import Settings
from tests.booking.conftest import a_key
from tests.waiting import WITHIN_S, until
from tests.world import make_world
from workers.pulse import pulses

PROJECT = Path(__file__).parents[2]
STOP_WITHIN_S = 2.5  # 2 s, and the end of the interpreter


class Worker:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.process: asyncio.subprocess.Process | None = None
        self.said = ""

    async def start(self) -> "Worker":
        environ = {**replace(self.settings, owner_database_url="").to_environ()}
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workers"),
            cwd=PROJECT,
            env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return self

    async def says(self, words: str) -> None:
        async with asyncio.timeout(WITHIN_S):
            while words not in self.said:
                line = (await self.process.stdout.readline()).decode()
                assert line, f"it ended without saying {words!r}:\n{self.said}"
                self.said += line

    async def stop(self) -> tuple[int, float]:
        """Its status, and how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(self.process.wait(), WITHIN_S)
        self.said += (await self.process.stdout.read()).decode()
        return status, time.monotonic() - began

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self.process.stdout.read()
        self.process._transport.close()


@pytest.fixture
async def make_worker():
    made: list[Worker] = []

    async def make(settings: Settings) -> Worker:
        made.append(await Worker(settings).start())
        return made[-1]

    yield make
    for worker in made:
        await worker.kill()


async def test_it_builds_an_empty_broker_and_stops_cleanly(world, settings, redis_url, make_worker):
    worker = await make_worker(settings)
    desk = await open_desk(settings)

    async def all_ready() -> bool:
        territories = desk.territories.by_id.values()
        return all([await desk.broker.position(it) for it in territories])

    async def living():
        return await pulses(redis_url)

    await until(all_ready)
    (pulse,) = await until(living)
    assert {loop.failing for loop in pulse.loops} == {""}
    await close_desk(desk)
    status, took_s = await worker.stop()
    assert (status, took_s < STOP_WITHIN_S) == (0, True), worker.said
    assert "Traceback" not in worker.said, worker.said


async def test_it_refuses_a_role_with_too_much_right(world, settings, owner_url, make_worker):
    worker = await make_worker(replace(settings, database_url=owner_url))

    await worker.says("the walls between territories would not hold")

    assert await worker.process.wait() == 1


async def test_it_says_what_is_missing(settings, make_worker):
    worker = await make_worker(replace(settings, redis_url=""))

    await worker.says("REDIS_URL is missing")

    assert await worker.process.wait() == 1


async def test_it_serves_a_territory_that_is_added_later(world, settings, owner, make_worker, desk):
    worker = await make_worker(settings)
    await worker.says("worker.ready")
    await owner.execute(
        "INSERT INTO territory (id, slug, name, department) VALUES (7, 'new', 'New', '34')"
    )
    new = replace(min(desk.territories.by_id.values(), key=lambda it: it.id), id=7)

    async def is_ready() -> bool:
        return bool(await desk.broker.position(new))

    await until(is_ready)


async def test_it_starts_before_the_servers_and_outlives_their_restarts(
    unmade_servers, own_settings, now, make_worker
):
    worker = await make_worker(own_settings)
    await worker.says("worker.waits")
    await unmade_servers.make()
    owner = await asyncpg.connect(unmade_servers.postgres.owner_url)
    world = await make_world(owner)
    await owner.close()
    await worker.says("worker.ready")
    desk = await open_desk(own_settings)

    async def offered(hours: int):
        """Offer, whatever the servers are doing; the worker brings what we cannot."""
        starts_at = now + timedelta(hours=hours)
        slot = OfferedSlot(world.schedules["ann"], starts_at, starts_at + timedelta(minutes=20))
        with contextlib.suppress(Unavailable):
            return await offering.offer(desk, world.accounts["ann"], [slot], a_key(), now)

    async def on_the_board(count: int):
        async def look() -> bool:
            with contextlib.suppress(Unavailable):
                snapshot = await desk.broker.snapshot(desk.territories.by_id[world.hauts])
                return len({decode_slot(raw).id for raw in snapshot.slots}) == count
            return False

        await until(look)

    assert await offered(2)
    await on_the_board(1)
    await unmade_servers.stop("valkey")
    assert await offered(3)
    await unmade_servers.start_valkey()
    await on_the_board(2)
    await unmade_servers.stop("postgres")
    await unmade_servers.start_postgres()
    await until(lambda: offered(4))
    await desk.broker.redis.flushall()
    await on_the_board(3)

    await close_desk(desk)
    status, took_s = await worker.stop()
    assert (status, took_s < STOP_WITHIN_S) == (0, True), worker.said
    assert "Traceback" not in worker.said, worker.said


@pytest.mark.parametrize("server", ["valkey", "postgres"])
@pytest.mark.prove
async def test_it_stops_in_time_beside_a_frozen_server(
    own_servers, own_settings, own_owner, make_worker, server
):
    await make_world(own_owner)
    worker = await make_worker(own_settings)
    await worker.says("rebuild.ready")
    with own_servers.freeze(server):
        await worker.says("loop.failing")

        status, took_s = await worker.stop()

    assert (status, took_s < STOP_WITHIN_S) == (0, True), worker.said
