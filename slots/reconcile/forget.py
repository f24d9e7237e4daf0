"""Drops what protects nobody any more."""

from datetime import datetime, timedelta
from typing import Final

from slots.desk import Desk
from slots.store.idempotency import forget_old_keys
from slots.store.session import forget_old_sessions
from slots.transaction import looking

KEYS_FOR: Final = timedelta(days=7)  # as long as a session may last: nobody repeats later
SESSIONS_FOR: Final = timedelta(days=1)  # after their end


async def forget(desk: Desk, now: datetime) -> int:
    """Forget old idempotency keys and ended sessions. Each hour. Returns how many went.

    Raises:
        LedgerUnavailable: The next hour forgets the same and more.
    """
    async with looking(desk.pool) as conn:
        keys = await forget_old_keys(conn, now - KEYS_FOR)
    async with looking(desk.pool) as conn:
        return keys + await forget_old_sessions(conn, now - SESSIONS_FOR)
