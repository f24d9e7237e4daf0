"""Waiting for what servers say, with the time that it took."""

import time
from collections.abc import Awaitable, Callable

from tests import waiting


async def until(
    condition: Callable[[], Awaitable[object]], within_s: float = waiting.WITHIN_S
) -> float:
    """Ask again and again. Returns the seconds that it took; fails after *within_s*."""
    began_s = time.monotonic()
    await waiting.until(condition, within_s)
    return time.monotonic() - began_s
