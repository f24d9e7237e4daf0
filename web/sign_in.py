"""Signing in and out, with a delay that grows with each failure.

The delay is per (address of mail, address of the network): nobody can lock another out.
"""

import asyncio
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from starlette.requests import Request

from slots.account import SignedIn
from slots.database import Connection
from slots.errors import Unavailable
from slots.ids import AccountId
from slots.second_factor import Factor, Proof
from slots.secret_id import hash_of
from slots.store import session as store
from slots.store.factor import factors_of, renew_password_hash
from slots.store.ticket import GOOD_FOR, Purpose, open_ticket
from slots.transaction import entered, looking
from web.auth import browser_hash_of, workstation_hash_of
from web.devices import device_of
from web.passwords import Passwords
from web.refusals import NotSignedIn, SignInRefused, TooManyTries
from web.security_log import noted
from web.sessions import Sessions

FREE_FAILURES: Final = 3  # slips of the finger cost nothing
DELAY_MAX: Final = timedelta(minutes=15)
EMAIL_LENGTH_MAX: Final = 254  # characters

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that has just begun, or goes on under a new id. *session_id* goes into the cookie and
    nowhere else, for as long as it is good.
    """

    session_id: str
    good_for: timedelta
    signed_in: SignedIn


@dataclass(frozen=True, slots=True)
class FactorDue:
    """The password was right, and is not enough. *factors*: any one of them; none: add one first.

    *ticket_id* goes to whoever asked, and nowhere else.
    """

    ticket_id: str
    factors: tuple[Factor, ...]
    expires_at: datetime


async def sign_in(
    request: Request[Any], email: str, password: str, *, is_phone: bool = False
) -> Opened | FactorDue:
    """Begin a session for who knows the password, or say what is due beside it.

    is_phone: the person says that it is their own, and stays signed in longer there.

    Raises:
        SignInRefused: The two do not belong together, or the account is disabled.
        TooManyTries: Too many failures; it says when to try again.
        LedgerUnavailable: The ledger is away.
    """
    account_id = await password_of(request, email, password)
    pool = request.state["desk"].pool
    async with looking(pool) as conn:
        factors = (await factors_of(conn, account_id)).kinds
    if not factors and not request.state["settings"].is_factor_required:
        return await begin(request, account_id, Proof.PASSWORD, is_phone=is_phone)
    at_workstation = None if is_phone else await begin_at_workstation(request, account_id)
    if at_workstation is not None:
        return at_workstation
    if factors:
        return await due(request, Purpose.SIGN_IN, account_id, factors)
    return await due(request, Purpose.ENROL, account_id)


async def password_of(request: Request[Any], email: str, password: str) -> AccountId:
    """Whose password it is.

    Raises:
        SignInRefused, TooManyTries, LedgerUnavailable: As `sign_in`.
    """
    # Nobody's is longer (RFC 5321); and what fits into no index must not break the page.
    email = email.strip().lower()[:EMAIL_LENGTH_MAX]
    address = address_of(request)
    passwords: Passwords = request.state["passwords"]
    # One after the other: many guesses at once must not all see the count of failures before them.
    lock = passwords.one_try_at_a_time.setdefault((email, address), asyncio.Lock())
    async with lock:
        return await _checked(request, email, password, address)


async def due(
    request: Request[Any],
    purpose: Purpose,
    account_id: AccountId,
    factors: tuple[Factor, ...] = (),
) -> FactorDue:
    """Keep under way what the next step ends."""
    now = request.state["desk"].clock.now()
    async with looking(request.state["desk"].pool) as conn:
        ticket_id = await open_ticket(conn, purpose, account_id, now)
    return FactorDue(ticket_id, factors, now + GOOD_FOR[purpose])


async def begin(
    request: Request[Any], account_id: AccountId, proof: Proof, *, is_phone: bool = False
) -> Opened:
    """Begin a session for who has shown who they are; the browser's session before it ends.

    Raises:
        NotSignedIn: The account was disabled meanwhile.
        LedgerUnavailable: The ledger is away.
    """
    sessions: Sessions = request.state["sessions"]
    await noted(request, "sign-in", account_id)
    # A PC that several people share is nobody's own phone, whatever is ticked.
    is_phone = is_phone and workstation_hash_of(request) is None
    session_id = await sessions.open(account_id, _device(request), proof, is_phone=is_phone)
    return await _opened(request, session_id, proof)


async def begin_at_workstation(request: Request[Any], account_id: AccountId) -> Opened | None:
    """Begin a regulator's session at a workstation of their organisation: the PC is the other factor.

    None where this PC is none, or not for them; nothing has happened then. Raises as `begin`.
    """
    workstation_hash = workstation_hash_of(request)
    if workstation_hash is None:
        return None
    sessions: Sessions = request.state["sessions"]
    session_id = await sessions.open_at_workstation(account_id, workstation_hash, _device(request))
    return None if session_id is None else await _opened(request, session_id, Proof.WORKSTATION)


def _device(request: Request[Any]) -> str:
    return device_of(request.headers.get("user-agent", ""))


async def _opened(request: Request[Any], session_id: str, proof: Proof) -> Opened:
    """The session that takes the place of the browser's before it."""
    sessions: Sessions = request.state["sessions"]
    old_session = browser_hash_of(request)
    if old_session is not None:
        await sessions.end(old_session)
    found = await sessions.signed_in(hash_of(session_id))
    if found is None:
        raise NotSignedIn
    await request.state["catalogue"].know(found.account.reach)
    request.state["account_id"] = found.account.id
    # The audit has that they came in; by what, it has no column for.
    log.info("signed-in", account_id=str(found.account.id), proof=proof.value)
    good_for = store.PHONE_FOR if found.is_phone else store.SESSION_FOR
    return Opened(session_id, good_for, found)


