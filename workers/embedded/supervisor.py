"""Keeps programs running: starts each again when it dies, and stops all in the end."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from workers.embedded import pidfile

BACKOFF_FIRST_S: Final = 0.2
BACKOFF_MAX_S: Final = 10.0
LIVED_WELL_S: Final = 30.0  # who lived this long starts again at the first backoff
NOT_STARTED: Final = 127  # as a shell says it
LOG_BYTES_MAX: Final = 10_000_000  # a log larger than this is set aside at the next start

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how to end it."""

    name: str
    command: list[str]
    environ: Mapping[str, str]
    cwd: Path
    log_path: Path | None = None  # None: it writes where we write
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_s: float = 10.0  # then SIGKILL


@dataclass(slots=True)
class Child:
    """One program under supervision."""

    program: Program
    pid_directory: Path
    process: asyncio.subprocess.Process | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    starts: int = 0

    async def keep_running(self) -> None:
        """Run the program, again and again, until `stop`."""
        backoff_s = BACKOFF_FIRST_S
        while not self.stopping.is_set():
            started = asyncio.get_running_loop().time()
            status = await self._run_once()
            if self.stopping.is_set():
                return
            if asyncio.get_running_loop().time() - started > LIVED_WELL_S:
                backoff_s = BACKOFF_FIRST_S
            log.warning(
                "child.died", child=self.program.name, status=status, again_in_s=round(backoff_s, 1)
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), backoff_s)
            backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)

    async def stop(self) -> None:
        """End the program: politely, then by SIGKILL to all that it started."""
        self.stopping.set()
        process = self.process
        if process is None or process.returncode is not None:
            return
        _signal(process, self.program.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), self.program.stop_within_s)
        except TimeoutError:
            log.warning("child.killed", child=self.program.name)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _run_once(self) -> int:
        output = _open_log(self.program.log_path) if self.program.log_path else None
        try:
            # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which
            # then stops its children in their order.
            self.process = await asyncio.create_subprocess_exec(
                *self.program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.program.environ),
                cwd=self.program.cwd,
                start_new_session=True,
            )
        except OSError as error:  # no such program, or no room for one more just now
            log.warning("child.not_started", child=self.program.name, error=str(error))
            return NOT_STARTED
        finally:
            if output is not None:
                os.close(output)
        self.starts += 1
        pid_path = self.pid_directory / f"{self.program.name}.pid"
        pidfile.write(pid_path, self.process.pid)
        if self.stopping.is_set():  # asked to stop while it was being born
            _signal(self.process, self.program.stop_signal)
        status = await self.process.wait()
        pid_path.unlink(missing_ok=True)
        return status


class Supervisor:
    """The children of one installation, in the order of their start."""

    def __init__(self, pid_directory: Path) -> None:
        self._pid_directory = pid_directory
        self._children: list[tuple[Child, asyncio.Task[None]]] = []

    def start(self, program: Program) -> Child:
        """Run *program* from now on, until `stop`."""
        child = Child(program, self._pid_directory)
        task = asyncio.create_task(child.keep_running(), name=f"keep {program.name} running")
        self._children.append((child, task))
        return child

    async def stop(self) -> None:
        """Stop all: the last started first, the programs without a log of their own together."""
        served = [pair for pair in self._children if pair[0].program.log_path is None]
        await asyncio.gather(*(self._stop_one(*pair) for pair in served))
        for pair in reversed(self._children):
            await self._stop_one(*pair)
        self._children.clear()

    @staticmethod
    async def _stop_one(child: Child, task: asyncio.Task[None]) -> None:
        await child.stop()
        await task


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _open_log(path: Path) -> int:
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".old.log"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
