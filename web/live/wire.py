"""How frames reach one reader: what every wire can do, and the wire that any server understands.

`web.live.direct` has the other one, which our own server takes. Both say the same, byte for byte.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from web.live.frames import CloseCode

BACKLOG_MAX: Final = 256  # sendings that wait; a reader further behind is told to resync
CLOSE_WITHIN_S: Final = 5.0  # then the socket is dropped, whether or not it took the last frames

# A frame's head (RFC 6455 §5.2): final, text, not masked; then its length in 7, 16 or 64 bits.
FINAL_TEXT: Final = 0x81
LENGTH_7_MAX: Final = 125
LENGTH_16: Final = 126
LENGTH_16_MAX: Final = 0xFFFF
LENGTH_64: Final = 127


@dataclass(frozen=True, slots=True)
class Sending:
    """Frames that belong together, made once for however many readers. *framed*: for the wire."""

    texts: tuple[str, ...]
    framed: bytes

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Sending":
        """Frame these texts, in this order."""
        texts = tuple(texts)
        return cls(texts, b"".join(map(framed, texts)))


def framed(text: str) -> bytes:
    """The bytes of one WebSocket frame from a server."""
    payload = text.encode()
    size = len(payload)
    if size <= LENGTH_7_MAX:
        head = bytes((FINAL_TEXT, size))
    elif size <= LENGTH_16_MAX:
        head = bytes((FINAL_TEXT, LENGTH_16)) + size.to_bytes(2, "big")
    else:
        head = bytes((FINAL_TEXT, LENGTH_64)) + size.to_bytes(8, "big")
    return head + payload


class Wire(Protocol):
    """The only writer of one socket, from the accept on. Nothing here waits for the reader."""

    def tell(self, sending: Sending) -> bool:
        """Pass frames on; False, and nothing passed on, where the reader is too far behind."""

    def finish(self, sending: Sending, code: CloseCode) -> None:
        """Say the last frames and close; after CLOSE_WITHIN_S, drop whoever does not take them."""

    async def carry(self, websocket: WebSocket, receiving: Coroutine[Any, Any, None]) -> None:
        """Run *receiving* until the socket ends, whichever side ends it."""


class AsgiWire:
    """Sends through ASGI, a frame at a time: for a server that is not ours, or a test's client.

    A slow reader costs at most BACKLOG_MAX sendings that it shares with the others.
    """

    def __init__(self) -> None:
        """Nothing waits yet."""
        self._backlog: deque[Sending] = deque()
        self._wake = asyncio.Event()
        self._dropped = asyncio.Event()
        self._code: CloseCode | None = None

    def tell(self, sending: Sending) -> bool:
        """See Wire."""
        if self._code is not None:
            return True
        if len(self._backlog) >= BACKLOG_MAX:
            return False
        self._backlog.append(sending)
        self._wake.set()
        return True

    def finish(self, sending: Sending, code: CloseCode) -> None:
        """See Wire. What still waits is not sent."""
        self._code = code
        self._backlog.clear()
        self._backlog.append(sending)
        self._wake.set()
        asyncio.get_running_loop().call_later(CLOSE_WITHIN_S, self._dropped.set)

    async def carry(self, websocket: WebSocket, receiving: Coroutine[Any, Any, None]) -> None:
        """See Wire."""
        await _until_first(self._send(websocket), receiving, self._dropped.wait())

    async def next(self) -> Sending | None:
        """The next frames to send; None when the last ones have been handed out."""
        while not self._backlog:
            if self._code is not None:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._backlog.popleft()

    async def _send(self, websocket: WebSocket) -> None:
        """Hand out what waits, at the reader's pace."""
        while (sending := await self.next()) is not None:
            for text in sending.texts:
                await websocket.send_text(text)
        assert self._code is not None
        await websocket.close(self._code.number, self._code.reason)


async def _until_first(*coroutines: Coroutine[Any, Any, Any]) -> None:
    """Run them until one ends, and end the others."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            raise result
