"""The audit: who did what to what, ids only, append-only, inside the transaction that did it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from slots import queries
from slots.audit_chain import AuditRow, Link
from slots.database import Connection
from slots.hold_log import Place
from slots.ids import AccountId, TerritoryId

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("audit.sql")
RETIRING: Final = queries.load("retiring.sql")


async def record(
    conn: Connection,
    territory_id: TerritoryId,
    account_id: AccountId | None,
    verb: str,
    subject: str,
    subject_ids: Iterable[UUID],
) -> None:
    """Write one row per subject. *account_id* is None where the service itself acts."""
    await QUERIES["record"].none(
        conn,
        territory_id=territory_id,
        account_id=account_id,
        verb=verb,
        subject=subject,
        subject_ids=list(subject_ids),
    )


async def chain_alone(conn: Connection, territory_id: TerritoryId) -> bool:
    """Whether, until the end of the transaction, nobody else lengthens this territory's chain."""
    return bool(await QUERIES["chain_alone"].value(conn, territory_id=territory_id))


async def last_link(conn: Connection, territory_id: TerritoryId) -> Link | None:
    """The head of a territory's chain; None before its first link."""
    row = await QUERIES["last_link"].one(conn, territory_id=territory_id)
    return _link(row) if row else None


async def unchained(
    conn: Connection, territory_id: TerritoryId, since_id: int, most: int
) -> list[AuditRow]:
    """Rows after *since_id* without a link, oldest first."""
    rows = await QUERIES["unchained"].many(
        conn, territory_id=territory_id, since_id=since_id, most=most
    )
    return [_audit_row(row) for row in rows]


async def add_links(conn: Connection, territory_id: TerritoryId, links: Sequence[Link]) -> None:
    """Lengthen a territory's chain."""
    await QUERIES["add_links"].none(
        conn,
        territory_id=territory_id,
        positions=[link.position for link in links],
        audit_ids=[link.audit_id for link in links],
        hashes=[link.hash for link in links],
    )


async def links_after(
    conn: Connection, territory_id: TerritoryId, position: int, most: int
) -> list[tuple[Link, AuditRow | None]]:
    """The next links of a chain, each with its row as it is now; None where it is gone."""
    rows = await QUERIES["links_after"].many(
        conn, territory_id=territory_id, position=position, most=most
    )
    return [(_link(row), None if row["id"] is None else _audit_row(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a chain stood when its beginning was taken away. The first link that is left follows it."""

    position: int
    hash: bytes
    retired_at: datetime
    signature: bytes


async def last_anchor(conn: Connection, territory_id: TerritoryId) -> Anchor | None:
    """Where the chain begins now; None where it is whole."""
    row = await QUERIES["last_anchor"].one(conn, territory_id=territory_id)
    return Anchor(**dict(row)) if row else None


async def last_link_before(
    conn: Connection, territory_id: TerritoryId, before: datetime
) -> Link | None:
    """The last link behind which everything is older than *before*."""
    row = await QUERIES["last_link_before"].one(conn, territory_id=territory_id, before=before)
    return _link(row) if row else None


async def retire(conn: Connection, territory_id: TerritoryId, anchor: Anchor) -> int:
    """Take away all up to *anchor*, which stays. As the owner of the tables. Returns how many rows."""
    await conn.execute("SET LOCAL app.retires = 'yes'")
    await RETIRING["put_anchor"].none(
        conn,
        territory_id=territory_id,
        position=anchor.position,
        hash=anchor.hash,
        retired_at=anchor.retired_at,
        signature=anchor.signature,
    )
    count = await RETIRING["retire_rows"].value(
        conn, territory_id=territory_id, position=anchor.position
    )
    await RETIRING["retire_links"].none(conn, territory_id=territory_id, position=anchor.position)
    return int(count)


@dataclass(frozen=True, slots=True)
class Copied:
    """A row that was written down elsewhere first, with its time."""

    at: datetime
    account_id: AccountId | None
    verb: str
    subject: str
    subject_id: UUID


async def copied_to(conn: Connection) -> dict[TerritoryId, Place]:
    """How far the log of each entered territory has been copied; one that never was is left out."""
    rows = await QUERIES["copied_to"].many(conn)
    return {
        TerritoryId(row["territory_id"]): Place(row["generation"], row["entry_id"]) for row in rows
    }


async def copy(
    conn: Connection,
    territory_id: TerritoryId,
    before: Place | None,
    place: Place,
    rows: Sequence[Copied],
) -> bool:
    """Write rows from the log, and that it is copied from *before* to *place*.

    Writes nothing, and says False, where it was copied from there already.
    """
    return bool(
        await QUERIES["copy"].value(
            conn,
            territory_id=territory_id,
            before_generation=before.generation if before else None,
            before_entry_id=before.entry_id if before else None,
            generation=place.generation,
            entry_id=place.entry_id,
            ats=[row.at for row in rows],
            account_ids=[row.account_id for row in rows],
            verbs=[row.verb for row in rows],
            subjects=[row.subject for row in rows],
            subject_ids=[row.subject_id for row in rows],
        )
    )


async def unchained_count(conn: Connection, territory_id: TerritoryId) -> int:
    """How many rows wait for their link."""
    return int(await QUERIES["unchained_count"].value(conn, territory_id=territory_id))


def _link(row: "Record") -> Link:
    return Link(row["position"], row["audit_id"], row["hash"])


def _audit_row(row: "Record") -> AuditRow:
    return AuditRow(
        id=row["id"],
        territory_id=TerritoryId(row["territory_id"]),
        at=row["at"],
        account_id=row["account_id"],
        verb=row["verb"],
        subject=row["subject"],
        subject_id=row["subject_id"],
    )
