"""The stage of every row: production servers, a web process, a worker and the bare endpoints."""

import contextlib
import http.client
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from slots.desk import Desk, close_desk, open_desk
from slots.ids import SlotId
from slots.migration import APP_ROLE, migrate
from slots.reconcile.rebuild import rebuild
from slots.settings import Settings
from tests.bench import ground
from tests.conftest import at_database, running
from tests.live.waiting import until
from tests.world import HAUTS
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices
from workers.embedded.postgres import DATABASE, Postgres
from workers.embedded.valkey import Valkey

READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Stage:
    """What the rows share. *cookies*: each is somebody who has not come yet."""

    directory: Path
    settings: Settings
    owner: asyncpg.Connection
    ground: ground.Ground
    cookies: Iterator[str]
    desk: Desk
    web_port: int
    bare_port: int

    async def more_slots(self, count: int) -> list[SlotId]:
        """*count* free slots more in the ledger and at the broker."""
        made = await ground.make_slots(self.owner, self.ground, count)
        await rebuild(self.desk, self.desk.territories.by_id[HAUTS], "bench", datetime.now(UTC))
        return made


@contextlib.asynccontextmanager
async def open_stage(directory: Path) -> AsyncIterator[Stage]:
    async with servers(directory) as (postgres, valkey):
        await migrate(postgres.owner_url, APP_ROLE, postgres.choices.app_password)
        environ = {
            "DATABASE_URL": at_database(postgres.app_url, DATABASE),
            "REDIS_URL": valkey.url,
            "DATA_DIR": str(directory),
            "SECOND_FACTOR": "relaxed",
            "RATE_FACTOR": "1000",
        }
        settings = replace(Settings.from_environ(environ), owner_database_url=postgres.owner_url)
        owner = await asyncpg.connect(postgres.owner_url)
        made = await ground.make_ground(owner)
        desk = await open_desk(settings)
        web_port, bare_port = free_port(), free_port()
        with (
            process("web", settings, web_port, directory / "web.log"),
            process("workers", settings, web_port, directory / "worker.log"),
            process("tests.bench.bare", settings, bare_port, directory / "bare.log"),
        ):
            await until_ready(web_port)
            await until_ready(bare_port)
            yield Stage(
                *(directory, settings, owner, made, iter(made.cookies), desk, web_port, bare_port)
            )
        await close_desk(desk)
        await owner.close()


def free_port() -> int:
    return Choices.make().with_free_ports().valkey_port


@contextlib.asynccontextmanager
async def servers(directory: Path) -> AsyncIterator[tuple[Postgres, Valkey]]:
    """PostgreSQL and Valkey exactly as `make run` starts them: fsync, AOF on every write."""
    account = servers_account()
    choices = Choices.make().with_free_ports()
    postgres = Postgres(directory / "postgres", directory / "postgres.log", account, choices)
    valkey = Valkey(directory / "valkey", directory / "valkey.log", account, choices)
    postgres.prepare()
    valkey.prepare()
    with running(postgres.program(track_commit_timestamp="on")), running(valkey.program()):
        await valkey.wait_ready(READY_WITHIN_S)
        await postgres.wait_ready(READY_WITHIN_S)
        yield postgres, valkey


@contextlib.contextmanager
def process(module: str, settings: Settings, port: int, log: Path):
    """One of our processes, as the Procfile starts it."""
    environ = os.environ | {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "DATA_DIR": str(settings.data_dir),
        "SECOND_FACTOR": settings.second_factor,
        "RATE_FACTOR": str(settings.rate_factor),
        "PORT": str(port),
        "LOG_FORMAT": "json",  # as an installation whose logs a machine reads
    }
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [sys.executable, "-m", module], env=environ, stdout=output, stderr=output
        ) as child,
    ):
        try:
            yield child
        finally:
            child.terminate()


async def until_ready(port: int) -> None:
    """Wait until something answers there, whatever it says."""

    def answers() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/healthz")
            return connection.getresponse().status > 0
        return False

    await until(answers)
