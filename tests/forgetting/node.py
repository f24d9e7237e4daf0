"""One Valkey or Redis that a test may kill, freeze, roll back and start again."""

import contextlib
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import redis.asyncio
from redis.exceptions import RedisError

from tests.conftest import SERVER_READY_WITHIN_S
from tests.faults.processes import Process
from tests.forgetting.waiting import until
from workers.embedded.account import servers_account
from workers.embedded.choices import LOOPBACK, Choices
from workers.embedded.valkey import Valkey, binary

PASSWORD = "of-the-nodes"


class Node(Process):
    """A server with a folder and a port of its own. *options* overrule its configuration."""

    def __init__(
        self, directory: Path, *options: str, server: Path | None = None, open_to_all: bool = False
    ) -> None:
        choices = replace(Choices.make(), valkey_password=PASSWORD, valkey_port=free_port())
        account = servers_account()
        self.valkey = Valkey(directory, directory.with_suffix(".log"), account, choices)
        self.valkey.prepare()
        self.port = choices.valkey_port
        self.url = f"redis://{LOOPBACK}:{self.port}" if open_to_all else self.valkey.url
        self.options = (*options, "--requirepass", "") if open_to_all else options
        program = self.valkey.program(*self.options)
        named = [str(server or binary()) if it == str(binary()) else it for it in program.command]
        super().__init__(replace(program, command=named))

    async def ready(self) -> None:
        """Wait until it has read its files and answers."""
        await until(self._answers, SERVER_READY_WITHIN_S)

    async def ask(self, *words: str | int) -> object:
        """One command, over a connection of its own."""
        async with redis.asyncio.from_url(self.url, socket_timeout=SERVER_READY_WITHIN_S) as client:
            return await client.execute_command(*words)

    async def says(self, line: str) -> bool:
        """Whether this is in its word on replication; false too while it does not answer."""
        with contextlib.suppress(RedisError, OSError):
            async with redis.asyncio.from_url(self.url, socket_timeout=1.0) as client:
                name, _, value = line.partition(":")
                return str((await client.info("replication")).get(name)) == value
        return False

    async def _answers(self) -> bool:
        with contextlib.suppress(RedisError, OSError):
            return bool(await self.ask("PING"))
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
