"""`chrono48 people import`: people and places from a table, all or nothing."""

import argparse
import csv
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from slots.database import Connection
from slots.people.table import read
from slots.settings import Settings, SettingsError
from workers.embedded.running import settings_of_installation
from workers.people.accounts import Made
from workers.people.wording import COLUMNS, told
from workers.people.writing import Outcome, write

CONNECT_TIMEOUT_S: Final = 10.0


class OnlyTried(Exception):
    """Ends the transaction of a dry run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`people import FILE [--dry-run] [--links FILE]`."""
    subparsers = parser.add_subparsers(dest="people_command", metavar="COMMAND", required=True)
    columns = "\n".join(f"  {name:<18}{purpose}" for name, purpose in COLUMNS.items())
    bring = subparsers.add_parser(
        "import",
        help="bring in people and places; again to update them",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"Columns, in any order; only territory must be there:\n{columns}",
    )
    bring.add_argument("file", type=Path, help="CSV in UTF-8, with commas or semicolons")
    bring.add_argument("--dry-run", action="store_true", help="say what would be done; do nothing")
    bring.add_argument("--links", type=Path, help="where the links to new accounts go (a new file)")


async def run(arguments: argparse.Namespace) -> int:
    """Import, and say what came of it."""
    settings = settings_of_installation()
    links = arguments.links or _links_path(settings)
    try:
        content = arguments.file.read_bytes()
    except OSError as error:
        print(f"{arguments.file}: {error.strerror}", file=sys.stderr)
        return 1
    conn = await connect(settings)
    try:
        return await bring_in(
            conn, content, dry_run=arguments.dry_run, links=links, base_url=settings.base_url
        )
    finally:
        await conn.close()


async def connect(settings: Settings) -> Connection:
    """A connection as the owner of the tables: people are put in over the walls.

    Raises:
        SettingsError: The settings do not say who that is.
    """
    if not settings.owner_database_url:
        raise SettingsError("OWNER_DATABASE_URL is missing")
    return await asyncpg.connect(settings.owner_database_url, timeout=CONNECT_TIMEOUT_S)


async def bring_in(
    conn: Connection, content: bytes, *, dry_run: bool, links: Path, base_url: str
) -> int:
    """Bring the table in, or say what stands against it. The exit status.

    *links* gets those to new accounts, before the commit: none is lost.
    """
    table = read(content)
    for warning in table.warnings:
        print(f"warning: {told(warning)}")
    outcome = Outcome(faults=table.faults)
    written = False
    if not table.faults:
        try:
            async with conn.transaction():
                outcome = await write(conn, table.lines, base_url, datetime.now(UTC))
                if outcome.faults or dry_run:
                    raise OnlyTried
                if outcome.made:
                    _write_links(links, outcome.made)
                    written = True
        except OnlyTried:
            pass
        except BaseException:
            if written:
                links.unlink(missing_ok=True)
            raise
    for fault in outcome.faults:
        print(told(fault), file=sys.stderr)
    if outcome.faults:
        print(f"Nothing was imported: {len(outcome.faults)} faults.", file=sys.stderr)
        return 1
    _print_counts(outcome, dry_run=dry_run)
    if written:
        hours = outcome.made[0].good_for_h
        print(
            f"Links by which the new accounts choose a password: {links} (hand them out; each is "
            f"good once, for {hours} h)."
        )
    return 0


def _print_counts(outcome: Outcome, *, dry_run: bool) -> None:
    for what in sorted({what for _, what in outcome.counts}):
        new, known = outcome.counts["new", what], outcome.counts["known", what]
        print(f"  {what:<14}{new:>5} new {known:>5} known")
    print("Dry run: nothing was written." if dry_run else "Imported.")


def _links_path(settings: Settings) -> Path:
    return settings.data_dir / f"new-accounts-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.csv"


def _write_links(path: Path, made: list[Made]) -> None:
    """A new file for its owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("email", "link"))
            writer.writerows((one.email, one.link) for one in made)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
