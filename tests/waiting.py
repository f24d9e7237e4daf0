"""Waiting for what must come, bounded."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

WITHIN_S = 30.0
LOOK_EVERY_S = 0.02

Answer = TypeVar("Answer")


async def until(
    condition: Callable[[], Awaitable[Answer]],
    within_s: float = WITHIN_S,
    every_s: float = LOOK_EVERY_S,
) -> Answer:
    """Ask again and again. Returns the first true answer; fails after *within_s*."""
    async with asyncio.timeout(within_s) as limit:
        while not (answer := await condition()):
            await pause(every_s)
            # The client of Redis (5.3.1) swallows a cancellation that comes while it takes a
            # connection from its pool: what waits for one alone may wait for ever.
            if limit.expired():
                raise TimeoutError
    return answer


async def pause(every_s: float = LOOK_EVERY_S) -> None:
    """A moment, so that whoever asks again and again leaves the machine to the others."""
    await asyncio.to_thread(threading.Event().wait, every_s)
