"""The figures of the regulation room: what can be booked now, what was, and what was missing."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from slots.database import Connection
from slots.document import SlotDocument
from slots.ids import TerritoryId
from slots.slot import SlotStatus
from slots.store import unmet
from slots.store.appointment import booked_since
from slots.times import paris_day

SOON: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Counters:
    """*free*, *soon* (free, within SOON), *held*: slots on the board; *booked*, *unmet*: today's."""

    free: int
    soon: int
    held: int
    booked: int
    unmet: int


async def counted(
    conn: Connection,
    territory_ids: Collection[TerritoryId],
    slots: Iterable[SlotDocument],
    now: datetime,
) -> Counters:
    """The figures of these territories, whatever is searched; days are France's."""
    board = list(slots)
    free = [slot for slot in board if slot.status == SlotStatus.FREE]
    midnight, _ = paris_day(now)
    return Counters(
        free=len(free),
        soon=sum(slot.starts_at < now + SOON for slot in free),
        held=sum(slot.status == SlotStatus.HELD for slot in board),
        booked=await booked_since(conn, territory_ids, midnight),
        unmet=await unmet.searched_since(conn, territory_ids, midnight),
    )
