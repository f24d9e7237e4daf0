"""A PostgreSQL with a synchronous standby: two servers of one test, each to be killed or promoted."""

import asyncio
import contextlib
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from slots.migration import APP_ROLE, migrate
from tests.conftest import SERVER_READY_WITHIN_S
from tests.faults.processes import Process
from tests.waiting import until
from workers.embedded.account import launched, servers_account
from workers.embedded.choices import LOOPBACK, Choices
from workers.embedded.postgres import SUPERUSER, Postgres, binary

REPLICATION_RULE = f"host replication {SUPERUSER} {LOOPBACK}/32 scram-sha-256\n"
# What a test run need not survive; the order of commits between the two is what we look at.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "60"}
WAITS_FOR_ANY = {"synchronous_standby_names": "*"}


class Pair:
    """A primary with the schema, and a standby that follows it."""

    def __init__(self, directory: Path) -> None:
        account = servers_account()
        one = Choices.make().with_free_ports()
        # A mark of its own, and none that begins with the other's: by it leftovers are found.
        two = replace(one, mark=Choices.make().mark, postgres_port=one.valkey_port)
        self._primary = Postgres(directory / "primary", directory / "primary.log", account, one)
        self._standby = Postgres(directory / "standby", directory / "standby.log", account, two)
        self.primary: Process
        self.standby: Process

    @property
    def app_url(self) -> str:
        """Both addresses: whoever may write is found."""
        return self._both(self._primary.app_url, self._standby.app_url)

    @property
    def owner_url(self) -> str:
        both = self._both(self._primary.owner_url, self._standby.owner_url)
        return f"{both}?target_session_attrs=read-write"

    @property
    def standby_url(self) -> str:
        """The standby alone, whatever it has become."""
        return self._standby.owner_url

    async def make(self) -> None:
        """The primary with its schema, a copy of it, and the copy following."""
        self._primary.prepare(sync=False)
        rules = self._primary.directory / "pg_hba.conf"
        rules.write_text(rules.read_text() + REPLICATION_RULE)
        # Before there is a standby nothing may wait for it.
        with Process(self._primary.program(**SETTINGS)):
            await self._primary.wait_ready(SERVER_READY_WITHIN_S)
            await migrate(self._primary.owner_url, APP_ROLE, self._primary.choices.app_password)
            await asyncio.to_thread(self._copy)
        self._standby.prepare(sync=False)
        self.primary = Process(self._primary.program(**SETTINGS, **WAITS_FOR_ANY)).start()
        self.standby = Process(self._standby.program(**SETTINGS)).start()
        await self.follows()

    async def restart_primary(self) -> None:
        """As after a power cut."""
        self.primary.kill()
        self._primary.prepare(sync=False)
        self.primary.start()
        await (await self._answers(self._primary)).close()

    def lose_primary(self) -> None:
        """For ever. A standby that was away comes back with what it had, and hears no more."""
        self.primary.kill()
        if not self.standby.is_running:
            self._standby.prepare(sync=False)
            self.standby.start()

    async def follows(self) -> None:
        """Until the standby has, and confirms, what the primary writes."""
        conn = await self._answers(self._primary)
        try:
            while not await conn.fetchval(
                "SELECT count(*) FROM pg_stat_replication WHERE sync_state <> 'async'"
            ):
                await conn.execute("SELECT pg_sleep(0.05)")
        finally:
            await conn.close()

    async def promote(self) -> None:
        """The standby is the primary from now on."""
        conn = await self._answers(self._standby)
        try:
            assert await conn.fetchval("SELECT pg_promote()")
        finally:
            await conn.close()

    async def wait_for_nobody(self) -> None:
        """For the control: the standby follows, and no commit waits for it."""
        conn = await self._answers(self._primary)
        await conn.execute("ALTER SYSTEM SET synchronous_commit = local")
        await conn.execute("SELECT pg_reload_conf()")
        await conn.close()

    def stop(self) -> None:
        for process in (self.standby, self.primary):
            process.stop()

    @staticmethod
    async def _answers(server: Postgres) -> asyncpg.Connection:
        async def connected() -> asyncpg.Connection | None:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                return await asyncpg.connect(server.superuser_url)
            return None

        return await until(connected)

    def _copy(self) -> None:
        standby = self._standby
        standby.directory.mkdir(mode=0o700)
        standby.account.own(standby.directory)
        command = [str(binary("pg_basebackup")), "-D", str(standby.directory), "--no-sync", "-R"]
        command += ["--checkpoint=fast", "-h", LOOPBACK, "-U", SUPERUSER]
        command += ["-p", str(self._primary.choices.postgres_port)]
        enters = (standby.directory, binary("pg_basebackup").parent)
        subprocess.run(
            launched(command, account=standby.account, enters=enters),
            env={"PATH": "/usr/bin:/bin", "PGPASSWORD": self._primary.choices.superuser_password},
            cwd="/",
            check=True,
            capture_output=True,
        )

    @staticmethod
    def _both(one: str, other: str) -> str:
        parts = urlsplit(one)
        return parts._replace(
            netloc=f"{parts.netloc},{urlsplit(other).netloc.rpartition('@')[2]}"
        ).geturl()
