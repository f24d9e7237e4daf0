"""Pure ASGI: who may speak to us at all. Host, origin and size, before anything is read.

Against cross-site requests, in this order (browsers cannot forge any of these headers):

1. `Sec-Fetch-Site` decides where it is sent: an unsafe method needs `same-origin`.
2. Without it, `Origin` must be ours.
3. With neither, it is no browser of today but a program. It passes unless it looks like what the
   HTML form of another site sends in an old browser: one of a form's media types, with the
   session cookie, and without an Idempotency-Key, which no form can add.

A WebSocket needs rule 2 always: browsers send Origin with it, and no program has the cookie
without knowing the address of the service. Only who brings an API key needs no Origin.
"""

import re
from collections.abc import Awaitable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slots.settings import Settings
from web.auth import cookie_name, cookie_of
from web.refusals import BodyTooLarge, CrossSite, HostUnknown

BODY_BYTES_MAX: Final = 64 * 1024
# A table of people, alone: as a file, and again as base64 in the form that imports it.
TABLE_BODY_BYTES_MAX: Final = 512 * 1024
TABLE_PATH: Final = re.compile(r"/coordination/[0-9]+/import(/confirmer)?")
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_MEDIA_TYPES: Final = frozenset(
    {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
)
# Those who watch over us ask by whatever address they know.
ANY_HOST_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Guards:
    """Refuses, by raising, what `web.answering` then answers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Wrap *app*, which is reached at the addresses of *settings*."""
        self.app = app
        self.origins = own_origins(settings)
        self.hosts = frozenset(origin.partition("://")[2] for origin in self.origins)
        self.session_cookie = cookie_name(settings)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Let through what may come. No coroutine of its own: an open socket would keep it.

        Raises:
            HostUnknown, CrossSite, BodyTooLarge.
        """
        match scope["type"]:
            case "http":
                headers = Headers(scope=scope)
                self._check_host(scope, headers)
                if scope["method"] not in SAFE_METHODS:
                    self._check_site(scope, headers)
                receive = _bounded(receive, headers, _most(scope))
            case "websocket":
                headers = Headers(scope=scope)
                self._check_host(scope, headers)
                # A browser adds no Authorization to a WebSocket: whoever has one is a program.
                is_program = "origin" not in headers and "authorization" in headers
                if not is_program and not self._is_ours(headers.get("origin")):
                    raise CrossSite
            case _:
                pass
        return self.app(scope, receive, send)

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        if scope["path"] in ANY_HOST_PATHS:
            return
        # One Host only: two of them is how caches and proxies are fooled.
        found = [value for name, value in headers.raw if name == b"host"]
        if len(found) != 1 or found[0].decode("latin-1").lower() not in self.hosts:
            raise HostUnknown

    def _check_site(self, scope: Scope, headers: Headers) -> None:
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        if site is not None:
            allowed = site == "same-origin"
        elif origin is not None:
            allowed = self._is_ours(origin)
        else:
            has_session = cookie_of(scope, self.session_cookie) is not None
            allowed = not (has_session and _a_form_can_send(headers))
        if not allowed:
            raise CrossSite

    def _is_ours(self, origin: str | None) -> bool:
        return origin is not None and origin.lower() in self.origins


def own_origins(settings: Settings) -> frozenset[str]:
    """The origins that our own pages have. On loopback, by each of its names."""
    base = urlsplit(settings.base_url)
    origins = {f"{base.scheme}://{base.netloc}".lower()}
    default_port = DEFAULT_PORTS[base.scheme]
    if base.port == default_port:
        origins.add(f"{base.scheme}://{base.netloc.rpartition(':')[0]}".lower())
    if settings.on_loopback:
        suffix = "" if settings.port == DEFAULT_PORTS["http"] else f":{settings.port}"
        origins |= {f"http://{name}{suffix}" for name in LOOPBACK_NAMES}
    return frozenset(origins)


def _a_form_can_send(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type in FORM_MEDIA_TYPES and "idempotency-key" not in headers


def _most(scope: Scope) -> int:
    return TABLE_BODY_BYTES_MAX if TABLE_PATH.fullmatch(scope["path"]) else BODY_BYTES_MAX


def _bounded(receive: Receive, headers: Headers, most: int) -> Receive:
    """Count what comes: a length that was announced is checked, and so is one that was not."""
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise BodyTooLarge
    received = 0

    async def receive_bounded() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > most:
                raise BodyTooLarge
        return message

    return receive_bounded
