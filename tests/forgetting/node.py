"""One Valkey or Redis that a test may kill, freeze, roll back and start again."""

import contextlib
import shutil
import signal
import socket
from dataclasses import replace
from pathlib import Path

import redis.asyncio

from tests.conftest import SERVER_READY_WITHIN_S, running
from workers.embedded.account import servers_account
from workers.embedded.choices import LOOPBACK, Choices
from workers.embedded.valkey import Valkey, binary

PASSWORD = "of-the-nodes"


class Node:
    """A server with a folder and a port of its own. *options* overrule its configuration."""

    def __init__(self, directory: Path, *options: str, server: Path | None = None) -> None:
        choices = replace(Choices.make(), valkey_password=PASSWORD, valkey_port=free_port())
        account = servers_account()
        self.valkey = Valkey(directory, directory.with_suffix(".log"), account, choices)
        self.valkey.prepare()
        self.port = choices.valkey_port
        self.url = self.valkey.url
        self.options = options
        self.server = server or binary()
        self.process = None
        self._running = contextlib.ExitStack()

    def start(self) -> None:
        program = self.valkey.program(*self.options)
        command = [str(self.server) if it == str(binary()) else it for it in program.command]
        self.process = self._running.enter_context(running(replace(program, command=command)))

    async def ready(self) -> None:
        await self.valkey.wait_ready(SERVER_READY_WITHIN_S)

    def stop(self) -> None:
        """In good order; nothing happens where it does not run."""
        self._running.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._running.close()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def ask(self, *words: str | int) -> object:
        """One command, over a connection of its own."""
        async with redis.asyncio.from_url(self.url, socket_timeout=SERVER_READY_WITHIN_S) as client:
            return await client.execute_command(*words)

    async def says(self, section: str, line: str) -> bool:
        """Whether its INFO has this line now; false too while it does not answer."""
        with contextlib.suppress(redis.RedisError, OSError):
            async with redis.asyncio.from_url(self.url, socket_timeout=1.0) as client:
                info = await client.execute_command("INFO", section)
                name, _, value = line.partition(":")
                return str(info.get(name)) == value
        return False

    def keep_a_copy(self) -> None:
        """The files of this moment, beside: what an operator's backup would have."""
        shutil.copytree(self.files, self._copy, dirs_exist_ok=False)

    def roll_back(self) -> None:
        """Put the copy in the place of the files. The server must be down."""
        for path in self._copy.rglob("*"):
            self.valkey.account.own(path)
        shutil.rmtree(self.files)
        self.valkey.account.own(self._copy)
        self._copy.rename(self.files)

    @property
    def files(self) -> Path:
        """Its append-only file, in parts."""
        return self.valkey.directory / "appendonlydir"

    @property
    def _copy(self) -> Path:
        return self.valkey.directory / "copy"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
