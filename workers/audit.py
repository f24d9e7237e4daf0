"""`chrono48 audit verify`: recompute every chain from the rows, and name the first that does not hold."""

import argparse
from dataclasses import dataclass
from typing import Final

from slots.audit_chain import Break, Link, first_break
from slots.desk import Desk, close_desk, open_desk
from slots.settings import Settings
from slots.store.audit import links_after, unchained_count
from slots.territory import Territory
from slots.transaction import entered

READ_AT_ONCE: Final = 5_000  # links


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a chain is worth. *head*: its last link that holds; *waiting*: rows without one."""

    head: Link | None
    found: Break | None
    waiting: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One verb, so that others may come."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("verify", help="recompute all chains; 1 where one does not hold")


async def run(arguments: argparse.Namespace) -> int:
    """Verify every territory, and say what was found; 1 where a chain is broken."""
    del arguments
    desk = await open_desk(Settings.from_environ())
    try:
        verdicts = {
            territory.slug: await verify(desk, territory)
            for territory in desk.territories.by_id.values()
        }
    finally:
        await close_desk(desk)
    for slug, verdict in verdicts.items():
        print(f"{slug}: {words(verdict)}")
    return int(any(verdict.found for verdict in verdicts.values()))


async def verify(desk: Desk, territory: Territory) -> Verdict:
    """Recompute one chain from its beginning."""
    head: Link | None = None
    while True:
        async with entered(desk.pool, None, [territory.id]) as conn:
            pairs = await links_after(
                conn, territory.id, head.position if head else 0, READ_AT_ONCE
            )
            waiting = await unchained_count(conn, territory.id)
        if not pairs or (found := first_break(pairs, head)):
            return Verdict(head, found if pairs else None, waiting)
        head = pairs[-1][0]


def words(verdict: Verdict) -> str:
    """One line for a person."""
    if verdict.found is not None:
        where = f"position {verdict.found.position}, audit row {verdict.found.audit_id}"
        return f"BROKEN at {where}: {verdict.found.why}"
    length = verdict.head.position if verdict.head else 0
    head = f", head {verdict.head.hash.hex()}" if verdict.head else ""
    waits = f", {verdict.waiting} not chained yet" if verdict.waiting else ""
    return f"{length} rows hold{head}{waits}"
