"""`chrono48 audit`: prove that nobody has changed the audit.

`verify` recomputes every chain from the rows, and names the first that does not hold. `heads`
prints where each chain ends, as JSON lines: kept elsewhere each day and given to `verify --heads`,
they also show a chain that somebody who owns the tables has written anew as a whole; a worker
keeps them in DATA_DIR/audit-heads too. `export` writes a chain to a signed file, which `check`
trusts without the ledger, given the public half of `key`. `retire` takes away what is old, behind
a signed anchor.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slots.audit_chain import BEGINNING, AuditRow, Break, Link, first_break
from slots.audit_signing import anchor_words, is_signed_by_one, public_half, signing_keys
from slots.database import Connection
from slots.desk import Desk, close_desk, open_desk
from slots.ids import INSTALLATION, TerritoryId
from slots.sealing import Sealer
from slots.settings import Settings, SettingsError
from slots.store import audit as store
from slots.store.audit import last_anchor, last_link_before, links_after, unchained_count
from slots.transaction import entered
from workers import audit_export
from workers.embedded.running import settings_of_installation
from workers.people.command import connect

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
    """Its verbs."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verify_parser = verbs.add_parser(
        "verify", help="recompute all chains; 1 where one does not hold"
    )
    verify_parser.add_argument(
        "--heads", type=Path, metavar="FILE", help="what `heads` has printed before, kept elsewhere"
    )
    verbs.add_parser("heads", help="print where each chain ends, as JSON lines")
    verbs.add_parser("key", help="print the public key that exports are signed with")
    export = verbs.add_parser("export", help="write a chain to a signed file")
    export.add_argument("--chain", required=True, help=f"a slug, or {INSTALLATION_NAME}")
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    check_parser = verbs.add_parser("check", help="check an exported file, without the ledger")
    check_parser.add_argument("file", type=Path)
    check_parser.add_argument("--key", required=True, help="what `audit key` prints")
    retire_parser = verbs.add_parser("retire", help="take away what is old, behind a signed anchor")
    retire_parser.add_argument(
        "--heads", type=Path, metavar="FILE", help="as for `verify`, which comes first"
    )
    retire_parser.add_argument("--before", required=True, type=a_day, metavar="YYYY-MM-DD")


async def run(arguments: argparse.Namespace) -> int:
    """Do it; 1 where something does not hold."""
    if arguments.verb == "check":
        fault = audit_export.check(arguments.file.read_bytes(), arguments.key)
        print(f"BROKEN at line {fault.line}: {fault.why}" if fault else "holds")
        return int(fault is not None)
    settings = settings_of_installation()
    keys = signing_keys(Sealer.of(settings.secret_keys))
    if not keys and arguments.verb in ("key", "export", "retire"):
        raise SettingsError("SECRET_KEYS is missing, from which the signature's key is made")
    if arguments.verb == "key":
        print(public_half(keys[0]))
        return 0
    desk = await open_desk(settings)
    try:
        return await _run(arguments, settings, desk, keys)
    finally:
        await close_desk(desk)


async def _run(
    arguments: argparse.Namespace, settings: Settings, desk: Desk, keys: list[Ed25519PrivateKey]
) -> int:
    if arguments.verb == "export":
        return await _export(desk, arguments.chain, arguments.out, keys[0])
    kept = {} if arguments.verb == "heads" else read_heads(arguments.heads)
    verdicts = {
        name: await verify(desk, territory_id, kept.get(name), [*map(public_half, keys)])
        for name, territory_id in chains(desk).items()
    }
    is_broken = any(verdict.found for verdict in verdicts.values())
    if arguments.verb == "heads":
        print("\n".join(head_lines(verdicts, desk.clock.now())))
        return int(is_broken)
    for name, verdict in verdicts.items():
        print(f"{name}: {words(verdict)}")
    # What does not hold is not signed, as if it did.
    if arguments.verb == "retire" and not is_broken:
        await _retire_all(settings, desk, arguments.before, keys[0])
    return int(is_broken)


async def _retire_all(
    settings: Settings, desk: Desk, before: datetime, key: Ed25519PrivateKey
) -> None:
    conn = await connect(settings)
    try:
        for name, territory_id in chains(desk).items():
            count = await retire(conn, territory_id, before, key, desk.clock.now())
            print(f"{name}: {count} rows retired")
    finally:
        await conn.close()


