"""The chain of an audit: each link seals one row and all before it. Pure.

A link's hash is SHA-256 over the previous hash and the row, field by field, so that no row can be
changed, taken out or put between without every later hash being another (RFC 6962's idea, as a
list instead of a tree). The rows are written plain in the transactions of the commands; a worker
chains them afterwards, in the order in which it finds them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from slots.ids import AccountId, TerritoryId

BEGINNING: Final = bytes(32)  # what the first link follows
BETWEEN_FIELDS: Final = "\x1f"  # occurs in no field


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to what, as the ledger has it."""

    id: int
    territory_id: TerritoryId
    at: datetime
    account_id: AccountId | None
    verb: str
    subject: str
    subject_id: UUID


@dataclass(frozen=True, slots=True)
class Link:
    """The seal of one row. *position* counts from 1 in each territory."""

    position: int
    audit_id: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Break:
    """The first link that does not hold, and why."""

    position: int
    audit_id: int
    why: str


def chained(rows: Iterable[AuditRow], head: Link | None) -> list[Link]:
    """Links for rows that have none yet, after *head* (None: at the beginning)."""
    position, previous = (head.position, head.hash) if head else (0, BEGINNING)
    links = []
    for row in rows:
        position, previous = position + 1, sealed(previous, position + 1, row)
        links.append(Link(position, row.id, previous))
    return links


def sealed(previous: bytes, position: int, row: AuditRow) -> bytes:
    """The hash of the link at *position*, after *previous*."""
    fields = (
        str(position),
        str(row.id),
        str(row.territory_id),
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        str(row.account_id or ""),
        row.verb,
        row.subject,
        str(row.subject_id),
    )
    return hashlib.sha256(previous + BETWEEN_FIELDS.join(fields).encode()).digest()


def first_break(
    pairs: Iterable[tuple[Link, AuditRow | None]], after: Link | None = None
) -> Break | None:
    """The first of the links, each with its row as it is now, that does not hold; None where all do."""
    position, previous = (after.position, after.hash) if after else (0, BEGINNING)
    for link, row in pairs:
        position += 1
        if link.position != position:
            return Break(position, link.audit_id, "a link is missing")
        if row is None:
            return Break(position, link.audit_id, "its row is missing")
        if sealed(previous, position, row) != link.hash:
            return Break(position, link.audit_id, "the row or the link was changed")
        previous = link.hash
    return None
