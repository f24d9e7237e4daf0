"""Waiting for what servers say, bounded, with the time that it took."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

WITHIN_S = 30.0
LOOK_EVERY_S = 0.02


async def until(condition: Callable[[], Awaitable[object]], within_s: float = WITHIN_S) -> float:
    """Ask again and again. Returns the seconds that it took; fails after *within_s*."""
    began_s = time.monotonic()
    async with asyncio.timeout(within_s):
        while not await condition():
            await pause()
    return time.monotonic() - began_s


async def pause() -> None:
    """A moment, so that whoever asks again and again leaves the machine to the others."""
    await asyncio.to_thread(threading.Event().wait, LOOK_EVERY_S)
