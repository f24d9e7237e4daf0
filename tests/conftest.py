"""Real servers for every test: PostgreSQL and Valkey once a session, a fresh database each test."""

import asyncio
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import redis.asyncio

from slots import redis_url as urls
from slots.database import Pool, create_pool
from slots.migration import APP_ROLE, migrate
from slots.sealing import make_key
from slots.settings import Settings
from tests.world import CHEAP
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices
from workers.embedded.postgres import DATABASE, OWNER_ROLE, Postgres
from workers.embedded.supervisor import Program
from workers.embedded.valkey import Valkey

SERVER_READY_WITHIN_S = 30.0
SERVER_STOP_WITHIN_S = 15.0
TEMPLATE = DATABASE  # migrated once, then copied for each test

# What a test run need not survive.
POSTGRES_FOR_TESTS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
VALKEY_FOR_TESTS = ("--appendonly", "no")
MEMORY = Path("/dev/shm")  # where Linux keeps files in memory; small in some containers
MEMORY_MIN_BYTES = 2 * 1024**3

SECRET_KEYS = make_key()
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Servers:
    postgres: Postgres
    valkey: Valkey


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """As the world's passwords are hashed, so the service does in tests: else each first sign-in
    would hash anew, as slowly as it must elsewhere.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.passwords.HASHER", CHEAP)
        yield


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """One PostgreSQL with a migrated template database, and one Valkey."""
    directory = Path(tempfile.mkdtemp(prefix="chrono48-tests-", dir=in_memory()))
    directory.chmod(0o711)
    account = servers_account()
    choices = Choices.make().with_free_ports()
    postgres = Postgres(directory / "postgres", directory / "postgres.log", account, choices)
    valkey = Valkey(directory / "valkey", directory / "valkey.log", account, choices)
    postgres.prepare(sync=False)
    valkey.prepare()
    with (
        running(postgres.program(**POSTGRES_FOR_TESTS)),
        running(valkey.program(*VALKEY_FOR_TESTS)),
    ):
        apart(_prepare(postgres, valkey))
        yield Servers(postgres, valkey)
    shutil.rmtree(directory)


@pytest.fixture
async def owner_url(servers: Servers) -> AsyncIterator[str]:
    """A fresh database with the schema and nothing in it, as the owner of its tables."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    conn = await asyncpg.connect(servers.postgres.superuser_url)
    try:
        # Of the two strategies the quicker one where nothing need survive.
        await conn.execute(
            f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER {OWNER_ROLE} STRATEGY file_copy"
        )
        yield at_database(servers.postgres.owner_url, name)
        await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await conn.close()


@pytest.fixture
def database_url(servers: Servers, owner_url: str) -> str:
    """The same database, as the application's role, which row level security binds."""
    return at_database(servers.postgres.app_url, urlsplit(owner_url).path.strip("/"))


@pytest.fixture
def redis_kind() -> str:
    """Which Redis: a Valkey; tests/forgetting/kinds.py has the others."""
    return "valkey"


@pytest.fixture(scope="session")
def url_of_kind(servers: Servers) -> Iterator[Callable[[str], str]]:
    """The URL of a kind of Redis, started when first asked for."""
    from tests.forgetting.kinds import URL_OF_KIND

    with contextlib.ExitStack() as started:
        yield cache(
            lambda kind: (
                servers.valkey.url
                if kind == "valkey"
                else started.enter_context(URL_OF_KIND[kind]())
            )
        )


@pytest.fixture
async def redis_url(redis_kind: str, url_of_kind: Callable[[str], str]) -> str:
    """An empty Redis."""
    url = url_of_kind(redis_kind)
    client = urls.connect(url)
    await client.flushall()
    await client.aclose()
    return url


@pytest.fixture
def settings(owner_url: str, database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """The settings of an installation on this test's database and Valkey."""
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(tmp_path),
        "SECOND_FACTOR": "relaxed",
        "RATE_FACTOR": "1000",
        "SECRET_KEYS": SECRET_KEYS,
    }
    return replace(Settings.from_environ(environ), owner_database_url=owner_url)


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    """Connections as the application's role."""
    pool = await create_pool(settings)
    yield pool
    try:
        await asyncio.wait_for(pool.close(), timeout=5)
    except TimeoutError:
        pool.terminate()


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection over the walls, to arrange and to look."""
    conn = await asyncpg.connect(owner_url)
    yield conn
    await conn.close()


@pytest.fixture
async def redis_client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of the empty Redis; it answers bytes."""
    client = urls.connect(redis_url)
    yield client
    await client.aclose()


def at_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def apart(coroutine):
    """Run a coroutine to its end on a loop of its own, beside whatever loop a test uses."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, coroutine).result()


@contextlib.contextmanager
def running(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block; it dies with us whatever happens."""
    assert program.log_path is not None
    with (
        program.log_path.open("ab") as log,
        subprocess.Popen(
            program.command,
            env=program.environ,
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(program.stop_signal)
            try:
                process.wait(SERVER_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()


def in_memory() -> Path | None:
    """Where a fresh database costs 10 ms and not 50; None where there is too little of it."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_MIN_BYTES:
        return MEMORY
    return None


async def _prepare(postgres: Postgres, valkey: Valkey) -> None:
    await valkey.wait_ready(SERVER_READY_WITHIN_S)
    await postgres.wait_ready(SERVER_READY_WITHIN_S)
    await migrate(postgres.owner_url, APP_ROLE, postgres.choices.app_password)
