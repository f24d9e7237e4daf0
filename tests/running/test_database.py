"""The pool: its codecs, its rights, and what a frozen server costs."""

import asyncio
import contextlib
import re
import time
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from slots.database import (
    BORROW_FOR_S,
    UNAVAILABLE,
    TooMuchRight,
    borrow,
    create_pool,
    refuse_too_much_right,
)
from slots.errors import LedgerUnavailable
from slots.ids import AccountId
from slots.queries import SQL_DIRECTORY
from slots.transaction import entered
from tests.world import HAUTS


async def test_json_columns_are_python_values(pool):
    async with borrow(pool) as conn:
        answer = await conn.fetchval("SELECT $1::jsonb || '{\"b\": []}'", {"a": "é"})

    assert answer == {"a": "é", "b": []}


async def test_instants_are_utc(pool):
    async with borrow(pool) as conn:
        assert await conn.fetchval("SHOW timezone") == "UTC"


async def test_the_role_of_the_application_has_no_more_right_than_it_needs(pool):
    async with borrow(pool) as conn:
        await refuse_too_much_right(conn)


async def test_an_owner_is_refused(owner):
    with pytest.raises(TooMuchRight, match="owns public"):
        await refuse_too_much_right(owner)


async def test_a_superuser_is_refused(servers):
    conn = await asyncpg.connect(servers.postgres.superuser_url)
    try:
        with pytest.raises(TooMuchRight, match="superuser"):
            await refuse_too_much_right(conn)
    finally:
        await conn.close()


async def test_a_server_that_is_not_there_is_unavailable_at_once(settings):
    pool = await create_pool(
        replace(settings, database_url="postgresql://chrono48_app@127.0.0.1:1/x")
    )
    started = time.monotonic()
    with pytest.raises(UNAVAILABLE):
        async with borrow(pool):
            pass
    assert time.monotonic() - started < BORROW_FOR_S
    pool.terminate()


async def test_a_driver_that_has_heard_goodbye_and_not_yet_the_end_is_unavailable(pool):
    """What asyncpg says to a statement between the server's FATAL and the end of its connection."""
    goodbye = asyncpg.InternalClientError("cannot switch to state 12; another operation (2)")

    with pytest.raises(LedgerUnavailable):
        async with entered(pool, None, [HAUTS]):
            raise goodbye


@pytest.mark.parametrize(
    "moment", ["before a command", "within a transaction", "before connecting"]
)
async def test_a_frozen_server_costs_less_than_five_seconds(settings, moment):
    """A proxy that stops passing bytes is what a frozen server looks like from here."""
    url = urlsplit(settings.database_url)
    frozen = asyncio.Event()
    async with Proxy(url.hostname, url.port, frozen) as proxy:
        netloc = f"{url.username}:{url.password}@127.0.0.1:{proxy.port}"
        pool = await create_pool(
            replace(settings, database_url=url._replace(netloc=netloc).geturl())
        )
        if moment != "before connecting":
            async with borrow(pool) as conn:
                await conn.fetchval("SELECT 1")
        if moment != "within a transaction":
            frozen.set()
        started = time.monotonic()

        with pytest.raises(TimeoutError):
            await two_questions(pool, frozen)

        assert time.monotonic() - started < 5
        frozen.clear()
        async with borrow(pool) as conn:
            assert await conn.fetchval("SELECT 3") == 3
        pool.terminate()


async def two_questions(pool, frozen):
    """Ask twice in a transaction; after the first answer the server freezes."""
    async with borrow(pool) as conn, conn.transaction():
        await conn.fetchval("SELECT 1")
        frozen.set()
        await conn.fetchval("SELECT 2")


class Proxy:
    """Passes bytes between clients and a server, until it is frozen."""

    def __init__(self, host, port, frozen):
        self._target = (host, port)
        self._frozen = frozen
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        with contextlib.suppress(asyncio.CancelledError):
            await self._pass_both(reader, writer)

    async def _pass_both(self, reader, writer):
        server_reader, server_writer = await asyncio.open_connection(*self._target)
        try:
            await asyncio.gather(
                self._pass(reader, server_writer), self._pass(server_reader, writer)
            )
        finally:
            writer.close()
            server_writer.close()

    async def _pass(self, reader, writer):
        while data := await reader.read(65536):
            if self._frozen.is_set():
                await asyncio.Event().wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@pytest.mark.parametrize("failing", [False, True], ids=["committed", "failed"])
async def test_a_connection_is_handed_on_as_nobodys(settings, failing):
    """One connection for all: who comes next is nobody, in no territory, in no transaction."""
    pool = await create_pool(settings)
    try:
        async with borrow(pool) as conn:
            first = await conn.fetchval("SELECT pg_backend_pid()")
        with contextlib.suppress(asyncpg.UndefinedTableError):
            async with entered(pool, AccountId(uuid4()), [HAUTS]) as conn:
                if failing:
                    await conn.execute("SELECT FROM nothing_of_that_name")
        async with borrow(pool) as conn:
            assert await conn.fetchval("SELECT pg_backend_pid()") == first
            assert not conn.is_in_transaction()
            row = await conn.fetchrow("SELECT entered_account(), entered_territories()")
            assert list(row) == [None, None]
            assert await conn.fetchval("SELECT count(*) FROM slot") == 0
    finally:
        pool.terminate()


async def test_a_transaction_left_open_is_rolled_back_before_a_connection_is_handed_on(settings):
    pool = await create_pool(settings)
    try:
        async with borrow(pool) as conn:
            await conn.execute("BEGIN; SET LOCAL app.territories = '{1}'")
        async with borrow(pool) as conn:
            assert not conn.is_in_transaction()
            assert await conn.fetchval("SELECT entered_territories()") is None
    finally:
        pool.terminate()


# What would outlive its transaction on a connection that is handed on.
OUTLIVES = re.compile(
    r"""set_config\((?:[^()]|\([^()]*\))*,\s*false\s*\)
      | \bpg_(try_)?advisory_lock(_shared)?\b
      | \bWITH\s+HOLD\b
      | \bLISTEN\s+\w
      | (?:\A|;)\s*SET\s+(?!LOCAL\b|CONSTRAINTS\b)(SESSION\s+)?[\w.]+\s*(=|TO)\s*['\d]
      | \bCREATE\s+TEMP""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT set_config('app.account', $1, false)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock(1)",
        "LISTEN news",
        "SET app.account = '1'",
        "SET SESSION statement_timeout TO 5",
        "CREATE TEMPORARY TABLE mine ()",
    ],
)
def test_what_outlives_its_transaction_would_be_found(statement):
    assert OUTLIVES.search(statement)


@pytest.mark.parametrize("path", sorted(SQL_DIRECTORY.glob("*.sql")), ids=lambda path: path.name)
def test_no_statement_outlives_its_transaction(path):
    """Pooled connections are not wiped: nothing may stay on them. The owner's lock is not pooled."""
    text = re.sub(r"^\s*--.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if path.name == "installation.sql":
        text = text.replace("SELECT pg_advisory_lock($1)", "")
    assert not OUTLIVES.search(text)
