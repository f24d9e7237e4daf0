"""Copies of a prepared moment: a database and what Redis held, each in a few milliseconds."""

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import asyncpg
import redis.asyncio

from slots.settings import Settings
from tests.conftest import TEMPLATE, Servers, at_database
from tests.workers.smtp_sink import SmtpSink
from workers.embedded.postgres import OWNER_ROLE

Keys = dict[bytes, tuple[int, bytes]]  # key: milliseconds to live (0: for ever), what it holds

Mails = list[tuple[list[str], bytes]]  # recipients and message

_numbers = itertools.count(1)

ALONE = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1"


@dataclass(frozen=True)
class Remains:
    """What outlives a process: a database by its name, what Redis holds, the mails that left."""

    database: str
    keys: Keys
    mails: Mails


@dataclass(frozen=True)
class Ground:
    """The servers, and the settings of an installation on them."""

    servers: Servers
    settings: Settings
    redis: redis.asyncio.Redis
    superuser: asyncpg.Connection
    post: SmtpSink

    @asynccontextmanager
    async def database(self, template: str = TEMPLATE) -> AsyncIterator[Settings]:
        """An installation's settings on a copy of *template*, which nobody uses any more."""
        name = f"crash_{os.getpid()}_{next(_numbers)}"
        await self._until_alone(template)
        await self.superuser.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER_ROLE} STRATEGY file_copy"
        )
        try:
            yield replace(
                self.settings,
                database_url=at_database(self.servers.postgres.app_url, name),
                owner_database_url=at_database(self.servers.postgres.owner_url, name),
            )
        finally:
            await self.superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _until_alone(self, name: str) -> None:
        """Until the server has noticed that a killed process is gone: its transaction ends then."""
        while await self.superuser.fetchval(ALONE, name):
            pass

    async def keys(self) -> Keys:
        """Everything that Redis holds now."""
        return {
            key: (max(0, await self.redis.pttl(key)), await self.redis.dump(key))
            for key in await self.redis.keys()
        }

    async def remains(self, settings: Settings) -> Remains:
        """What is there now."""
        return Remains(name_of(settings), await self.keys(), list(self.post.received))

    async def put_back(self, keys: Keys) -> None:
        """Let Redis hold this, and nothing else."""
        await self.redis.flushall()
        for key, (ttl_ms, packed) in keys.items():
            await self.redis.restore(key, ttl_ms, packed)


def name_of(settings: Settings) -> str:
    """The database of these settings."""
    return urlsplit(settings.database_url).path.strip("/")


@asynccontextmanager
async def owning(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection over the walls, to arrange and to look."""
    conn = await asyncpg.connect(
        settings.owner_database_url, server_settings={"timezone": "UTC", "jit": "off"}
    )
    try:
        yield conn
    finally:
        await conn.close()
