"""One address before several: each connection goes to the next process that takes it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
CHUNK = 65_536  # bytes


class Balancer:
    """Round robin over TCP, as the simplest proxy does it."""

    def __init__(self) -> None:
        self.targets: list[tuple[str, int]] = []
        self.url = ""
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def before(self, urls: Sequence[str]) -> None:
        self.targets = [(LOOPBACK, urlsplit(url).port or 0) for url in urls]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there_reader, there_writer = await self._next()
            await asyncio.gather(carry(reader, there_writer), carry(there_reader, writer))
        self._tasks.discard(task)

    async def _next(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self.targets:
            self._turn += 1
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(*self.targets[self._turn % len(self.targets)])
        raise ConnectionRefusedError

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
    finally:
        sink.close()


@asynccontextmanager
async def balancing() -> AsyncIterator[Balancer]:
    """A balancer that listens; it is told later before whom it stands."""
    balancer = Balancer()
    server = await asyncio.start_server(balancer.serve, LOOPBACK, 0)
    balancer.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    try:
        yield balancer
    finally:
        server.close()
        await balancer.close()
