"""Who is asking: the session in the cookie, the account behind it, known for a second at most."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from slots.account import Account, SignedIn
from slots.database import Pool
from slots.errors import LedgerUnavailable
from slots.ids import AccountId
from slots.settings import Settings
from slots.store import session as store
from slots.transaction import looking
from web.refusals import NotSignedIn

SESSION_ID_BYTES: Final = 32  # 256 bits
SESSION_ID_LENGTH_MAX: Final = 100  # characters; a longer cookie is not ours
KNOWN_FOR_S: Final = 1.0  # how long an ended session may still pass in this process
# While the ledger is away nobody can end a session; who was known may go on looking this long.
KNOWN_WITHOUT_LEDGER_FOR_S: Final = 300.0
KNOWN_MAX: Final = 10_000  # sessions remembered by one process

COOKIE: Final = "chrono48"
HOST_COOKIE: Final = "__Host-chrono48"  # browsers let nobody but this very host over https set it


@dataclass(frozen=True, slots=True)
class _Known:
    signed_in: SignedIn | None
    at_s: float


class Sessions:
    """The sessions of the ledger, remembered for KNOWN_FOR_S. One per process."""

    def __init__(self, pool: Pool) -> None:
        """Look them up through *pool*."""
        self._pool = pool
        self._known: dict[bytes, _Known] = {}
        self._ledger_away_until_s = 0.0

    async def signed_in(
        self, session_hash: bytes, *, without_ledger: bool = False
    ) -> SignedIn | None:
        """Who is behind a session; None where it has ended or never was.

        without_ledger: while the ledger is away, be content with what was known before.

        Raises:
            LedgerUnavailable: The ledger cannot say.
        """
        known = self._known.get(session_hash)
        now_s = time.monotonic()
        if known is not None and now_s - known.at_s < KNOWN_FOR_S:
            return known.signed_in
        passes = without_ledger and known is not None and _still_passes(known, now_s)
        # A frozen ledger takes seconds to be found out: not for every glance at a board.
        if passes and now_s < self._ledger_away_until_s:
            return known.signed_in if known else None
        try:
            async with looking(self._pool) as conn:
                found = await store.account_of_session(conn, session_hash, datetime.now(UTC))
        except LedgerUnavailable:
            self._ledger_away_until_s = time.monotonic() + KNOWN_FOR_S
            if passes:
                return known.signed_in if known else None
            raise
        self._remember(session_hash, found)
        return found

    async def open(self, account_id: AccountId) -> str:
        """Begin a session. Returns its id, which only the cookie may hold."""
        session_id = secrets.token_urlsafe(SESSION_ID_BYTES)
        async with looking(self._pool) as conn:
            await store.open_session(conn, hash_of(session_id), account_id, datetime.now(UTC))
        return session_id

    async def end(self, session_hash: bytes) -> None:
        """End a session; this process forgets it at once, the others within KNOWN_FOR_S."""
        async with looking(self._pool) as conn:
            await store.end_session(conn, session_hash, datetime.now(UTC))
        self._known.pop(session_hash, None)

    def _remember(self, session_hash: bytes, signed_in: SignedIn | None) -> None:
        self._known.pop(session_hash, None)
        if len(self._known) >= KNOWN_MAX:
            # The first is the one that was looked up longest ago.
            del self._known[next(iter(self._known))]
        self._known[session_hash] = _Known(signed_in, time.monotonic())


def _still_passes(known: _Known, now_s: float) -> bool:
    return known.signed_in is not None and now_s - known.at_s < KNOWN_WITHOUT_LEDGER_FOR_S


async def signed_in(connection: HTTPConnection[Any], *, without_ledger: bool = False) -> SignedIn:
    """Who asks, of an HTTP request or a WebSocket that is not yet accepted.

    without_ledger: enough for reading what the hub knows, never for a command.

    Raises:
        NotSignedIn: There is no live session in the cookie.
        LedgerUnavailable: The ledger cannot say.
    """
    session_hash = session_hash_of(connection)
    if session_hash is None:
        raise NotSignedIn
    sessions: Sessions = connection.state["sessions"]
    found = await sessions.signed_in(session_hash, without_ledger=without_ledger)
    if found is None:
        raise NotSignedIn
    connection.state["account_id"] = found.account.id  # for the canonical line
    return found


async def account_of(connection: HTTPConnection[Any]) -> Account:
    """The account that asks. Raises as `signed_in`."""
    return (await signed_in(connection)).account


def session_hash_of(connection: HTTPConnection[Any]) -> bytes | None:
    """The hash of the session id in the cookie, whether it is any good or not."""
    session_id = connection.cookies.get(cookie_name(connection.state["settings"]), "")
    if not 0 < len(session_id) <= SESSION_ID_LENGTH_MAX:
        return None
    return hash_of(session_id)


def hash_of(session_id: str) -> bytes:
    """What the ledger keeps of a session id."""
    return hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).digest()


def cookie_name(settings: Settings) -> str:
    """The session cookie's name; `__Host-` needs https."""
    return HOST_COOKIE if settings.is_https else COOKIE


def give_cookie(response: Response, session_id: str, settings: Settings) -> None:
    """Put the session id into the browser, out of reach of scripts and of other sites."""
    response.set_cookie(
        cookie_name(settings),
        session_id,
        max_age=round(store.SESSION_FOR.total_seconds()),
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def take_cookie(response: Response, settings: Settings) -> None:
    """Take it out again."""
    response.delete_cookie(
        cookie_name(settings), path="/", secure=settings.is_https, httponly=True, samesite="lax"
    )
