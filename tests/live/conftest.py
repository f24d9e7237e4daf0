"""A broker with two empty territories, and a Valkey that a test may stop, freeze or empty."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from slots.broker import Broker
from slots.settings import Settings
from slots.territory import Territories
from tests.browser import ServerInTest, Service, serving
from tests.conftest import SERVER_READY_WITHIN_S
from tests.faults.processes import Process
from tests.live.making import HAUTS, THAU, make_slot
from tests.live.viewer import Viewer
from tests.live.waiting import soon
from tests.world import World, make_world
from web.__main__ import configuration
from web.catalogue import ActLabels
from web.live.hub import Hub
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices
from workers.embedded.valkey import Valkey

HORIZON = timedelta(hours=48)
LEASE = timedelta(seconds=30)


class OwnValkey:
    """A server of this test alone. Nothing of it survives a stop: what a failover may do."""

    def __init__(self, directory: Path) -> None:
        choices = Choices.make().with_free_ports()
        self.valkey = Valkey(directory, directory / "log", servers_account(), choices)
        self.url = self.valkey.url
        self.valkey.prepare()
        self.process = Process(self.valkey.program("--appendonly", "no"))

    async def start(self) -> None:
        self.process.start()
        await self.valkey.wait_ready(SERVER_READY_WITHIN_S)


@pytest.fixture
async def own_valkey(tmp_path: Path) -> AsyncIterator[OwnValkey]:
    tmp_path.chmod(0o711)
    directory = tmp_path / "valkey"
    server = OwnValkey(directory)
    await server.start()
    yield server
    server.process.stop()


class Ledger:
    """What the ledger's side does to the broker, in short."""

    def __init__(self, url: str) -> None:
        self.broker = Broker.connect(url)
        self.generation = 0

    async def rebuild(self, *territories) -> None:
        """A new generation with nothing in it."""
        self.generation += 1
        for territory in territories or (HAUTS, THAU):
            assert (await self.broker.begin(territory, self.generation, "test", LEASE))[
                0
            ] == "begun"
            assert await self.broker.ready(territory, self.generation, "test") is not None

    async def offer(self, territory=HAUTS, **fields):
        starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
        slot = make_slot(starts_at=starts_at, territory=territory, **fields)
        word = await self.broker.put(
            territory, slot, "slot.offered", generation=str(self.generation), horizon=HORIZON
        )
        assert word == "put"
        return slot


@pytest.fixture
async def ledger(own_valkey: OwnValkey) -> AsyncIterator[Ledger]:
    ledger = Ledger(own_valkey.url)
    await ledger.rebuild()
    yield ledger
    await ledger.broker.close()


@pytest.fixture
def make_hub(own_valkey: OwnValkey) -> Iterator[type[Hub]]:
    return lambda: Hub(Territories([HAUTS, THAU]), own_valkey.url, ActLabels())


@pytest.fixture
async def hub(make_hub, ledger: Ledger) -> AsyncIterator[Hub]:
    hub = make_hub()
    yield hub
    await hub.close()


@pytest.fixture
async def world(owner: asyncpg.Connection) -> World:
    return await make_world(owner)


@pytest.fixture
async def service(world: World, settings: Settings) -> AsyncIterator[Service]:
    async with serving(world, settings) as running:
        yield running


@pytest.fixture
async def joins(service: Service) -> AsyncIterator[Callable[[str], Awaitable[Viewer]]]:
    """`await joins("rita")`: rita has signed in."""
    viewers: list[Viewer] = []

    async def joined(name: str) -> Viewer:
        viewers.append(Viewer(service.url, service.world, name))
        return await viewers[-1].signs_in()

    yield joined
    for viewer in viewers:
        await viewer.leaves()


@pytest.fixture
async def own_service(world: World, settings: Settings, own_valkey: OwnValkey, ledger: Ledger):
    """The service on a Valkey that the test may stop; `stop()` stops the service."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    own = replace(settings, port=port, base_url=url, redis_url=own_valkey.url)
    server = ServerInTest(configuration(own))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(server.serve([listening]))
        await server.listens.wait()
        yield OwnService(url, world, server, task)
        server.should_exit = True


@dataclass(frozen=True)
class OwnService:
    url: str
    world: World
    server: ServerInTest
    task: asyncio.Task

    async def joins(self, name: str) -> Viewer:
        return await Viewer(self.url, self.world, name).signs_in()

    async def stops(self) -> None:
        self.server.should_exit = True
        await soon(asyncio.shield(self.task))
