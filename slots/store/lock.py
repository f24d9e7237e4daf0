"""The lock of a PC in the ledger: signs of a person, closing, and opening again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from slots import queries
from slots.database import Connection
from slots.ids import AccountId
from slots.pin import TRIES_MAX
from slots.store.session import IDLE_FOR, LOCK_AFTER

QUERIES: Final = queries.load("lock.sql")


@dataclass(frozen=True, slots=True)
class Lock:
    """What whoever stands before it may know. *has_pin*, *has_passkey*: what opens it."""

    account_id: AccountId
    name: str
    is_locked: bool
    attended_at: datetime
    has_pin: bool
    has_passkey: bool

    def locks_in(self, now: datetime) -> timedelta:
        """How long it stays open, if nobody gives a sign."""
        left = self.attended_at + LOCK_AFTER - now
        return timedelta() if self.is_locked else max(left, timedelta())


async def attend(conn: Connection, attended: Mapping[bytes, datetime]) -> None:
    """Somebody was there, in each of these sessions at its time. Opens nothing that is locked."""
    times = list(attended.values())
    await QUERIES["attend_sessions"].none(
        conn,
        session_hashes=list(attended),
        times=times,
        unattended_since=[at - LOCK_AFTER for at in times],
    )


async def lock(conn: Connection, session_hash: bytes, now: datetime) -> bool:
    """Lock a PC at once. Safe to repeat. False: it has ended, or is none that locks."""
    return bool(await QUERIES["lock_session"].value(conn, session_hash=session_hash, now=now))


async def lock_of(conn: Connection, session_hash: bytes, now: datetime) -> Lock | None:
    """The lock of a live session; None where it has ended, or is none that locks."""
    row = await QUERIES["lock_of_session"].one(
        conn,
        session_hash=session_hash,
        now=now,
        idle_since=now - IDLE_FOR,
        unattended_since=now - LOCK_AFTER,
    )
    return Lock(**dict(row)) if row else None


async def try_pin(
    conn: Connection, session_hash: bytes, now: datetime
) -> tuple[str | None, int] | None:
    """Count a try, and say what the PIN is verified against and how many tries this makes.

    None: the session is not locked, or was tried too often.
    """
    row = await QUERIES["try_pin"].one(
        conn,
        session_hash=session_hash,
        most=TRIES_MAX,
        now=now,
        unattended_since=now - LOCK_AFTER,
    )
    return (row["pin_hash"], row["tries"]) if row else None


async def unlock(conn: Connection, session_hash: bytes, now: datetime) -> bool:
    """Open it again. False where it has ended meanwhile."""
    return bool(await QUERIES["unlock_session"].value(conn, session_hash=session_hash, now=now))


async def put_own_pin(conn: Connection, pin_hash: str | None) -> None:
    """The PIN of whoever has entered from now on; None: none any more."""
    await QUERIES["put_own_pin"].none(conn, pin_hash=pin_hash)


async def has_own_pin(conn: Connection) -> bool:
    """Whether whoever has entered has one."""
    return bool(await QUERIES["has_own_pin"].value(conn))
