"""Drops what protects nobody any more."""

from datetime import datetime, timedelta
from typing import Final

from slots.desk import Desk
from slots.store.idempotency import forget_old_keys
from slots.store.push import forget_old_pushes
from slots.store.session import forget_old_sessions
from slots.store.ticket import FORGOTTEN_AFTER, forget_old_tickets
from slots.transaction import looking

KEYS_FOR: Final = timedelta(days=7)  # a repeat within them is answered as the first
SESSIONS_FOR: Final = timedelta(days=1)  # after their end
PUSHES_FOR: Final = timedelta(days=1)  # after the appointment's start


async def forget(desk: Desk, now: datetime) -> int:
    """Forget old idempotency keys, ended sessions, late tickets and what phones were told.

    Each hour. Returns how many went.

    Raises:
        LedgerUnavailable: The next hour forgets the same and more.
    """
    async with looking(desk.pool) as conn:
        keys = await forget_old_keys(conn, now - KEYS_FOR)
    async with looking(desk.pool) as conn:
        sessions = await forget_old_sessions(conn, now - SESSIONS_FOR)
    async with looking(desk.pool) as conn:
        tickets = await forget_old_tickets(conn, now - FORGOTTEN_AFTER)
    async with looking(desk.pool) as conn:
        return keys + sessions + tickets + await forget_old_pushes(conn, now - PUSHES_FOR)
