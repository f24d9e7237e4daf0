"""Servers to die on, and a mail server that keeps what it is given."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from slots import scripts
from slots.settings import Settings
from tests.conftest import Servers
from tests.crash.ground import Ground
from tests.workers.smtp_sink import SmtpSink


@pytest.fixture
async def ground(
    servers: Servers, redis_client: redis.asyncio.Redis, tmp_path: Path
) -> AsyncIterator[Ground]:
    for name in scripts.SCRIPT_NAMES:
        await redis_client.script_load(scripts.load(name).text)
    superuser = await asyncpg.connect(servers.postgres.superuser_url)
    async with SmtpSink.listening() as post:
        environ = {
            "DATABASE_URL": servers.postgres.app_url,
            "REDIS_URL": servers.valkey.url,
            "DATA_DIR": str(tmp_path),
            "SECOND_FACTOR": "relaxed",
            "SMTP_URL": f"smtp://127.0.0.1:{post.port}",
        }
        settings = replace(
            Settings.from_environ(environ), owner_database_url=servers.postgres.owner_url
        )
        yield Ground(servers, settings, redis_client, superuser, post)
    await superuser.close()
