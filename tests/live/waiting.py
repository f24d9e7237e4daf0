"""Waiting for what must come, bounded."""

import asyncio
import threading
from collections.abc import Callable

WITHIN_S = 15.0
LOOK_EVERY_S = 0.02


async def until(condition: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """Look again and again while the loop goes on; fails when it takes too long."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.to_thread(threading.Event().wait, LOOK_EVERY_S)


async def soon(awaitable):
    """What must come soon."""
    return await asyncio.wait_for(awaitable, WITHIN_S)
