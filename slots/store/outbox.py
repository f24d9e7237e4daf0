"""The outbox: slot X changed, by verb V, to be brought to the broker."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from slots import queries
from slots.database import Connection
from slots.ids import SlotId, TerritoryId

QUERIES: Final = queries.load("outbox.sql")


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the outbox."""

    id: int
    territory_id: TerritoryId
    slot_id: SlotId
    version: int
    verb: str


async def outbox_waiting(conn: Connection, older_than: datetime, limit: int) -> list[Change]:
    """Changes that no request has brought home since *older_than*, locked; oldest first."""
    rows = await QUERIES["outbox_waiting"].many(conn, older_than=older_than, limit_rows=limit)
    return [
        Change(
            row["id"],
            TerritoryId(row["territory_id"]),
            SlotId(row["slot_id"]),
            row["version"],
            row["verb"],
        )
        for row in rows
    ]


async def outbox_delivered(conn: Connection, ids: Iterable[int]) -> None:
    """Forget changes that the broker has taken."""
    await QUERIES["outbox_delivered"].none(conn, ids=list(ids))
