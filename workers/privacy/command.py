"""`chrono48 privacy report`: what is stored about whom, and until when. No content is ever printed."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from slots import queries
from slots.database import Connection
from slots.times import rfc3339
from workers.embedded.running import settings_of_installation
from workers.people.command import connect
from workers.privacy.holdings import ELSEWHERE, HOLDINGS, WITHOUT_PERSONS, About, Holding

if TYPE_CHECKING:
    from asyncpg import Record

UNKNOWN: Final = "UNKNOWN: the register does not say what is in it, nor what ends it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`privacy report`."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("report", help="by table, with counts; each kept contact with its end")


async def run(arguments: argparse.Namespace) -> int:
    """Print it; 1 where a table is not in the register."""
    conn = await connect(settings_of_installation())
    try:
        lines = await report(conn)
    finally:
        await conn.close()
    print("\n".join(lines))
    return int(any(UNKNOWN in line for line in lines))


async def report(conn: Connection) -> list[str]:
    """All lines, as the owner of the tables sees them in one moment."""
    sql = queries.load("privacy.sql")
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        counts = {row["name"]: row for row in await sql["counts"].many(conn)}
        tables = {row["name"] for row in await sql["tables"].many(conn)}
        keeping = await sql["territories_that_keep"].many(conn)
        contacts = await sql["kept_contacts"].many(conn)
    return [
        *_by_table(counts),
        *(f"{name}: {UNKNOWN}" for name in sorted(tables - HOLDINGS.keys() - WITHOUT_PERSONS)),
        "",
        "CONTACTS OF PATIENTS",
        *(_of_territory(row) for row in keeping),
        *(_of_contact(row) for row in contacts),
        "",
        "ELSEWHERE",
        *(f"  {line}" for line in ELSEWHERE),
    ]


def _by_table(counts: Mapping[str, "Record"]) -> Iterator[str]:
    for about in About:
        yield f"ABOUT {about.value.upper()}"
        for name, holding in HOLDINGS.items():
            if holding.about is about:
                yield _of_table(name, holding, counts[name]["count"], counts[name]["oldest_at"])
        yield ""


def _of_table(name: str, holding: Holding, count: int, oldest_at: datetime | None) -> str:
    since = f", the oldest of {oldest_at:%Y-%m-%d}" if oldest_at else ""
    return f"  {name}: {count}{since}. {holding.what}. Until: {holding.until}."


def _of_territory(row: "Record") -> str:
    kept_h = row["contact_kept_h"]
    return f"  {row['slug']}: " + (f"kept {kept_h} h after the slot" if kept_h else "none are kept")


def _of_contact(row: "Record") -> str:
    return (
        f"  {row['territory']} {row['reference']}: written {rfc3339(row['written_at'])},"
        f" purged at {rfc3339(row['purge_at'])}"
    )
