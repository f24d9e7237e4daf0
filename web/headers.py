"""Pure ASGI: the headers that every answer carries, so that a browser distrusts what is not ours."""

import secrets
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slots.settings import Settings

NONCE_BYTES: Final = 16
HSTS_S: Final = 365 * 24 * 3600  # seconds
FIXED: Final = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it, browsers send `Origin: null` with the forms of our own pages.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=(), geolocation=(self)",
}


class SecurityHeaders:
    """Adds them to HTTP answers, refused WebSocket upgrades included; makes the page's nonce."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Wrap *app*."""
        self.app = app
        self.is_https = settings.is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers; templates find the nonce in `request.state.nonce`."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        scope.setdefault("state", {})["nonce"] = nonce

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                self._add(MutableHeaders(scope=message), nonce)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders, nonce: str) -> None:
        for name, value in FIXED.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", content_security_policy(nonce))
        # Whatever says nothing else may hold what only its reader may see.
        headers.setdefault("Cache-Control", "no-store")
        if self.is_https:
            headers["Strict-Transport-Security"] = f"max-age={HSTS_S}; includeSubDomains"


def content_security_policy(nonce: str) -> str:
    """Only what we serve ourselves runs, shows or connects; nobody frames us."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}' 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )
