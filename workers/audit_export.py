"""Exports of the audit: JSON lines, each row with its link, and a signed last line.

Whoever has the file and the public key can check it without the ledger: `chrono48 audit check`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slots.audit_chain import AuditRow, Link, sealed
from slots.audit_signing import is_signed
from slots.ids import AccountId, TerritoryId

BEGINS: Final = "begins"
ENDS: Final = "ends"


class Begins(msgspec.Struct, frozen=True, tag=BEGINS, tag_field="t"):
    """The first line: which chain, and the hash that its first row here follows."""

    chain: str
    at: datetime
    position: int
    hash: str


class Row(msgspec.Struct, frozen=True, tag="row", tag_field="t"):
    """A row with its link."""

    position: int
    hash: str
    id: int
    territory_id: int
    at: datetime
    account_id: UUID | None
    verb: str
    subject: str
    subject_id: UUID


class Ends(msgspec.Struct, frozen=True, tag=ENDS, tag_field="t"):
    """The last line: over all lines before it."""

    rows: int
    hash: str
    signature: str


Line = Begins | Row | Ends


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file cannot be trusted."""

    line: int
    why: str


def lines(
    begins: Begins, pairs: list[tuple[Link, AuditRow]], key: Ed25519PrivateKey
) -> Iterator[bytes]:
    """The file, line by line."""
    last = begins.hash
    first = msgspec.json.encode(begins)
    yield first
    for link, row in pairs:
        last = link.hash.hex()
        yield msgspec.json.encode(
            Row(
                link.position,
                last,
                row.id,
                row.territory_id,
                row.at,
                row.account_id,
                row.verb,
                row.subject,
                row.subject_id,
            )
        )
    signature = key.sign(_words(first, len(pairs), last)).hex()
    yield msgspec.json.encode(Ends(len(pairs), last, signature))


def check(content: bytes, public_key: str) -> Fault | None:
    """The first thing in a file that does not hold; None where all of it does."""
    found = content.splitlines()
    if not found:
        return Fault(1, "the file is empty")
    try:
        decoded = [msgspec.json.decode(line, type=Line) for line in found]
    except msgspec.DecodeError as error:
        return Fault(1, f"not an export: {error}")
    for number, (line, value) in enumerate(zip(found, decoded, strict=True), start=1):
        if msgspec.json.encode(value) != line:
            return Fault(number, "it is not written as we write it: something was added or changed")
    begins, ends = decoded[0], decoded[-1]
    if not isinstance(begins, Begins) or not isinstance(ends, Ends):
        return Fault(len(found), "the first or the last line is missing")
    previous, position = _hex(begins.hash), begins.position
    for number, row in enumerate(decoded[1:-1], start=2):
        if not isinstance(row, Row):
            return Fault(number, "a line that is no row")
        position += 1
        previous = sealed(previous, position, _audit_row(row))
        if row.position != position or row.hash != previous.hex():
            return Fault(number, "the row or its link was changed, or one before it is missing")
    if ends.rows != len(decoded) - 2 or ends.hash != previous.hex():
        return Fault(len(found), "rows are missing at the end")
    if not is_signed(public_key, _hex(ends.signature), _words(found[0], ends.rows, ends.hash)):
        return Fault(len(found), "the signature is not of this key")
    return None


def _words(first: bytes, rows: int, last: str) -> bytes:
    return b"export " + first + f" {rows} {last}".encode()


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _audit_row(row: Row) -> AuditRow:
    return AuditRow(
        row.id,
        TerritoryId(row.territory_id),
        row.at,
        AccountId(row.account_id) if row.account_id else None,
        row.verb,
        row.subject,
        row.subject_id,
    )
