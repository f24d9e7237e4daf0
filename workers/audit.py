"""`chrono48 audit`: prove that nobody has changed the audit.

`verify` recomputes every chain from the rows, and names the first that does not hold. `heads`
prints where each chain ends, as JSON lines: kept elsewhere each day and given to `verify --heads`,
they also show a chain that somebody who owns the tables has written anew as a whole.
"""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from slots.audit_chain import Break, Link, first_break
from slots.desk import Desk, close_desk, open_desk
from slots.ids import INSTALLATION, TerritoryId
from slots.store.audit import links_after, unchained_count
from slots.transaction import entered
from workers.embedded.running import settings_of_installation

INSTALLATION_NAME: Final = "(installation)"  # the chain of sign-ins; no slug has brackets
READ_AT_ONCE: Final = 5_000  # links


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a chain is worth. *head*: its last link that holds; *waiting*: rows without one."""

    head: Link | None
    found: Break | None
    waiting: int


class Head(msgspec.Struct, frozen=True):
    """Where a chain ended when somebody looked; one JSON line."""

    at: datetime
    territory: str
    position: int
    hash: str  # hexadecimal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its two verbs."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verify_parser = verbs.add_parser(
        "verify", help="recompute all chains; 1 where one does not hold"
    )
    verify_parser.add_argument(
        "--heads", type=Path, metavar="FILE", help="what `heads` has printed before, kept elsewhere"
    )
    verbs.add_parser("heads", help="print where each chain ends, as JSON lines")


async def run(arguments: argparse.Namespace) -> int:
    """Verify every territory and say what was found; 1 where a chain is broken. Or print heads."""
    desk = await open_desk(settings_of_installation())
    kept = read_heads(arguments.heads) if arguments.verb == "verify" else {}
    try:
        chains = {INSTALLATION_NAME: INSTALLATION} | {
            territory.slug: territory.id for territory in desk.territories.by_id.values()
        }
        verdicts = {
            name: await verify(desk, territory_id, kept.get(name))
            for name, territory_id in chains.items()
        }
        now = desk.clock.now()
    finally:
        await close_desk(desk)
    for slug, verdict in verdicts.items():
        if arguments.verb == "verify":
            print(f"{slug}: {words(verdict)}")
        elif verdict.head and not verdict.found:
            head = Head(now, slug, verdict.head.position, verdict.head.hash.hex())
            print(msgspec.json.encode(head).decode())
    return int(any(verdict.found for verdict in verdicts.values()))


def read_heads(path: Path | None) -> dict[str, dict[int, str]]:
    """Hashes by territory and position, from the lines of `heads`."""
    heads: dict[str, dict[int, str]] = {}
    for line in path.read_bytes().splitlines() if path else ():
        head = msgspec.json.decode(line, type=Head)
        heads.setdefault(head.territory, {})[head.position] = head.hash
    return heads


async def verify(
    desk: Desk, territory_id: TerritoryId, kept: Mapping[int, str] | None = None
) -> Verdict:
    """Recompute one chain from its beginning. *kept*: hashes that it had at some positions."""
    expected = dict(kept or {})
    head: Link | None = None
    while True:
        async with entered(desk.pool, None, [territory_id]) as conn:
            pairs = await links_after(
                conn, territory_id, head.position if head else 0, READ_AT_ONCE
            )
            waiting = 0 if pairs else await unchained_count(conn, territory_id)
        links = [link for link, _ in pairs]
        found = first_break(pairs, head) or _rewritten(links, expected)
        if not pairs and expected:
            found = Break(min(expected), 0, "the chain ends before a head that was kept")
        if not pairs or found:
            return Verdict(head, found, waiting)
        head = links[-1]


def _rewritten(links: Iterable[Link], expected: dict[int, str]) -> Break | None:
    """The first link that is not what it was when its hash was kept; takes what it has seen."""
    for link in links:
        if expected.pop(link.position, link.hash.hex()) != link.hash.hex():
            return Break(link.position, link.audit_id, "it is not the head that was kept")
    return None


def words(verdict: Verdict) -> str:
    """One line for a person."""
    if verdict.found is not None:
        where = f"position {verdict.found.position}, audit row {verdict.found.audit_id}"
        return f"BROKEN at {where}: {verdict.found.why}"
    length = verdict.head.position if verdict.head else 0
    head = f", head {verdict.head.hash.hex()}" if verdict.head else ""
    waits = f", {verdict.waiting} not chained yet" if verdict.waiting else ""
    return f"{length} rows hold{head}{waits}"
