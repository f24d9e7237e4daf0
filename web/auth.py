"""Who is asking: the session in the cookie, and the account behind it."""

from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from slots.account import Account, SignedIn
from slots.secret_id import SECRET_ID_LENGTH_MAX, hash_of
from slots.settings import Settings
from slots.store import session as store
from web.refusals import NotSignedIn
from web.sessions import Sessions

COOKIE: Final = "chrono48"
HOST_COOKIE: Final = "__Host-chrono48"  # browsers let nobody but this very host over https set it


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
    await connection.state["catalogue"].know(found.account.reach)
    connection.state["account_id"] = found.account.id  # for the canonical line
    return found


async def account_of(connection: HTTPConnection[Any]) -> Account:
    """The account that asks. Raises as `signed_in`."""
    return (await signed_in(connection)).account


def session_hash_of(connection: HTTPConnection[Any]) -> bytes | None:
    """The hash of the session id in the cookie, whether it is any good or not."""
    session_id = cookie_of(connection.scope, cookie_name(connection.state["settings"])) or ""
    if not 0 < len(session_id) <= SECRET_ID_LENGTH_MAX:
        return None
    return hash_of(session_id)


def cookie_of(scope: Scope, name: str) -> str | None:
    """The first cookie of this name, as it stands there (RFC 6265 §5.4); None where there is none."""
    for header, value in scope["headers"]:
        if header == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                found, _, content = pair.partition("=")
                if found.strip() == name:
                    return str(content.strip())
    return None


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
