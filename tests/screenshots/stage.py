"""A demo with a day behind it, running on a fresh directory: what there is to be seen."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from tests.bench.stage import free_port
from workers.demo.accounts import FILE_NAME

CHRONO48: Final = (sys.executable, "-m", "workers.command")
READY: Final = b"Ctrl-C"  # in what `chrono48 up` says last
READY_WITHIN_S: Final = 180.0
STOPPED_WITHIN_S: Final = 30.0
DAY: Final = ("demo", "day", "--speed", "0", "--seed", "48")
DAY_WITHIN_S: Final = 180.0


@asynccontextmanager
async def demo_with_a_day(log: Path) -> AsyncIterator[tuple[str, Path]]:
    """The address and the data directory of a service after a plausible day; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="chrono48-seen-") as directory:
        Path(directory).chmod(0o711)  # the servers' own account reads below it
        data = Path(directory) / "data"
        async with running(data, log) as url:
            await play_a_day(data, url)
            yield url, data


def environ(data: Path) -> dict[str, str]:
    """Nothing of the caller's: a DATABASE_URL of theirs must not get the demo."""
    return {"PATH": os.environ["PATH"], "DATA_DIR": str(data)}


@asynccontextmanager
async def running(data: Path, log: Path) -> AsyncIterator[str]:
    """`chrono48 up` on a free port, until the end of the block."""
    port = str(free_port())
    with log.open("wb") as written:
        up = await asyncio.create_subprocess_exec(
            *CHRONO48,
            "up",
            env=environ(data) | {"HOST": "127.0.0.1", "PORT": port},
            stdout=asyncio.subprocess.PIPE,
            stderr=written,
        )
        assert up.stdout is not None
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while READY not in (line := await up.stdout.readline()):
                    assert line, "chrono48 up ended"
            yield f"http://127.0.0.1:{port}"
        finally:
            up.send_signal(signal.SIGINT)
            async with asyncio.timeout(STOPPED_WITHIN_S):
                await up.communicate()


async def play_a_day(data: Path, url: str) -> None:
    """Let the demo's people publish, book, cancel and come."""
    day = await asyncio.create_subprocess_exec(
        *CHRONO48, *DAY, "--base-url", url, env=environ(data)
    )
    async with asyncio.timeout(DAY_WITHIN_S):
        assert await day.wait() == 0, "chrono48 demo day failed"


def account_of(data: Path, role: str) -> dict[str, str]:
    """The first demo account with this role."""
    lines = (data / FILE_NAME).read_bytes().splitlines()
    accounts = (msgspec.json.decode(line, type=dict[str, str]) for line in lines)
    return next(account for account in accounts if account["role"] == role)
