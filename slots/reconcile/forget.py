"""Drops what protects nobody any more."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from slots.database import Connection
from slots.desk import Desk
from slots.store.idempotency import forget_old_keys
from slots.store.mail import forget_old_mails
from slots.store.pro_sante_connect import forget_old_admissions
from slots.store.push import forget_old_pushes
from slots.store.session import forget_old_sessions, forget_old_sign_in_failures
from slots.store.ticket import FORGOTTEN_AFTER, forget_old_tickets
from slots.transaction import looking

KEYS_FOR: Final = timedelta(days=7)  # a repeat within them is answered as the first
SESSIONS_FOR: Final = timedelta(days=1)  # after their end
PUSHES_FOR: Final = timedelta(days=1)  # after the appointment's start
MAILS_FOR: Final = timedelta(days=30)  # after they left
FAILURES_FOR: Final = timedelta(days=7)  # after the last wrong password; no delay is as long
ADMISSIONS_FOR: Final = timedelta(days=90)  # after the answer; or the question, without one

WHAT: Final[tuple[tuple[Callable[[Connection, datetime], Awaitable[int]], timedelta], ...]] = (
    (forget_old_keys, KEYS_FOR),
    (forget_old_sessions, SESSIONS_FOR),
    (forget_old_tickets, FORGOTTEN_AFTER),
    (forget_old_pushes, PUSHES_FOR),
    (forget_old_mails, MAILS_FOR),
    (forget_old_sign_in_failures, FAILURES_FOR),
    (forget_old_admissions, ADMISSIONS_FOR),
)


async def forget(desk: Desk, now: datetime) -> int:
    """Forget old idempotency keys, ended sessions, late tickets, what phones were told, mails that
    have left, wrong passwords and answered admissions.

    Each hour. Returns how many went.

    Raises:
        LedgerUnavailable: The next hour forgets the same and more.
    """
    count = 0
    for forget_old, kept_for in WHAT:
        async with looking(desk.pool) as conn:
            count += await forget_old(conn, now - kept_for)
    return count
