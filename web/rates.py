"""Pure ASGI: how much one session, and one address of the network, may ask for in a minute.

Counted in the memory of each process, so that it costs no round trip and fails with nothing: so
many processes, so many times the limit. What must be counted once for all processes, guesses at a
password or a code, is counted in the ledger (`web.sign_in`). A session is known by the hash of its
cookie or key, without asking whether it is any good: an address bounds how many one can invent.

An address may be a hospital's whole network: RATE_FACTOR multiplies all of it.
"""

import ipaddress
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from slots.secret_id import hash_of
from slots.settings import Settings
from web.auth import api_key_of, cookie_name, cookie_of
from web.guards import SAFE_METHODS
from web.refusals import TooManyRequests


class Kind(StrEnum):
    """What is counted apart."""

    DOOR = "door"  # before anybody is signed in: a password, a code, a link, a new password
    COMMAND = "command"  # what changes something
    LOOK = "look"  # pages, boards, searches
    SOCKET = "socket"  # live views that are opened


PER_SESSION: Final[Mapping[Kind, int]] = MappingProxyType(
    {Kind.COMMAND: 240, Kind.LOOK: 1_200, Kind.SOCKET: 120}
)
PER_ADDRESS: Final[Mapping[Kind, int]] = MappingProxyType(
    {Kind.DOOR: 60, Kind.COMMAND: 1_200, Kind.LOOK: 6_000, Kind.SOCKET: 600}
)
DOORS: Final = (
    "/connexion",
    "/mot-de-passe-oublie",
    "/nouveau-mot-de-passe",
    "/lien",
    "/poste",
    "/protection",
    "/admission",
    "/api/v1/session",
)
# What costs next to nothing, and what watches over us.
FREE: Final = ("/static/", "/healthz", "/readyz", "/metrics")
MINUTE_S: Final = 60
IPV6_PREFIX: Final = 64


class Windows:
    """How often each has asked since its own minute began.

    A few lines and not the library *limits*, whose storage in memory looks through everybody at
    each request: with a thousand sessions that was a sixth of what a hold costs.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Nobody has asked yet."""
        self._clock_s = clock_s
        self._counts: dict[tuple[Kind, str], tuple[float, int]] = {}  # when it ends, and how often
        self._sweep_at_s = 0.0

    def count(self, kind: Kind, who: str, most: int) -> None:
        """Count one more.

        Raises:
            TooManyRequests: That makes more than *most*; it says when the minute is over.
        """
        now_s = self._clock_s()
        if now_s >= self._sweep_at_s:
            self._counts = {key: one for key, one in self._counts.items() if one[0] > now_s}
            self._sweep_at_s = now_s + MINUTE_S
        ends_at_s, asked = self._counts.get((kind, who), (0.0, 0))
        if ends_at_s <= now_s:
            ends_at_s, asked = now_s + MINUTE_S, 0
        self._counts[kind, who] = (ends_at_s, asked + 1)
        if asked >= most:
            raise TooManyRequests(math.ceil(ends_at_s - now_s))


class Rates:
    """Refuses, by raising, what `web.answering` then answers with 429."""

    def __init__(
        self, app: ASGIApp, settings: Settings, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Wrap *app*."""
        self.app = app
        self._cookie = cookie_name(settings)
        self._factor = settings.rate_factor
        self._windows_of_sessions = Windows(clock_s)
        self._windows_of_addresses = Windows(clock_s)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Let through what is within the limits. No coroutine of its own: an open socket would keep it.

        Raises:
            TooManyRequests: It says when to come again.
        """
        kind = kind_of(scope)
        if kind is not None:
            # A session that asks too much uses up nothing of its address: others sit there too.
            session = self._session(scope)
            if session and kind in PER_SESSION:
                most = PER_SESSION[kind] * self._factor
                self._windows_of_sessions.count(kind, session, most)
            most = PER_ADDRESS[kind] * self._factor
            self._windows_of_addresses.count(kind, _address(scope), most)
        return self.app(scope, receive, send)

    def _session(self, scope: Scope) -> str:
        shown = api_key_of(scope) or cookie_of(scope, self._cookie)
        return hash_of(shown).hex() if shown else ""


def kind_of(scope: Scope) -> Kind | None:
    """What a request counts as; None where it is free."""
    if scope["type"] == "websocket":
        return Kind.SOCKET
    if scope["type"] != "http" or scope["path"].startswith(FREE):
        return None
    if scope["method"] in SAFE_METHODS:
        return Kind.LOOK
    is_door = any(scope["path"] == door or scope["path"].startswith(f"{door}/") for door in DOORS)
    return Kind.DOOR if is_door and scope["method"] == "POST" else Kind.COMMAND


def _address(scope: Scope) -> str:
    client = scope.get("client")
    address = client[0] if client else ""
    if ":" not in address:
        return address
    try:
        # Whoever has one address of IPv6 has at least 2^64 of them.
        return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False))
    except ValueError:
        return address
