"""Two entries of a territory that are one person become one, where that is clear; or a reason why not."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from slots import queries
from slots.database import Connection
from slots.ids import TerritoryId
from slots.people.findings import Wrong
from slots.store.bringing_in import Effect

QUERIES: Final = queries.load("twins.sql")


class Kind(StrEnum):
    """What there are two of; the words of the address."""

    PRACTITIONER = "fiches"
    ACCOUNT = "comptes"


async def merge(
    conn: Connection,
    territory_id: TerritoryId,
    kind: Kind,
    stay_id: UUID,
    gone_id: UUID,
    now: datetime,
) -> Wrong | None:
    """Keep the first, with what the second had. None where it is done."""
    match kind:
        case Kind.PRACTITIONER:
            query = QUERIES["merge_practitioners"]
        case Kind.ACCOUNT:
            query = QUERIES["merge_accounts"]
    answer = await query.value(
        conn, territory_id=territory_id, stay_id=stay_id, gone_id=gone_id, at=now
    )
    return None if answer == Effect.CHANGED else Wrong(answer)
