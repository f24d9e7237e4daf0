"""A time limit that many questions share: as `asyncio.timeout`, with one timer for all of them.

A timer of its own for each question is a tenth of what a hold costs a web process.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import Any


class Deadline:
    """Gives whatever runs inside it `within_s` seconds: `async with deadline(): …`.

    All have the same time, so they end in the order in which they began: the timer need only
    know the first.
    """

    def __init__(self, within_s: float) -> None:
        """Bound to the loop that runs when it is first used."""
        self.within_s = within_s
        self._running: deque[_Bounded] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> "_Bounded":
        """Bound one question. Raises TimeoutError inside `async with`, once the time is over."""
        return _Bounded(self)

    def add(self, bounded: "_Bounded", loop: asyncio.AbstractEventLoop) -> float:
        """Watch over one more; returns when it has to end, by the loop's clock."""
        ends_at = loop.time() + self.within_s
        self._running.append(bounded)
        if self._timer is None:
            self._timer = loop.call_at(ends_at, self._look, loop)
        return ends_at

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what has run out, forget what has ended, and wait for the next."""
        self._timer = None
        while self._running:
            first = self._running[0]
            if not first.has_ended:
                if first.ends_at > loop.time():
                    self._timer = loop.call_at(first.ends_at, self._look, loop)
                    return
                first.expire()
            self._running.popleft()


class _Bounded:
    __slots__ = ("_cancelling", "_deadline", "_expired", "_task", "ends_at")

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._task: asyncio.Task[Any] | None = None
        self._expired = False

    @property
    def has_ended(self) -> bool:
        return self._task is None

    def expire(self) -> None:
        assert self._task is not None
        self._expired = True
        self._task.cancel()

    async def __aenter__(self) -> None:
        self._task = task = asyncio.current_task()
        assert task is not None
        # Whoever cancels the task for a reason of their own is not taken for us.
        self._cancelling = task.cancelling()
        self.ends_at = self._deadline.add(self, asyncio.get_running_loop())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        task, self._task = self._task, None
        assert task is not None
        if not self._expired:
            return
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
