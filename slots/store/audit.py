"""The audit: who did what to what, ids only, append-only, inside the transaction that did it."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from slots import queries
from slots.database import Connection
from slots.ids import AccountId, TerritoryId

QUERIES: Final = queries.load("audit.sql")


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
