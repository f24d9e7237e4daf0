"""Brings a database to the present: sql/migrations/*.sql, forward only, each once."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from slots import queries
from slots.database import Connection

MIGRATIONS_DIRECTORY: Final = queries.SQL_DIRECTORY / "migrations"
FILE_NAME: Final = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\.sql")
LOCK_KEY: Final = 48_484_848  # of the advisory lock; any number that nobody else uses
CONNECT_TIMEOUT_S: Final = 10.0

APP_ROLE: Final = "chrono48_app"


class MigrationFault(Exception):
    """The migrations cannot go on. The message says which file, and why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of sql/migrations."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


async def migrate(owner_url: str, app_role: str, app_password: str | None) -> list[str]:
    """Apply what is missing, and say what that was. One migrator at a time; safe to repeat.

    The application's role is created first: the migrations grant to it. With a password given,
    the role gets it. All files are one transaction: whoever starts meanwhile finds the old schema or
    the new one, and nothing between them.

    Raises:
        MigrationFault: A file was edited, renamed or taken away after it had been applied.
    """
    sql = queries.load("installation.sql")
    conn = await asyncpg.connect(owner_url, timeout=CONNECT_TIMEOUT_S)
    try:
        await sql["lock_migrations"].none(conn, key=LOCK_KEY)
        await _ensure_role(conn, app_role, app_password)
        if not await sql["has_migrations"].value(conn):
            await sql["create_migrations"].none(conn)
        applied = {
            row["name"]: row["checksum"] for row in await sql["applied_migrations"].many(conn)
        }
        to_apply = pending(load(MIGRATIONS_DIRECTORY), applied)
        async with conn.transaction():
            for migration in to_apply:
                await conn.execute(migration.text)
                await sql["record_migration"].none(
                    conn, name=migration.name, checksum=migration.checksum
                )
        return [migration.name for migration in to_apply]
    finally:
        await conn.close()


async def missing(owner_url: str) -> list[str]:
    """The names of the migrations that are not applied yet; nothing is changed.

    Raises:
        MigrationFault: The past does not agree with the files.
    """
    sql = queries.load("installation.sql")
    conn = await asyncpg.connect(owner_url, timeout=CONNECT_TIMEOUT_S)
    try:
        applied = {}
        if await sql["has_migrations"].value(conn):
            rows = await sql["applied_migrations"].many(conn)
            applied = {row["name"]: row["checksum"] for row in rows}
        return [migration.name for migration in pending(load(MIGRATIONS_DIRECTORY), applied)]
    finally:
        await conn.close()


async def is_empty(owner_url: str) -> bool:
    """Whether nobody has filled this installation yet."""
    conn = await asyncpg.connect(owner_url, timeout=CONNECT_TIMEOUT_S)
    try:
        return bool(await queries.load("installation.sql")["is_empty"].value(conn))
    finally:
        await conn.close()


def load(directory: Path) -> list[Migration]:
    """The migrations of a directory, in their order.

    Raises:
        MigrationFault: A name is not NNNN_lower_case.sql, or the numbers have a gap.
    """
    migrations = []
    for number, path in enumerate(sorted(directory.glob("*.sql")), start=1):
        match = FILE_NAME.fullmatch(path.name)
        if match is None or int(match["number"]) != number:
            raise MigrationFault(f"{path.name} should be named {number:04}_lower_case.sql")
        migrations.append(Migration(path.stem, path.read_text(encoding="utf-8")))
    return migrations


def pending(migrations: list[Migration], applied: dict[str, str]) -> list[Migration]:
    """What is not yet applied. *applied* are checksums by name.

    Raises:
        MigrationFault: The past does not agree with the files.
    """
    known = {migration.name: migration for migration in migrations}
    for name, checksum in applied.items():
        if name not in known:
            raise MigrationFault(f"{name} was applied here, but this version does not have it")
        if known[name].checksum != checksum:
            raise MigrationFault(f"{name} was changed after it had been applied")
    missing = [migration for migration in migrations if migration.name not in applied]
    if missing != migrations[len(applied) :]:
        raise MigrationFault(f"{missing[0].name} comes before what was applied already")
    return missing


async def _ensure_role(conn: Connection, role: str, password: str | None) -> None:
    sql = queries.load("installation.sql")
    if not await sql["role_exists"].value(conn, role_name=role):
        await conn.execute(await sql["command_create_role"].value(conn, role_name=role))
    if password:
        await conn.execute(
            await sql["command_set_password"].value(conn, role_name=role, password=password)
        )
