"""Several Redis servers that keep their data, a world in PostgreSQL, the whole service on both."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import asyncpg
import pytest

from slots.settings import Settings
from tests.forgetting.cluster import Cluster
from tests.forgetting.kinds import a_directory
from tests.forgetting.sentinel import Sentinels
from tests.forgetting.service import Service, in_service
from tests.world import World, make_world


@pytest.fixture
async def world(owner: asyncpg.Connection) -> World:
    return await make_world(owner)


@pytest.fixture
def shape() -> type[Cluster | Sentinels]:
    """How several servers stand together: a Cluster, unless a test says otherwise."""
    return Cluster


@pytest.fixture
async def redis_servers(shape: type[Cluster | Sentinels]) -> AsyncIterator[Cluster | Sentinels]:
    """Servers of this test alone, which keep their data."""
    with a_directory() as directory:
        servers = shape(directory)
        servers.start()
        await servers.form()
        yield servers
        servers.stop()


@pytest.fixture
async def service(
    redis_servers: Cluster | Sentinels, world: World, settings: Settings
) -> AsyncIterator[Service]:
    """The whole service on them."""
    async with in_service(world, replace(settings, redis_url=redis_servers.url)) as running:
        yield running


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Print what was measured, in seconds, whether or not the test passes."""

    def tell(what: str, **seconds: float) -> None:
        with capsys.disabled():
            words = (f"{name} {value:.1f} s" for name, value in seconds.items())
            print(f"\n{what}: {', '.join(words)}")

    return tell
