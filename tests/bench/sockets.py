"""Two hundred boards: raw WebSockets that only note when the news of a slot arrives."""

import asyncio
import base64
import os
import time
from collections import defaultdict

WITHIN_S = 10
SUBSCRIBE = b'{"t":"subscribe","territories":[{"id":"hauts-cantons-et-vignobles"}],"as":"json"}'


def masked(payload: bytes) -> bytes:
    """A client's text frame (RFC 6455 §5.3) of 126 to 65,535 bytes, or fewer."""
    mask = os.urandom(4)
    body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
    return b"\x81" + length + mask + body


def upgrade(port: int, cookie: str) -> bytes:
    """The request that opens a board."""
    lines = [
        "GET /live HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: chrono48.live.v1",
        cookie,
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


class Arrivals:
    """When each board heard of each slot."""

    def __init__(self, boards: int) -> None:
        self.boards = boards
        self._at: defaultdict[bytes, list[float]] = defaultdict(list)
        self._complete: defaultdict[bytes, asyncio.Event] = defaultdict(asyncio.Event)

    def note(self, slot_id: bytes, at: float) -> None:
        self._at[slot_id].append(at)
        if len(self._at[slot_id]) == self.boards:
            self._complete[slot_id].set()

    async def last(self, slot_id: bytes) -> float:
        """When the last board heard of it."""
        await asyncio.wait_for(self._complete[slot_id].wait(), WITHIN_S)
        return max(self._at[slot_id])


class Board(asyncio.Protocol):
    """Notes the arrival of each slot's `slot.held`."""

    def __init__(self, request: bytes, arrivals: Arrivals, ready) -> None:
        self.request, self.arrivals, self.ready = request, arrivals, ready
        self.tail = b""

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        at = time.perf_counter()
        text = self.tail + data
        if not self.ready.done():
            if b"101 Switching" in text and b"\r\n\r\n" in text and b'"hello"' not in self.tail:
                self.transport.write(masked(SUBSCRIBE))
            self.tail = text[-64:]
            if b'"snapshot"' in text:
                self.ready.set_result(None)
            return
        start = text.find(b'"slot.held"')
        while start >= 0:
            mark = text.find(b'"slot":{"id":"', start)
            if mark < 0 or len(text) < mark + 50:
                break
            self.arrivals.note(text[mark + 14 : mark + 50], at)
            start = text.find(b'"slot.held"', mark)
        self.tail = text[start:] if start >= 0 else text[-16:]


async def open_boards(port: int, cookie: str, arrivals: Arrivals):
    """Open the boards and wait until each has its snapshot."""
    loop = asyncio.get_running_loop()
    boards = []
    for _ in range(arrivals.boards):
        request = upgrade(port, cookie)
        ready = loop.create_future()
        _, board = await loop.create_connection(
            lambda request=request, ready=ready: Board(request, arrivals, ready), "127.0.0.1", port
        )
        await asyncio.wait_for(ready, WITHIN_S)
        boards.append(board)
    return boards