def a_day(text: str) -> datetime:
    """A day of the calendar, from its beginning in UTC."""
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


def chains(desk: Desk) -> dict[str, TerritoryId]:
    """All chains by name: the installation's, and each territory's."""
    return {INSTALLATION_NAME: INSTALLATION} | {
        territory.slug: territory.id for territory in desk.territories.by_id.values()
    }


def head_lines(verdicts: Mapping[str, Verdict], now: datetime) -> list[str]:
    """Where each chain that holds ends, as JSON lines."""
    return [
        msgspec.json.encode(
            Head(now, name, verdict.head.position, verdict.head.hash.hex())
        ).decode()
        for name, verdict in verdicts.items()
        if verdict.head and not verdict.found
    ]


async def retire(
    conn: Connection,
    territory_id: TerritoryId,
    before: datetime,
    key: Ed25519PrivateKey,
    now: datetime,
) -> int:
    """Take away the chain's beginning, as far as all of it is older than *before*; one link stays.

    As the owner of the tables, in one transaction with the anchor. Whoever calls has verified the
    chain: an anchor must not make whole what is broken. Returns how many rows went.
    """
    async with conn.transaction():
        link = await last_link_before(conn, territory_id, before)
        if link is None:
            return 0
        signed = key.sign(anchor_words(territory_id, link.position, link.hash, now))
        return await store.retire(
            conn, territory_id, store.Anchor(link.position, link.hash, now, signed)
        )


async def _export(desk: Desk, name: str, out: Path, key: Ed25519PrivateKey) -> int:
    territory_id = chains(desk).get(name)
    if territory_id is None:
        raise SettingsError(f"there is no chain {name}; there is {', '.join(chains(desk))}")
    async with entered(desk.pool, None, [territory_id]) as conn:
        anchor = await last_anchor(conn, territory_id)
        start = (anchor.position, anchor.hash) if anchor else (0, BEGINNING)
        pairs: list[tuple[Link, AuditRow]] = []
        while found := await links_after(
            conn, territory_id, pairs[-1][0].position if pairs else start[0], READ_AT_ONCE
        ):
            pairs += [(link, row) for link, row in found if row is not None]
            if any(row is None for _, row in found):
                print(f"{name}: a row is missing; see `audit verify`")
                return 1
    begins = audit_export.Begins(name, desk.clock.now(), start[0], start[1].hex())
    out.write_bytes(b"\n".join(audit_export.lines(begins, pairs, key)) + b"\n")
    print(f"{name}: {len(pairs)} rows in {out}")
    return 0


def read_heads(path: Path | None) -> dict[str, dict[int, str]]:
    """Hashes by territory and position, from the lines of `heads`."""
    heads: dict[str, dict[int, str]] = {}
    for line in path.read_bytes().splitlines() if path else ():
        head = msgspec.json.decode(line, type=Head)
        heads.setdefault(head.territory, {})[head.position] = head.hash
    return heads


async def verify(
    desk: Desk,
    territory_id: TerritoryId,
    kept: Mapping[int, str] | None = None,
    public_keys: Sequence[str] = (),
) -> Verdict:
    """Recompute one chain from its beginning, or from the anchor where that was taken away.

    kept: hashes that it had at some positions. public_keys: one of whose signatures an anchor must
    bear; without any it is taken on trust.
    """
    expected = dict(kept or {})
    async with entered(desk.pool, None, [territory_id]) as conn:
        anchor = await last_anchor(conn, territory_id)
    head: Link | None = None
    if anchor is not None:
        signed = anchor_words(territory_id, anchor.position, anchor.hash, anchor.retired_at)
        if public_keys and not is_signed_by_one(public_keys, anchor.signature, signed):
            return Verdict(None, Break(anchor.position, 0, "its anchor is not signed by us"), 0)
        head = Link(anchor.position, 0, anchor.hash)
        if (rewritten := _rewritten([head], dict(expected))) is not None:
            return Verdict(None, rewritten, 0)
        expected = {at: known for at, known in expected.items() if at > anchor.position}
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
