"""Pure ASGI: whatever happens inside, one answer and one line in the log.

The line says who (an account's id), what (the route, never the path's values or the query string),
how it ended and how long it took. Refusals are expected answers; only what nobody foresaw is an
error, told to the log in full and to the caller in one sentence.
"""

import itertools
import secrets
import time
from typing import Any, Final

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slots.errors import SlotError
from slots.settings import Settings
from web import metrics
from web.errors import PROBLEM_MEDIA_TYPE, headers_of, problem_of, refusal_of
from web.headers import PROGRAM_PATHS
from web.pages.problem import problem_page
from web.refusals import Unexpected
from web.security_log import Refusals

# A request's id: which start of which process, and the number of the request there.
PROCESS_ID: Final = secrets.token_hex(10)
NUMBERS: Final = itertools.count()
INTERNAL_ERROR: Final = 1011  # WebSocket close code (RFC 6455 §7.4.1)
QUIET_ROUTES: Final = frozenset({"/healthz", "/readyz", "/metrics", "/static"})
KNOWN_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "WEBSOCKET"}
)

log = structlog.get_logger()


class Answering:
    """Turns what is raised inside into answers, counts them, and writes the canonical line."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Wrap *app*."""
        self.app = app
        self.settings = settings
        self.refusals = Refusals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer once. Never raises for what happened inside."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        seen = _Seen(scope)

        async def send_seen(message: Message) -> None:
            seen.note(message)
            await send(message)

        try:
            await self.app(scope, receive, send_seen)
        except Exception as error:  # noqa: BLE001 - the last place that can still answer
            await self._refuse(error, seen, scope, receive, send_seen)
        finally:
            seen.write_line()

    async def _refuse(
        self, error: Exception, seen: "_Seen", scope: Scope, receive: Receive, send: Send
    ) -> None:
        refusal = refusal_of(error)
        seen.code = refusal.code
        metrics.REFUSALS.labels(refusal.code).inc()
        if isinstance(refusal, Unexpected):
            log.error("request.failed", request_id=seen.request_id, exc_info=error)
        await self.refusals.note(scope, seen.route, refusal)
        if seen.has_ended:
            return
        if seen.has_started:
            # The status is gone; cutting the connection is the only honest end left.
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": INTERNAL_ERROR})
                return
            raise error
        if scope["type"] == "http":
            answer = answer_to(Request(scope, receive), refusal, self.settings)
            await answer(scope, receive, send)
        elif "websocket.http.response" in scope.get("extensions", {}):
            await json_answer(refusal)(scope, receive, send)
        else:
            # Before the accept, a close is the answer 403.
            await send({"type": "websocket.close", "code": INTERNAL_ERROR})


def answer_to(request: Request, refusal: SlotError, settings: Settings) -> Response:
    """A problem document for programs, a page for people."""
    if request.url.path.startswith(PROGRAM_PATHS):
        return json_answer(refusal)
    return problem_page(request, problem_of(refusal), headers_of(refusal), settings)


def json_answer(refusal: SlotError) -> Response:
    """The problem document of *refusal*."""
    problem = problem_of(refusal)
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        headers=headers_of(refusal),
        media_type=PROBLEM_MEDIA_TYPE,
    )


class _Seen:
    """What one request came to, for its line."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.request_id = f"{PROCESS_ID}{next(NUMBERS):012x}"
        self.started_at = time.perf_counter()
        self.status = 0
        self.code: str | None = None
        self.has_started = False
        self.has_ended = False
        scope.setdefault("state", {})["request_id"] = self.request_id

    def note(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start" | "websocket.http.response.start":
                self.has_started = True
                self.status = message["status"]
                name = (b"x-request-id", self.request_id.encode())
                message["headers"] = [*message.get("headers", ()), name]
            case "http.response.body" | "websocket.http.response.body":
                self.has_ended = not message.get("more_body", False)
            case "websocket.accept":
                self.has_started = True
                self.status = 101
            case "websocket.close":
                self.has_ended = True
                self.status = message.get("code", 1000) if self.has_started else 403
            case _:
                pass

    def write_line(self) -> None:
        taken_s = time.perf_counter() - self.started_at
        route = self.route
        # A live socket is closed by its wire, not through here.
        status = self.scope["state"].get("close_code", self.status)
        fields: dict[str, Any] = {
            "request_id": self.request_id,
            "method": self.method,
            "route": route,
            "status": status,
            "duration_ms": round(taken_s * 1000, 1),
        }
        if self.code:
            fields["code"] = self.code
        account_id = self.scope["state"].get("account_id")
        if account_id is not None:
            fields["account_id"] = str(account_id)
        write = log.debug if route in QUIET_ROUTES else log.info
        write("request" if self.scope["type"] == "http" else "socket", **fields)
        metrics.requests(fields["method"], route, status).inc()
        if self.scope["type"] == "http":
            metrics.seconds(route).observe(taken_s)

    @property
    def method(self) -> str:
        """The method, where it is one: anybody may invent others, and each would be a label."""
        method = self.scope.get("method", "WEBSOCKET")
        return method if method in KNOWN_METHODS else "-"

    @property
    def route(self) -> str:
        """The route's template: what is asked for, without which one."""
        path = getattr(self.scope.get("route"), "path", None)
        return path if isinstance(path, str) else "-"
