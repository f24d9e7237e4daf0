"""A wire between the service and one of its servers, that a test may cut or freeze."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

CHUNK = 65_536  # bytes


class Wire:
    """Carries bytes to *target* until it is told otherwise."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.whole = True
        self.tasks: set[asyncio.Task[None]] = set()
        self.writers: set[asyncio.StreamWriter] = set()

    def freeze(self) -> None:
        """Connections stay, nothing moves any more."""
        self.flowing.clear()

    def cut(self) -> None:
        """Connections break, and new ones too."""
        self.whole = False
        for writer in self.writers:
            writer.transport.abort()

    def mend(self) -> None:
        self.whole = True
        self.flowing.set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.whole:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(*self.target)
        self.writers |= {writer, there_writer}
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self.carry(source, sink))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(CHUNK):
                await self.flowing.wait()
                sink.write(chunk)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the server of *url*, and the URL of its near end."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    wire = Wire((parts.hostname, parts.port))
    server = await asyncio.start_server(wire.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    account, _, _ = parts.netloc.rpartition("@")
    try:
        yield wire, parts._replace(netloc=f"{account}@127.0.0.1:{port}").geturl()
    finally:
        server.close()
        wire.mend()
        for writer in wire.writers:
            writer.transport.abort()
        for task in list(wire.tasks):
            task.cancel()
        await asyncio.gather(*wire.tasks, return_exceptions=True)
