"""Signing in and out. Slow where it must be: argon2, and a delay that grows with each failure.

The delay is per (address of mail, address of the network): nobody can lock another out.
"""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

import argon2
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.requests import Request

from slots.account import SignedIn
from slots.errors import Unavailable
from slots.store import session as store
from slots.transaction import entered, looking
from web.auth import session_hash_of
from web.devices import device_of
from web.refusals import NotSignedIn, SignInRefused, TooManyTries
from web.sessions import hash_of

FREE_FAILURES: Final = 3  # slips of the finger cost nothing
DELAY_MAX: Final = timedelta(minutes=15)
# One verification takes 64 MiB and some 50 ms of four lanes (RFC 9106).
VERIFYING_MAX: Final = 2  # at once in one process
WAITING_MAX: Final = 50  # beyond, the service is being flooded


class Passwords:
    """Verifies passwords beside the event loop, a few at a time. One per process."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._hasher = argon2.PasswordHasher()
        self._threads = ThreadPoolExecutor(VERIFYING_MAX, thread_name_prefix="argon2")
        self._nobodys_hash: str | None = None
        self._waiting = 0
        self.one_try_at_a_time: WeakValueDictionary[tuple[str, str], asyncio.Lock] = (
            WeakValueDictionary()
        )

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether they belong together. None takes as long as a real hash, and never does.

        Raises:
            Unavailable: Too many are waiting.
        """
        if self._waiting >= WAITING_MAX:
            raise Unavailable
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._verify, password, password_hash)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, password_hash: str | None) -> bool:
        if password_hash is None:
            # Whether an address is known here must not be told by the time it takes.
            self._nobodys_hash = self._nobodys_hash or self._hasher.hash("")
            self._matches(password, self._nobodys_hash)
            return False
        return self._matches(password, password_hash)

    def _matches(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password.encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that has just begun. *session_id* goes into the cookie and nowhere else."""

    session_id: str
    signed_in: SignedIn


async def sign_in(request: Request[Any], email: str, password: str) -> Opened:
    """Begin a session for who knows the password; the browser's session before it ends.

    Raises:
        SignInRefused: The two do not belong together, or the account is disabled.
        TooManyTries: Too many failures; it says when to try again.
        LedgerUnavailable: The ledger is away.
    """
    email = email.strip().lower()
    address = request.client.host if request.client else ""
    passwords: Passwords = request.state["passwords"]
    # One after the other: many guesses at once must not all see the count of failures before them.
    lock = passwords.one_try_at_a_time.setdefault((email, address), asyncio.Lock())
    async with lock:
        account_id = await _checked(request, email, password, address)
    sessions = request.state["sessions"]
    old_session = session_hash_of(request)
    if old_session is not None:
        await sessions.end(old_session)
    device = device_of(request.headers.get("user-agent", ""))
    session_id = await sessions.open(account_id, device)
    found = await sessions.signed_in(hash_of(session_id))
    if found is None:  # disabled meanwhile
        raise NotSignedIn
    await request.state["catalogue"].know(found.account.reach)
    request.state["account_id"] = found.account.id
    return Opened(session_id, found)


async def sign_out(request: Request[Any]) -> None:
    """End the session in the cookie, where there is one. Safe to repeat."""
    session_hash = session_hash_of(request)
    if session_hash is not None:
        await request.state["sessions"].end(session_hash)


def wait_until(failures: int, last_at: datetime) -> datetime:
    """When the next try is listened to, after so many failures, the last of them at *last_at*."""
    if failures < FREE_FAILURES:
        return last_at
    doublings = min(failures - FREE_FAILURES, 20)
    return last_at + min(timedelta(seconds=2**doublings), DELAY_MAX)


async def _checked(request: Request[Any], email: str, password: str, address: str) -> Any:
    pool = request.state["desk"].pool
    now = datetime.now(UTC)
    async with entered(pool, None, ()) as conn:
        await store.one_try_at_a_time(conn, email, address)
        failed = await store.sign_in_failures(conn, email, address)
        if failed is not None and (left := wait_until(*failed) - now) > timedelta():
            raise TooManyTries(math.ceil(left.total_seconds()))
        # Counted before the look, and forgotten after a success: an interrupted try counts too.
        await store.record_sign_in_failure(conn, email, address, now)
        account = await store.account_to_sign_in(conn, email)
    # The connection is back in the pool: a slow hash must not hold up who only needs the ledger.
    if not await request.state["passwords"].verify(password, account[1] if account else None):
        raise SignInRefused
    assert account is not None
    async with looking(pool) as conn:
        await store.forget_sign_in_failures(conn, email, address)
    return account[0]
