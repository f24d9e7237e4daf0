"""Web processes that share one installation, on the loop of a test: each with its own hub."""

import asyncio
import contextlib
import socket
from dataclasses import replace

from slots.settings import Settings
from tests.browser import ServerInTest
from web.__main__ import configuration


class WebProcess:
    """The real server. It may be stopped and started as often as a test likes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._task: asyncio.Task[None] | None = None
        self._server: ServerInTest | None = None
        self.url = ""

    async def start(self) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        settings = replace(self._settings, port=port, base_url=self.url)
        self._server = ServerInTest(configuration(settings))
        self._task = asyncio.create_task(self._server.serve([listening]))
        await self._server.listens.wait()

    async def stop(self) -> None:
        assert self._server is not None
        assert self._task is not None
        self._server.should_exit = True
        await self._task

    async def restart(self) -> None:
        await self.stop()
        await self.start()


@contextlib.asynccontextmanager
async def web_processes(settings: Settings, number: int):
    """So many processes, up until the end of the block."""
    processes = [WebProcess(settings) for _ in range(number)]
    for process in processes:
        await process.start()
    try:
        yield processes
    finally:  # also where a test fails inside: what is left running keeps the loop from ending
        for process in processes:
            await process.stop()
