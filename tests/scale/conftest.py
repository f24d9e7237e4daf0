"""Web processes, workers and servers, each a real process of the test."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from slots.settings import Settings
from tests.booking.conftest import book, desk, hold, now, offer  # noqa: F401
from tests.scale.balancer import balancing
from tests.scale.pair import Pair
from tests.scale.service import Fleet
from tests.workers.conftest import board, deaf  # noqa: F401
from tests.world import World, make_world


@pytest.fixture
async def world(owner: asyncpg.Connection) -> World:
    return await make_world(owner)


@pytest.fixture
def fleet(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    """No process yet, on the servers of all tests."""
    fleet = Fleet(settings, tmp_path)
    yield fleet
    fleet.stop()


@pytest.fixture
async def three_webs(fleet: Fleet, world: World) -> AsyncIterator[Fleet]:
    """Three web processes behind one address, and a worker."""
    async with balancing() as balancer:
        urls = [fleet.start_web(base_url=balancer.url) for _ in range(3)]
        fleet.start_worker()
        await fleet.ready()
        balancer.before(urls)
        fleet.url = balancer.url
        yield fleet


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """PostgreSQL with a synchronous standby."""
    for folder in (tmp_path, tmp_path.parent):
        folder.chmod(0o711)
    pair = Pair(tmp_path)
    await pair.make()
    yield pair
    pair.stop()


@pytest.fixture
async def pair_owner(pair: Pair) -> AsyncIterator[asyncpg.Connection]:
    """Over the walls, to arrange, on the primary of the beginning."""
    conn = await asyncpg.connect(pair.owner_url)
    yield conn
    conn.terminate()


@pytest.fixture
async def pair_world(pair_owner: asyncpg.Connection) -> World:
    return await make_world(pair_owner)


@pytest.fixture
def pair_fleet(pair: Pair, redis_url: str, tmp_path: Path) -> Iterator[Fleet]:
    """A web process and a worker that know both addresses."""
    environ = {
        "DATABASE_URL": pair.app_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(tmp_path),
        "SECOND_FACTOR": "relaxed",
        "RATE_FACTOR": "1000",
    }
    settings = replace(Settings.from_environ(environ), owner_database_url=pair.owner_url)
    fleet = Fleet(settings, tmp_path)
    fleet.start_web()
    fleet.start_worker()
    yield fleet
    fleet.stop()
