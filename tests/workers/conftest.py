"""People who act at a desk, as in tests/booking, and servers that a test may stop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from slots import redis_url
from slots.document import SlotDocument, decode_slot
from slots.lane import lane_to
from slots.migration import APP_ROLE, migrate
from slots.settings import Settings
from slots.slot import SEAL_FOR
from slots.times import to_ms
from slots.transaction import entered
from tests.booking.conftest import book, desk, hold, now, offer, world  # noqa: F401
from tests.conftest import SERVER_READY_WITHIN_S
from tests.faults.processes import Process, frozen
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices
from workers.embedded.postgres import Postgres
from workers.embedded.supervisor import Program
from workers.embedded.valkey import Valkey

OWNER = "this-worker"


class Board:
    """What everybody sees of the first territory, and what its log has told."""

    def __init__(self, desk) -> None:  # noqa: F811
        self.desk = desk
        self.territory = min(desk.territories.by_id.values(), key=lambda it: it.id)

    async def slots(self) -> dict:
        snapshot = await self.desk.broker.snapshot(self.territory)
        return {slot.id: slot for slot in map(decode_slot, snapshot.slots)}

    async def slot(self, slot_id) -> SlotDocument | None:
        return (await self.slots()).get(slot_id)

    async def told(self) -> list[str]:
        """The types of all events of the log, oldest first."""
        entries = await self.desk.broker.redis.xrange(self.key("log"))
        return [fields[b"type"].decode() for _, fields in entries]

    def key(self, name: str) -> str:
        return f"{{p{self.territory.partition}}}:{self.territory.id}:{name}"

    def later(self, span: timedelta) -> None:
        """From now on the broker's scripts live that much later."""
        self.desk.broker.clock_ms = str(to_ms(datetime.now(UTC) + span))

    def after_the_seal(self) -> None:
        self.later(SEAL_FOR + timedelta(seconds=1))


@pytest.fixture
def board(desk) -> Board:  # noqa: F811
    return Board(desk)


@pytest.fixture
def deaf(desk, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    """A request that dies after its commit: inside, the broker hears nothing of what is done."""

    @contextlib.contextmanager
    def make():
        async def die(*arguments, **named) -> None:
            return None

        with monkeypatch.context() as patch:
            patch.setattr("slots.booking.once.bring", die)
            patch.setattr("slots.booking.at_once.bring", die)
            yield

    return make


@pytest.fixture
def enter(desk):  # noqa: F811
    """A transaction in every territory, as the service itself."""
    return lambda: entered(desk.pool, None, desk.territories.by_id)


class OwnServers:
    """A PostgreSQL with the schema and a Valkey that keeps its data: of this test alone."""

    def __init__(self, directory: Path) -> None:
        account, choices = servers_account(), Choices.make().with_free_ports()
        self.postgres = Postgres(directory / "postgres", directory / "pg.log", account, choices)
        self.valkey = Valkey(directory / "valkey", directory / "valkey.log", account, choices)
        self._processes: dict[str, Process] = {}

    async def make(self) -> None:
        await self.start_postgres()
        await self.start_valkey()
        choices = self.postgres.choices
        await migrate(self.postgres.owner_url, APP_ROLE, choices.app_password)

    async def start_postgres(self) -> None:
        self.postgres.prepare(sync=False)
        self._start("postgres", self.postgres.program(fsync="off"))
        await self.postgres.wait_ready(SERVER_READY_WITHIN_S)

    async def start_valkey(self) -> None:
        self.valkey.prepare()
        self._start("valkey", self.valkey.program())
        await self.valkey.wait_ready(SERVER_READY_WITHIN_S)

    async def stop(self, name: str) -> None:
        await asyncio.to_thread(self._processes[name].stop)

    def freeze(self, name: str) -> AbstractContextManager[None]:
        """Inside the block nothing of the server moves."""
        return frozen(self._processes[name])

    def stop_all(self) -> None:
        for process in self._processes.values():
            process.stop()

    def _start(self, name: str, program: Program) -> None:
        self._processes[name] = Process(program).start()


@pytest.fixture
def unmade_servers(tmp_path: Path) -> Iterator[OwnServers]:
    """Nothing runs yet."""
    for folder in (tmp_path, tmp_path.parent):
        folder.chmod(0o711)
    servers = OwnServers(tmp_path)
    yield servers
    servers.stop_all()


@pytest.fixture
async def own_servers(unmade_servers: OwnServers) -> OwnServers:
    await unmade_servers.make()
    return unmade_servers


@pytest.fixture
async def own_valkey(desk, unmade_servers: OwnServers) -> AsyncIterator[OwnServers]:  # noqa: F811
    """The desk's broker speaks to a Valkey of this test alone, empty."""
    await unmade_servers.start_valkey()
    broker = desk.broker
    shared, own = (broker.redis, broker._lane), redis_url.connect(unmade_servers.valkey.url)
    broker.redis, broker._lane = own, lane_to(own)
    yield unmade_servers
    await broker.close()
    broker.redis, broker._lane = shared


@pytest.fixture
def own_settings(unmade_servers: OwnServers, tmp_path: Path) -> Settings:
    return settings_of(unmade_servers, tmp_path)


def settings_of(servers: OwnServers, directory: Path) -> Settings:
    """An installation on these servers, with its data in *directory*."""
    environ = {
        "DATABASE_URL": servers.postgres.app_url,
        "REDIS_URL": servers.valkey.url,
        "DATA_DIR": str(directory / "data"),
        "SECOND_FACTOR": "relaxed",
        "RATE_FACTOR": "1000",
    }
    settings = Settings.from_environ(environ)
    return replace(settings, owner_database_url=servers.postgres.owner_url)


@pytest.fixture
async def own_owner(own_servers: OwnServers) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(own_servers.postgres.owner_url)
    yield conn
    conn.terminate()
