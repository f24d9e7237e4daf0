"""A broker with two empty territories, and a Valkey that a test may stop, freeze or empty."""

import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from slots.broker import Broker
from slots.territory import index
from tests.conftest import SERVER_READY_WITHIN_S, running
from tests.live.making import HAUTS, THAU, make_slot
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
        self._stack = contextlib.ExitStack()
        self._process = None

    async def start(self) -> None:
        program = self.valkey.program("--appendonly", "no")
        self._process = self._stack.enter_context(running(program))
        await self.valkey.wait_ready(SERVER_READY_WITHIN_S)

    def stop(self) -> None:
        self._stack.close()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture
async def own_valkey(tmp_path: Path) -> AsyncIterator[OwnValkey]:
    tmp_path.chmod(0o711)
    directory = tmp_path / "valkey"
    server = OwnValkey(directory)
    server.valkey.prepare()
    await server.start()
    yield server
    server.stop()


class Desk:
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
async def desk(own_valkey: OwnValkey) -> AsyncIterator[Desk]:
    desk = Desk(own_valkey.url)
    await desk.rebuild()
    yield desk
    await desk.broker.close()


@pytest.fixture
def make_hub(own_valkey: OwnValkey) -> Iterator[type[Hub]]:
    return lambda: Hub(index([HAUTS, THAU]), own_valkey.url)


@pytest.fixture
async def hub(make_hub, desk: Desk) -> AsyncIterator[Hub]:
    hub = make_hub()
    yield hub
    await hub.close()