def address_of(request: Request[Any]) -> str:
    """The address of the network that asks; a trusted proxy's word where there is one."""
    return request.client.host if request.client else ""


async def sign_out(request: Request[Any]) -> None:
    """End the session in the cookie, where there is one. Safe to repeat."""
    session_hash = browser_hash_of(request)
    if session_hash is not None:
        found = await request.state["sessions"].signed_in(session_hash)
        await request.state["sessions"].end(session_hash)
        if found is not None:
            await noted(request, "sign-out", found.account.id)


def wait_until(failures: int, last_at: datetime) -> datetime:
    """When the next try is listened to, after so many failures, the last of them at *last_at*."""
    if failures < FREE_FAILURES:
        return last_at
    doublings = min(failures - FREE_FAILURES, 20)
    return last_at + min(timedelta(seconds=2**doublings), DELAY_MAX)


async def _checked(request: Request[Any], email: str, password: str, address: str) -> AccountId:
    pool = request.state["desk"].pool
    now = datetime.now(UTC)
    async with entered(pool, None, ()) as conn:
        await count_try(conn, email, address, now)
        account = await store.account_to_sign_in(conn, email)
    # The connection is back in the pool: a slow hash must not hold up who only needs the ledger.
    if not await request.state["passwords"].verify(password, account[1] if account else None):
        await noted(request, "sign-in-refused", account[0] if account else None)
        raise SignInRefused
    assert account is not None
    async with looking(pool) as conn:
        await store.forget_sign_in_failures(conn, email, address)
    account_id, password_hash = account
    assert password_hash is not None
    await _renew_hash(request, account_id, password, password_hash)
    return account_id


async def _renew_hash(
    request: Request[Any], account_id: AccountId, password: str, password_hash: str
) -> None:
    """Hash a password anew that was hashed as one did before: only now do we have it.

    Nobody is kept out for it: where it cannot be done, the next sign-in tries again.
    """
    try:
        new_hash = await request.state["passwords"].renewed(password, password_hash)
        if new_hash is None:
            return
        async with looking(request.state["desk"].pool) as conn:
            is_renewed = await renew_password_hash(conn, account_id, password_hash, new_hash)
    except Unavailable:
        is_renewed = False
    log.info("password-hash-renewed", account_id=str(account_id), done=is_renewed)


async def count_try(conn: Connection, email: str, address: str, now: datetime) -> None:
    """Count a try before it is looked at; a success forgets it, an interrupted one stays counted.

    Raises:
        TooManyTries: There were too many before; this one is not looked at.
    """
    await store.one_try_at_a_time(conn, email, address)
    failed = await store.sign_in_failures(conn, email, address)
    if failed is not None and (left := wait_until(*failed) - now) > timedelta():
        raise TooManyTries(math.ceil(left.total_seconds()))
    await store.record_sign_in_failure(conn, email, address, now)
