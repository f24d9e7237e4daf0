"""Copies into the audit who held what: the hold itself stays in Redis alone."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from slots.desk import Desk
from slots.hold_log import Place, read_after
from slots.ids import TerritoryId
from slots.store.audit import Copied, copied_to, copy
from slots.territory import Territory
from slots.transaction import entered

COPIED_MAX: Final = 500  # entries of the log, a territory and a round
GAP: Final = "gap"  # the audit's verb where holds may be missing: forgotten before they were copied


async def copied_places(
    desk: Desk, territory_ids: Iterable[TerritoryId]
) -> Mapping[TerritoryId, Place]:
    """How far each territory's log has been copied, all in one statement: most are quiet.

    Raises:
        LedgerUnavailable.
    """
    async with entered(desk.pool, None, territory_ids) as conn:
        return await copied_to(conn)


async def copy_holds(desk: Desk, territory: Territory, copied: Place | None) -> int:
    """Bring a territory's audit from *copied* on as far as its log. Returns how many rows it wrote.

    Each entry is copied once: the rows and how far they reach are one statement, which does nothing
    where another worker was there first. What Redis loses in the seconds before it is copied, or
    trims while no worker runs, is missing, and a row says so.

    Raises:
        BrokerUnavailable, LedgerUnavailable: The next round takes it.
    """
    read = await read_after(desk.broker.redis, territory, copied, COPIED_MAX)
    if read is None:
        return 0
    rows = [
        Copied(told.at, told.account_id, told.verb, "hold", told.hold_id) for told in read.holds
    ]
    if read.is_gap:
        gap = Copied(desk.clock.now(), None, GAP, "territory", UUID(int=territory.id))
        rows = [gap, *rows]
    async with entered(desk.pool, None, [territory.id]) as conn:
        return len(rows) if await copy(conn, territory.id, copied, read.place, rows) else 0
