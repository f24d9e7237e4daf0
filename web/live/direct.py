"""The wire that our own server takes: frames go to the transport as they are, without a copy.

uvicorn's sans-I/O protocol keeps the handshake, what the client sends, pings and the close. It
writes each of its frames whole and at once, as we do here, so that none can fall into another.
Nothing else knows uvicorn; under another server `web.live.wire` has a wire for any.
"""

from collections.abc import Coroutine
from typing import Any, Final

from starlette.types import Scope
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from web.live.frames import CloseCode
from web.live.wire import CLOSE_WITHIN_S, AsgiWire, Sending, Wire

EXTENSION: Final = "chrono48.wire"
SWITCHING_PROTOCOLS: Final = 101
# A reader may be behind by what it was sent last at once, a snapshot, and by this much of news.
UNREAD_BYTES_MAX: Final = 256 * 1024


class DirectProtocol(WebSocketsSansIOProtocol):
    """One socket of our server, which offers itself to the application as its wire."""

    unread_bytes_max = UNREAD_BYTES_MAX

    def handle_connect(self, event: Request) -> None:
        """Offer the wire, before the application is called."""
        super().handle_connect(event)
        if self.response.status_code == SWITCHING_PROTOCOLS:
            self.scope["extensions"][EXTENSION] = {"wire": self}

    def tell(self, sending: Sending) -> bool:
        """See Wire."""
        transport = self.transport
        if self.close_sent or transport.is_closing():
            return True  # Whoever leaves is told nothing more; the endpoint hears of it soon.
        if transport.get_write_buffer_size() > self.unread_bytes_max:
            return False
        framed = sending.framed
        if len(framed) > UNREAD_BYTES_MAX:
            self.unread_bytes_max = len(framed) + UNREAD_BYTES_MAX
        transport.write(framed)
        return True

    def finish(self, sending: Sending, code: CloseCode) -> None:
        """See Wire. What waits goes first: it has left our hands."""
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.send_close(code.number, code.reason)
        self.transport.write(sending.framed + b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # uvicorn stops this timer when the client answers our close, and closes then.
        self.close_timer = self.loop.call_later(CLOSE_WITHIN_S, self.transport.abort)

    async def carry(
        self,
        websocket: WebSocket,  # noqa: ARG002 - the other wire sends through it
        receiving: Coroutine[Any, Any, None],
    ) -> None:
        """See Wire. The server ends *receiving* when the connection is lost."""
        await receiving


def wire_of(scope: Scope) -> Wire:
    """The wire that the server offers, else one that any server understands."""
    offered = scope.get("extensions", {}).get(EXTENSION)
    wire: Wire = AsgiWire() if offered is None else offered["wire"]
    return wire
