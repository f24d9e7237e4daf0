"""A screen on a wall, hung up as its maker and whoever stands before it do."""

from collections.abc import Iterable
from datetime import UTC, datetime

from slots.database import Pool
from slots.ids import AccountId, TerritoryId
from slots.store import screen
from slots.transaction import entered, looking


async def hang_up(pool: Pool, maker_id: AccountId, walls: Iterable[TerritoryId]) -> str:
    """What the screen's cookie has in it."""
    link = await offer(pool, maker_id, walls)
    async with looking(pool) as conn:
        begun = await screen.begin(conn, link, datetime.now(UTC))
    assert begun is not None
    return begun.secret


async def offer(pool: Pool, maker_id: AccountId, walls: Iterable[TerritoryId]) -> str:
    """What its link has in it."""
    async with entered(pool, maker_id, ()) as conn:
        return await screen.offer(conn, "Salle de régulation", walls, datetime.now(UTC))
