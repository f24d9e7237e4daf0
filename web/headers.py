"""Pure ASGI: the headers that every answer carries, so that a browser distrusts what is not ours."""

import secrets
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slots.settings import Settings

Header = tuple[bytes, bytes]

NONCE_BYTES: Final = 16
HSTS_S: Final = 365 * 24 * 3600  # seconds
FIXED: Final = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it, browsers send `Origin: null` with the forms of our own pages.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Whatever says nothing else may hold what only its reader may see.
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), microphone=(), payment=(), geolocation=(self)",
}

# Where programs ask, nothing is ever shown.
PROGRAM_POLICY: Final = (
    b"content-security-policy",
    b"default-src 'none'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'",
)
PROGRAM_PATHS: Final = ("/api/", "/live", "/healthz", "/readyz", "/metrics")

POLICY: Final = (
    "default-src 'none'; "
    "object-src 'none'; "
    "script-src 'nonce-{nonce}' 'self'; "
    "style-src 'self'; "
    "connect-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "manifest-src 'self'; "
    "worker-src 'self'; "
    "form-action 'self'; "
    "frame-ancestors 'none'; "
    "base-uri 'none'"
)


class SecurityHeaders:
    """Adds them to HTTP answers, refused WebSocket upgrades included; makes the page's nonce."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Wrap *app*."""
        self.app = app
        fixed = dict(FIXED)
        if settings.is_https:
            fixed["Strict-Transport-Security"] = f"max-age={HSTS_S}; includeSubDomains"
        # As they stand on the wire, made once: this is on the way of every answer.
        self.fixed = [(name.lower().encode(), value.encode()) for name, value in fixed.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers; templates find the nonce in `request.state.nonce`."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        policy = PROGRAM_POLICY
        if not scope["path"].startswith(PROGRAM_PATHS):
            nonce = secrets.token_urlsafe(NONCE_BYTES)
            scope.setdefault("state", {})["nonce"] = nonce
            policy = (b"content-security-policy", content_security_policy(nonce).encode())

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = list(message.get("headers", ()))
                self._add(message["headers"], policy)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, headers: list[Header], policy: Header) -> None:
        said = {name for name, _ in headers}
        headers.extend(header for header in (*self.fixed, policy) if header[0] not in said)


def content_security_policy(nonce: str) -> str:
    """Only what we serve ourselves runs, shows or connects; nobody frames us."""
    return POLICY.format(nonce=nonce)
