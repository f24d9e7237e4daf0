"""One line of the table of endpoints: what it takes, what it answers, what it may refuse.

Starlette's routes and the OpenAPI document are both made from it, so that they cannot differ.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from slots.desk import Desk
from slots.errors import (
    IdempotencyMismatch,
    Invalid,
    LedgerUnavailable,
    NotAllowed,
    OutcomeUnknown,
    SlotError,
    Unavailable,
)
from slots.scope import Scope as KeyScope
from slots.store.idempotency import Key
from web.api.bodies import Nothing
from web.auth import NEEDED_SCOPE
from web.guards import SAFE_METHODS
from web.parsing import parse_json
from web.refusals import (
    BodyTooLarge,
    CrossSite,
    HostUnknown,
    KeyRequired,
    Malformed,
    MediaTypeUnsupported,
    NotSignedIn,
    ProofDue,
    SessionLocked,
    TooManyRequests,
    Unexpected,
)

Handler = Callable[[Request[Any]], Awaitable[Response]]
T = TypeVar("T", bound=msgspec.Struct)

KEY_LENGTH_MAX: Final = 100  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What stands behind one method of one path."""

    method: str
    path: str  # as Starlette writes it: /api/v1/slots/{slot_id:uuid}
    handle: Handler
    summary: str
    answer: Any = None  # the type of the answer's body; None: there is none
    status: int = 200
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    keyed: bool = False  # a command: it needs an Idempotency-Key
    open: bool = False  # needs no session
    any_host: bool = False
    scope: KeyScope | None = None  # what a key needs for it; None: no key opens it
    refuses: tuple[type[SlotError], ...] = ()
    also_answers: tuple[tuple[int, Any], ...] = ()
    media_type: str = "application/json"

    @property
    def refusals(self) -> list[type[SlotError]]:
        """All that it may refuse, from its own list and from the way that leads to it."""
        found = [*self.refuses, Unexpected]
        if not self.any_host:
            found += [HostUnknown, TooManyRequests]
        if not self.open:
            found += [NotSignedIn, SessionLocked, NotAllowed, ProofDue, LedgerUnavailable]
        if self.method not in SAFE_METHODS:
            found += [CrossSite, BodyTooLarge]
        if self.body is not None:
            found += [Malformed, MediaTypeUnsupported, Invalid]
        if self.query is not None:
            found.append(Invalid)
        if self.keyed:
            found += [KeyRequired, IdempotencyMismatch, OutcomeUnknown, Unavailable]
        return sorted(set(found), key=lambda refusal: refusal.code)


def routes(endpoints: Iterable[Endpoint]) -> list[Route]:
    """One route for each path, so that 405 names every method that it takes."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [Route(path, _Resource(found), methods=[*found]) for path, found in by_path.items()]


class _Resource:
    """The methods of one path, as ASGI: what they raise goes straight to Answering."""

    def __init__(self, endpoints: dict[str, Endpoint]) -> None:
        self.endpoints = dict(endpoints)
        if "GET" in endpoints:
            self.endpoints["HEAD"] = endpoints["GET"]  # Starlette lets it in wherever there is GET

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self.endpoints[scope["method"]]
        scope[NEEDED_SCOPE] = endpoint.scope
        response = await endpoint.handle(Request(scope, receive, send))
        await response(scope, receive, send)


async def body_of(request: Request[Any], kind: type[T]) -> T:
    """The body as a typed value. An empty one is an empty object.

    Raises:
        MediaTypeUnsupported, Malformed, Invalid.
    """
    raw = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if raw and media_type != "application/json":
        raise MediaTypeUnsupported
    return parse_json(raw, kind)


async def keyed_body_of(request: Request[Any], kind: type[T]) -> tuple[T, Key]:
    """The body of a command, with the key that makes repeating it safe.

    Raises:
        KeyRequired: There is no usable Idempotency-Key; then the rest of `body_of`.
    """
    value = key_value_of(request)
    body = await body_of(request, kind)
    return body, key_of(request, value, msgspec.json.encode(body, order="deterministic"))


async def key_only(request: Request[Any]) -> Key:
    """The key of a command that takes no body. Raises as `keyed_body_of`."""
    _, key = await keyed_body_of(request, Nothing)
    return key


def key_value_of(request: Request[Any]) -> str:
    """The Idempotency-Key as it was sent.

    Raises:
        KeyRequired: It is missing, twice there, too long, or not printable.
    """
    match request.headers.getlist("idempotency-key"):
        case [value] if 0 < len(value) <= KEY_LENGTH_MAX and value.isprintable():
            return value
        case _:
            raise KeyRequired


def key_of(request: Request[Any], value: str, canonical_body: bytes) -> Key:
    """The key, with the hash of what is asked for: spelling it differently is no difference."""
    scope = request.scope
    asked = f"{scope['method']}\n{scope['path']}\n".encode() + scope["query_string"]
    return Key.of(value, asked + b"\n" + canonical_body)


def desk_of(request: Request[Any]) -> Desk:
    """The desk of this process."""
    desk: Desk = request.state["desk"]
    return desk


def now_of(request: Request[Any]) -> datetime:
    """This instant, by the only clock of the API and the pages."""
    return desk_of(request).clock.now()


def answered(value: msgspec.Struct, status: int = 200) -> Response:
    """*value* as JSON."""
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")


def nothing() -> Response:
    """204."""
    return Response(status_code=204)
