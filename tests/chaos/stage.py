"""What chaos runs: two web processes, a worker, PostgreSQL and Valkey, with proxies in between.

The servers are started as `make run` starts them: fsync, and an append-only file written always.
Nobody but a fault kills a process here, and nobody but its end starts it again.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg

from slots.migration import APP_ROLE, migrate
from slots.settings import Settings
from tests.bench.stage import free_port, until_ready
from tests.chaos.asking import Way, passes
from tests.chaos.ground import Ground, make_ground
from tests.faults.processes import Process
from tests.faults.proxy import Proxy, proxy_to
from workers.embedded.account import launched, servers_account
from workers.embedded.choices import Choices
from workers.embedded.postgres import Postgres
from workers.embedded.supervisor import Program
from workers.embedded.valkey import Valkey

PROJECT = Path(__file__).parents[2]
READY_WITHIN_S = 60.0
WEBS = ("web-1", "web-2")
LOOKS_EVERY_S = 0.5  # for who has ended by itself
CLIENTS, BROKER, LEDGER = "clients", "valkey", "postgresql"  # the links: who is at the far end


@dataclass(frozen=True)
class Stage:
    """*processes* by name; *links*: the proxies between clients and web, and to either server."""

    settings: Settings  # of somebody who stands behind the proxies, beside the servers
    postgres: Postgres
    valkey: Valkey
    processes: Mapping[str, Process]
    links: Mapping[str, list[Proxy]]
    ways: list[Way]
    ground: Ground
    down: set[str] = field(default_factory=set)  # by a fault, until it starts them again

    async def start(self, name: str) -> None:
        """Again, as a supervisor would. It may not be ready yet."""
        if name == LEDGER:
            await asyncio.to_thread(self.postgres.prepare)
        self.processes[name].start()
        self.down.discard(name)

    async def supervise(self) -> None:
        """For ever: who ends by itself starts again. A web process does where no ledger answers."""
        while True:
            for name, process in self.processes.items():
                if name not in self.down and not process.is_running:
                    process.start()
            await passes(LOOKS_EVERY_S)


@contextlib.asynccontextmanager
async def open_stage(
    servers: Path, home: Path, postgres_settings: Mapping[str, str]
) -> AsyncIterator[Stage]:
    """*servers*: where they keep their data; *home*: where the service and the logs are."""
    account = servers_account()
    choices = Choices.make().with_free_ports()
    postgres = Postgres(servers / "postgres", home / "postgresql.log", account, choices)
    valkey = Valkey(servers / "valkey", home / "valkey.log", account, choices)
    postgres.prepare()
    valkey.prepare()
    async with contextlib.AsyncExitStack() as stack:
        run = stack.enter_context
        processes = {
            LEDGER: run(Process(postgres.program(**postgres_settings))),
            BROKER: run(Process(valkey.program())),
        }
        await valkey.wait_ready(READY_WITHIN_S)
        await postgres.wait_ready(READY_WITHIN_S)
        await migrate(postgres.owner_url, APP_ROLE, choices.app_password)
        ground = await _ground(postgres)
        ledger, ledger_url = await stack.enter_async_context(proxy_to(postgres.app_url))
        broker, broker_url = await stack.enter_async_context(proxy_to(valkey.url))
        environ = {
            "DATABASE_URL": ledger_url,
            "REDIS_URL": broker_url,
            "DATA_DIR": str(home),
            "SECOND_FACTOR": "relaxed",
            "RATE_FACTOR": "1000",
        }
        doors, ways = [], []
        for name in WEBS:
            port = free_port()
            processes[name] = run(Process(_ours(name, "web", environ | {"PORT": str(port)}, home)))
            door, _ = await stack.enter_async_context(proxy_to(f"http://127.0.0.1:{port}"))
            doors.append(door)
            ways.append(Way(name, door.port, f"127.0.0.1:{port}"))
            await until_ready(port)
        processes["worker"] = run(Process(_ours("worker", "workers", environ, home)))
        direct = {
            "DATABASE_URL": postgres.app_url,
            "REDIS_URL": valkey.url,
            "DATA_DIR": str(home),
            "SECOND_FACTOR": "relaxed",
            "RATE_FACTOR": "1000",
        }
        settings = replace(Settings.from_environ(direct), owner_database_url=postgres.owner_url)
        links = {CLIENTS: doors, BROKER: [broker], LEDGER: [ledger]}
        yield Stage(settings, postgres, valkey, processes, links, ways, ground)


async def _ground(postgres: Postgres) -> Ground:
    """On the disk, whatever the plan's settings: a fault may take deeds away, never the stage."""
    owner = await asyncpg.connect(postgres.owner_url, server_settings={"synchronous_commit": "on"})
    try:
        return await make_ground(owner)
    finally:
        await owner.close()


def _ours(name: str, module: str, environ: Mapping[str, str], home: Path) -> Program:
    """One of our processes as the Procfile starts it; it dies with us."""
    return Program(
        name=name,
        command=launched([sys.executable, "-m", module], death_signal=signal.SIGKILL),
        environ={**os.environ, **environ, "LOG_FORMAT": "json"},
        cwd=PROJECT,
        log_path=home / f"{name}.log",
    )
