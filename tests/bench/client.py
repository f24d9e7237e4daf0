"""The client of every row: raw HTTP/1.1 on kept-alive connections, so that it costs little itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import msgspec

CONNECTIONS = 64


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self):
        return msgspec.json.decode(self.body)


class Connection:
    def __init__(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.host, self.reader, self.writer = f"Host: 127.0.0.1:{port}", reader, writer

    async def post(self, path: str, headers: Iterable[str] = (), body: bytes = b"{}") -> Answer:
        headers = ("Content-Type: application/json", *headers)
        return await self.ask("POST", path, headers, body)

    async def get(self, path: str, headers: Iterable[str] = ()) -> Answer:
        return await self.ask("GET", path, headers)

    async def ask(
        self, method: str, path: str, headers: Iterable[str] = (), body: bytes = b""
    ) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", self.host, *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        return await self._answer()

    async def _answer(self) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        lengths = (
            int(line.split(":")[1]) for line in head if line.lower().startswith("content-length:")
        )
        body = await self.reader.readexactly(next(lengths, 0))  # 204 has no length
        return Answer(int(head[0].split()[1]), body)


async def connect(port: int) -> Connection:
    return Connection(port, *await asyncio.open_connection("127.0.0.1", port, limit=2**22))


async def per_second(
    port: int, jobs: Iterable, work: Callable[[Connection, object], Awaitable[None]]
) -> float:
    """How many *jobs* a second CONNECTIONS clients get done, each one after the other."""
    waiting = list(jobs)
    count = len(waiting)
    connections = [await connect(port) for _ in range(CONNECTIONS)]

    async def client(connection: Connection) -> None:
        while waiting:
            await work(connection, waiting.pop())

    began = time.perf_counter()
    await asyncio.gather(*map(client, connections))
    took = time.perf_counter() - began
    for connection in connections:
        connection.writer.close()
    return count / took
