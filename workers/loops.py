"""Loops that outlive Redis and PostgreSQL: each logs what went wrong, waits a little and carries on."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from slots.errors import Unavailable

FAILING_WAIT_MAX_S: Final = 5.0  # between tries while it fails, unless a loop says otherwise
DOUBLINGS_MAX: Final = 10
SAY_AGAIN_S: Final = 60.0  # how often a loop that goes on failing says so

log = structlog.get_logger()


@dataclass(slots=True)
class Loop:
    """Something to do again and again. *do* returns a number worth logging, 0 where it is not."""

    name: str
    every_s: float
    do: Callable[[], Awaitable[int]]
    patience_s: float = FAILING_WAIT_MAX_S  # the longest wait between tries while it fails
    failing: str = ""  # what went wrong the last time; "" after a good round
    failures: int = 0  # in a row
    good_at: float | None = None  # of the event loop's clock; None before the first good round
    said_at: float = field(default=0.0)

    async def run(self, stopping: asyncio.Event) -> None:
        """Do it until *stopping*; a round that has begun is finished."""
        while not stopping.is_set():
            await self.once()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self.wait_s())

    async def once(self) -> None:
        """One round. Nothing that goes wrong leaves it but a cancellation."""
        try:
            count = await self.do()
        except Unavailable as error:
            self._failed(error.code)
        except Exception as error:  # noqa: BLE001 - a loop that ends is worse than any error
            # A mistake of ours, and the others must go on: said in full each time that it changes.
            self._failed(type(error).__name__, error)
        else:
            if self.failing:
                log.info("loop.recovered", loop=self.name, failures=self.failures)
            self.failing, self.failures = "", 0
            self.good_at = asyncio.get_running_loop().time()
            if count:
                log.info("loop.done", loop=self.name, count=count)

    def wait_s(self) -> float:
        """Seconds until the next round: longer and longer while a busy loop fails."""
        if not self.failures:
            return self.every_s
        return min(self.every_s * 2.0 ** min(self.failures, DOUBLINGS_MAX), self.patience_s)

    def _failed(self, what: str, error: Exception | None = None) -> None:
        now = asyncio.get_running_loop().time()
        if what != self.failing or now - self.said_at > SAY_AGAIN_S:
            log.warning("loop.failing", loop=self.name, error=what, exc_info=error)
            self.said_at = now
        self.failing = what
        self.failures += 1
