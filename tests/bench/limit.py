"""The limit: frames made beforehand, written to asyncio transports, and no WebSocket library.

`POST /go` sends the log's latest events to all sockets. uvloop, as the product has it.
"""

import asyncio
import sys

import uvloop

from slots.settings import Settings
from tests.bench.events import a_turn, latest_texts
from web.live.wire import framed

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

transports: dict[asyncio.Transport, None] = {}
tasks = set()


class Socket(asyncio.Protocol):
    def connection_made(self, transport) -> None:
        self.transport = transport

    def connection_lost(self, exc) -> None:
        transports.pop(self.transport, None)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /live"):
            transports[self.transport] = None
            self.transport.write(UPGRADED)
        elif data.startswith(b"GET /healthz"):
            self.transport.write(ANSWER)
        elif data.startswith(b"POST /go"):
            tasks.add(asyncio.ensure_future(self.go()))

    async def go(self) -> None:
        frames = [framed(text) for text in await latest_texts(Settings.from_environ())]
        for frame in frames:
            for transport in transports:
                transport.write(frame)
            await a_turn()  # one write for each event
        self.transport.write(ANSWER)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Socket, "127.0.0.1", Settings.from_environ().port)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
