"""Searches that found nothing, kept for the figures. Nothing in them leads to a person."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from slots import queries
from slots.database import Connection
from slots.ids import TerritoryId

BUCKET: Final = timedelta(minutes=15)  # the same need asked again within it counts once
DELAYS_H: Final = (4, 8, 12, 24, 48, 72)  # "disponible sous", hours

_sql = queries.load("unmet.sql")


@dataclass(frozen=True, slots=True)
class UnmetSearch:
    """What was needed, and where; at least one of act, profession and specialty is said."""

    act: str | None
    profession: str | None
    specialty: str | None
    insee: str | None
    within_hours: int | None


async def record(
    conn: Connection, territory_id: TerritoryId, search: UnmetSearch, now: datetime
) -> None:
    """Keep one unmet search. Safe to repeat."""
    await _sql["record_unmet_search"].none(
        conn,
        territory_id=territory_id,
        act=search.act,
        profession=search.profession,
        specialty=search.specialty,
        insee=search.insee,
        within_hours=search.within_hours,
        bucket_at=datetime.fromtimestamp(
            now.timestamp() // BUCKET.total_seconds() * BUCKET.total_seconds(), now.tzinfo
        ),
        searched_at=now,
    )


async def searched_since(
    conn: Connection, territory_ids: Collection[TerritoryId], since: datetime
) -> int:
    """How many needs nobody met since then."""
    found = await _sql["unmet_since"].value(conn, territory_ids=list(territory_ids), since=since)
    return int(found)


def delay_hours(wait: timedelta) -> int:
    """The class of delay that a wait falls in, so that a clock that ticks is no new need."""
    hours = wait / timedelta(hours=1)
    return next((delay for delay in DELAYS_H if hours <= delay), DELAYS_H[-1])
