"""The limit: frames made beforehand, written to asyncio transports, and no WebSocket library.

`POST /go` sends the log's latest events to all sockets; `POST /paced` at a steady pace, and answers
when each booking among them was first written. uvloop, as the product has it.
"""

import asyncio
import sys
import time

import msgspec
import uvloop

from slots.settings import Settings
from tests.bench.events import EVENTS_PER_S, a_turn, latest_texts, until_time
from tests.bench.readers import CONFIRMED
from web.live.wire import framed

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"

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
            self.answer()
        elif data.startswith(b"POST /go"):
            tasks.add(asyncio.ensure_future(self.go()))
        elif data.startswith(b"POST /paced"):
            tasks.add(asyncio.ensure_future(self.paced()))

    async def go(self) -> None:
        for frame in await latest_frames():
            write(frame)
            await a_turn()  # one write for each event
        self.answer()

    async def paced(self) -> None:
        frames = await latest_frames()
        sent_at = {}
        began = asyncio.get_running_loop().time()
        for number, frame in enumerate(frames):
            await until_time(began + number / EVENTS_PER_S)
            if booked := CONFIRMED.search(frame):
                sent_at[booked[1].decode()] = time.time()
            write(frame)
        self.answer(msgspec.json.encode(sent_at))

    def answer(self, body: bytes = b"") -> None:
        self.transport.write(ANSWER % (len(body), body))


async def latest_frames() -> list[bytes]:
    return [framed(text) for text in await latest_texts(Settings.from_environ())]


def write(frame: bytes) -> None:
    for transport in transports:
        transport.write(frame)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Socket, "127.0.0.1", Settings.from_environ().port)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
