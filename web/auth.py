"""Who is asking: the session in the cookie, and the account behind it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from slots.account import Account, SignedIn
from slots.errors import NotAllowed
from slots.scope import SessionKind
from slots.secret_id import SECRET_ID_LENGTH_MAX, hash_of
from slots.settings import Settings
from slots.store import session as store
from web.attention import is_sign_of_a_person
from web.refusals import NotSignedIn, ProofDue, SessionLocked
from web.sessions import Sessions

NEEDED_SCOPE: Final = "chrono48.scope"  # what an address needs of a key; else no key opens it
# All that a screen on a wall asks for.
WALL_PATHS: Final = frozenset({"/mur", "/live", "/live/snapshot"})
# What a phone that is signed in for long is good for without being asked again.
OWN_PATHS: Final = (
    *("/disponibilites", "/orientations", "/rendez-vous/", "/compte", "/protection", "/live"),
    *("/deconnexion", "/connexion", "/droits", "/accessibilite", "/hors-ligne", "/static/"),
    *("/api/v1/appointments", "/api/v1/session", "/api/v1/catalogue", "/api/v1/communes"),
)
# A patient's contact is not a person's own.
CONTACT_PATH: Final = re.compile(r"/(contact|coordonnees)(/|$)")
COOKIE: Final = "chrono48"
HOST_COOKIE: Final = "__Host-chrono48"  # browsers let nobody but this very host over https set it


async def signed_in(connection: HTTPConnection[Any], *, without_ledger: bool = False) -> SignedIn:
    """Who asks, of an HTTP request or a WebSocket that is not yet accepted.

    without_ledger: enough for reading what the hub knows, never for a command.

    Raises:
        NotSignedIn: There is no live session in the cookie, nor behind the key.
        SessionLocked: There is one, and nobody has opened it again since it locked.
        NotAllowed: A key without this scope, or a screen on a wall that does more than look.
        LedgerUnavailable: The ledger cannot say.
    """
    session_hash = session_hash_of(connection)
    if session_hash is None:
        raise NotSignedIn
    sessions: Sessions = connection.state["sessions"]
    found = await sessions.signed_in(session_hash, without_ledger=without_ledger)
    if found is None:
        raise NotSignedIn
    connection.state["account_id"] = found.account.id  # for the canonical line, and the audit
    try:
        need_fit(found, connection.scope)
    except (ProofDue, SessionLocked):
        # Another process may have heard the proof meanwhile.
        sessions.forget(session_hash)
        found = await sessions.signed_in(session_hash)
        if found is None:
            raise NotSignedIn from None
        need_fit(found, connection.scope)
    if found.locks and not without_ledger and is_sign_of_a_person(connection.scope):
        sessions.attend(session_hash)
    await connection.state["catalogue"].know(found.account.reach)
    return found


async def account_of(connection: HTTPConnection[Any]) -> Account:
    """The account that asks. Raises as `signed_in`."""
    return (await signed_in(connection)).account


def need_fit(found: SignedIn, scope: Scope) -> None:
    """Let a browser do all that its person may, and the others only what they are for.

    Raises:
        NotSignedIn: A session came as a key, or a key as a cookie: neither is where it belongs.
        SessionLocked: Somebody must open it first.
        ProofDue: A phone that is signed in for long must show again who it is, for this.
        NotAllowed: This is more than that.
    """
    if (found.kind is SessionKind.KEY) != (api_key_of(scope) is not None):
        raise NotSignedIn
    match found.kind:
        case SessionKind.BROWSER:
            if found.is_locked:
                raise SessionLocked
            if found.is_phone and not _is_own(scope) and not _was_proved_today(found):
                raise ProofDue
            is_fit = True
        case SessionKind.KEY:
            needed = scope.get(NEEDED_SCOPE)
            is_fit = needed is not None and needed in found.scopes
        case SessionKind.WALL:
            is_fit = scope["path"] in WALL_PATHS and scope.get("method", "GET") in ("GET", "HEAD")
    if not is_fit:
        raise NotAllowed


def _is_own(scope: Scope) -> bool:
    """Whether an address is about what is a person's own: their slots, their bookings, themselves."""
    path = scope["path"]
    if path.startswith("/api/v1/slots") and scope.get("method") not in ("GET", "HEAD"):
        return not path.endswith("/holds")
    is_booking = path.startswith("/api/v1/appointments/") and path.endswith("/move")
    is_about_a_patient = CONTACT_PATH.search(path) is not None
    is_more = is_booking or is_about_a_patient
    return path == "/" or (path.startswith(OWN_PATHS) and not is_more)


