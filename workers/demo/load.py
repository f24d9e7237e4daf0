"""Fills an empty installation with the demo: all or nothing, in one transaction."""

import argparse
import sys
from dataclasses import dataclass
from typing import Final

import asyncpg
from argon2 import PasswordHasher

from slots import queries
from slots.database import Connection
from slots.settings import Settings
from workers.demo import accounts, directory, ground
from workers.demo.accounts import RFC_9106
from workers.demo.directory import Table
from workers.demo.people import people

CONNECT_TIMEOUT_S: Final = 10.0


class AlreadyFilled(Exception):
    """This installation has territories already; the demo goes only into an empty one."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class OwnerUnknown(Exception):
    """OWNER_DATABASE_URL is missing: what this writes, only the owner of the tables may write."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """How much was written."""

    territories: int
    practitioners: int
    schedules: int
    accounts: int


async def load(settings: Settings, hasher: PasswordHasher = RFC_9106) -> Loaded:
    """Fill the installation of *settings*, and write the accounts file under its data_dir.

    All or nothing. The file is in place before the commit, and gone again if that fails: nobody
    is left with accounts whose passwords are lost.

    Raises:
        NotOnLoopback: Others can reach this installation.
        OwnerUnknown: The settings do not say who owns the tables.
        AlreadyFilled: There are territories already.
    """
    accounts.refuse_off_loopback(settings)
    if not settings.owner_database_url:
        raise OwnerUnknown
    conn = await asyncpg.connect(settings.owner_database_url, timeout=CONNECT_TIMEOUT_S)
    try:
        return await _load(conn, settings, hasher)
    finally:
        await conn.close()


async def _load(conn: Connection, settings: Settings, hasher: PasswordHasher) -> Loaded:
    # Asked before the passwords are hashed, which takes seconds, and by the primary keys again.
    if not await queries.load("installation.sql")["is_empty"].value(conn):
        raise AlreadyFilled
    places = ground.places()
    who = accounts.logins(people(places), places)
    passwords = await accounts.make_passwords(len(who), hasher)
    tables = [*directory.tables(), *accounts.tables(who, passwords)]
    path = settings.data_dir / accounts.FILE_NAME
    written = False
    try:
        async with conn.transaction():
            for table in tables:
                await copy(conn, table)
            accounts.write(path, accounts.lines(who, passwords))
            written = True
    except BaseException as error:
        if written:
            path.unlink(missing_ok=True)
        if isinstance(error, asyncpg.UniqueViolationError):
            raise AlreadyFilled from error
        raise
    rows = {table.name: len(table.rows) for table in tables}
    return Loaded(rows["territory"], rows["practitioner"], rows["schedule"], rows["account"])


async def copy(conn: Connection, table: Table) -> None:
    """Write all rows of *table*."""
    await conn.copy_records_to_table(
        table.name, records=table.rows, columns=list(table.columns), schema_name="public"
    )


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`demo load`."""
    parser = subparsers.add_parser("load", help="fill an empty installation with the demo")
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Load, and say how much."""
    try:
        loaded = await load(settings)
    except (accounts.NotOnLoopback, AlreadyFilled, OwnerUnknown) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(
        f"Loaded {loaded.territories} territories, {loaded.practitioners} practitioners, "
        f"{loaded.schedules} schedules and {loaded.accounts} accounts. "
        f"Passwords: {settings.data_dir / accounts.FILE_NAME}"
    )
    return 0
