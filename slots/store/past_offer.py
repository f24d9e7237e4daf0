"""What somebody has published before: a page draws their habits from it, and their last week."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from slots import queries
from slots.database import Connection
from slots.ids import ScheduleId, SlotId

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("slot.sql")
PAST_OFFERS_MAX: Final = 2_000  # a large service's six weeks


@dataclass(frozen=True, slots=True)
class PastOffer:
    """A slot as it was offered, and not taken back."""

    id: SlotId
    schedule_id: ScheduleId
    starts_at: datetime
    ends_at: datetime
    capacity: int
    modality: str
    area: dict[str, Any] | None
    acts: tuple[str, ...]
    audience: tuple[str, ...]
    note: str | None

    @property
    def span(self) -> timedelta:
        """How long it lasts."""
        return self.ends_at - self.starts_at


async def past_offers(
    conn: Connection, schedule_ids: Iterable[ScheduleId], since: datetime, until: datetime
) -> list[PastOffer]:
    """What these schedules published between the two, the newest first, PAST_OFFERS_MAX at most."""
    rows = await QUERIES["offered_before"].many(
        conn,
        schedule_ids=list(schedule_ids),
        since=since,
        until=until,
        at_most=PAST_OFFERS_MAX,
    )
    return [_past_offer(row) for row in rows]


def _past_offer(row: "Record") -> PastOffer:
    fields = dict(row)
    for name in ("acts", "audience"):
        fields[name] = tuple(fields[name])
    return PastOffer(**fields)
