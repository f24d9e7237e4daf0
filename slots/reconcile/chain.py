"""Chains the audit: rows that commands have written plain get their links, a few seconds later."""

from typing import Final

from slots.audit_chain import chained
from slots.desk import Desk
from slots.ids import TerritoryId
from slots.store.audit import add_links, chain_alone, last_link, unchained
from slots.transaction import entered

CHAINED_MAX: Final = 1_000  # rows a call
# A row may commit after others with later ids, by a second or two. What came later than this many
# rows of all territories is found by `audit verify`, which counts rows without a link.
LATE_ROWS: Final = 100_000


async def chain(desk: Desk, territory_id: TerritoryId) -> int:
    """Lengthen a territory's chain, or the installation's, by the rows that have no link yet.

    Returns how many.

    Safe beside another worker: while one does it the others leave it alone.
    A command pays nothing for it: no lock is taken in its transaction.

    Raises:
        LedgerUnavailable: The rows wait for the next round.
    """
    async with entered(desk.pool, None, [territory_id]) as conn:
        if not await chain_alone(conn, territory_id):
            return 0
        head = await last_link(conn, territory_id)
        since_id = head.audit_id - LATE_ROWS if head else 0
        links = chained(await unchained(conn, territory_id, since_id, CHAINED_MAX), head)
        if links:
            await add_links(conn, territory_id, links)
    return len(links)
