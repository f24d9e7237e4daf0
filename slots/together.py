"""Questions that come while others are being answered are asked together, in one.

A busy process asks the ledger the same kind of thing many times in one breath. Each question alone
costs a connection, a statement and a clean-up; a crowd of them costs hardly more than one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

TOGETHER_MAX: Final = 100  # questions in one statement


class Together(Generic[Question, Answer]):
    """One at a time asks for all who wait. One per process and kind; safe to share between tasks."""

    def __init__(self, ask: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]]) -> None:
        """*ask*: answers many at once, in their order; it must end by itself."""
        self._ask = ask
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, question: Question) -> Answer:
        """The answer to *question*, asked after this call began: nothing older is told.

        Raises:
            Whatever asking raises; also where those before failed while this one waited, for it
            would have failed the same way, and later.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        asked: list[tuple[Question, asyncio.Future[Answer]]] = []
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
                answers = await self._ask([question for question, _ in asked])
                for (_, answer), found in zip(asked, answers, strict=True):
                    if not answer.done():  # whoever asked has left
                        answer.set_result(found)
        except BaseException as error:
            for _, answer in (*asked, *self._waiting):
                if not answer.done():
                    _refuse(answer, error)
            self._waiting = []
            if not isinstance(error, Exception):
                raise
        finally:
            self._task = None


def _refuse(answer: "asyncio.Future[Any]", error: BaseException) -> None:
    if isinstance(error, asyncio.CancelledError):
        answer.cancel()
    else:
        answer.set_exception(error)