def as_shown_live(found: SignedIn) -> Account:
    """Who looks at live boards: a phone that is signed in for long sees what is its owner's own."""
    if found.is_phone and not _was_proved_today(found):
        return replace(found.account, roles={}, neighbours=frozenset())
    return found.account


def _was_proved_today(found: SignedIn) -> bool:
    return found.proved_at is not None and datetime.now(UTC) - found.proved_at < store.SESSION_FOR


def session_hash_of(connection: HTTPConnection[Any]) -> bytes | None:
    """The hash of the key that came, or of the session id in the cookie, good or not."""
    key = api_key_of(connection.scope)
    if key is not None:
        return hash_of(key)
    session_hash = browser_hash_of(connection)
    if session_hash is None and connection.scope["path"] in WALL_PATHS:
        return _hash_in(connection, wall_cookie_name(connection.state["settings"]))
    return session_hash


def browser_hash_of(connection: HTTPConnection[Any]) -> bytes | None:
    """The hash of the session id in the cookie, whether it is any good or not."""
    return _hash_in(connection, cookie_name(connection.state["settings"]))


def _hash_in(connection: HTTPConnection[Any], cookie: str) -> bytes | None:
    session_id = cookie_of(connection.scope, cookie) or ""
    if not 0 < len(session_id) <= SECRET_ID_LENGTH_MAX:
        return None
    return hash_of(session_id)


def api_key_of(scope: Scope) -> str | None:
    """The API key of a request, as `Authorization: Bearer` (RFC 6750 §2.1); None where there is none."""
    for header, value in scope["headers"]:
        if header == b"authorization":
            kind, _, key = value.decode("latin-1").partition(" ")
            is_one = kind.lower() == "bearer" and 0 < len(key) <= SECRET_ID_LENGTH_MAX
            return key.strip() if is_one else ""
    return None


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


def wall_cookie_name(settings: Settings) -> str:
    """Of a screen on a wall: beside the session's, so that no link signs anybody out."""
    return f"{cookie_name(settings)}-wall"


def workstation_cookie_name(settings: Settings) -> str:
    """Of a workstation of a regulation room: it opens nothing by itself."""
    return f"{cookie_name(settings)}-workstation"


def workstation_hash_of(connection: HTTPConnection[Any]) -> bytes | None:
    """The hash of what makes this PC a workstation, good or not; None where it is none."""
    return _hash_in(connection, workstation_cookie_name(connection.state["settings"]))


def give_cookie(
    response: Response, session_id: str, good_for: timedelta, settings: Settings
) -> None:
    """Put the session id into the browser, out of reach of scripts and of other sites."""
    _give(response, cookie_name(settings), session_id, good_for, settings)


def give_wall_cookie(
    response: Response, secret: str, good_for: timedelta, settings: Settings
) -> None:
    """Make the browser a screen on a wall, for as long as nobody signs in there."""
    _give(response, wall_cookie_name(settings), secret, good_for, settings)


def give_workstation_cookie(
    response: Response, secret: str, good_for: timedelta, settings: Settings
) -> None:
    """Make the browser's PC a workstation, whoever signs in or out there."""
    _give(response, workstation_cookie_name(settings), secret, good_for, settings)


def _give(
    response: Response, name: str, content: str, good_for: timedelta, settings: Settings
) -> None:
    response.set_cookie(
        name,
        content,
        max_age=round(good_for.total_seconds()),
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
