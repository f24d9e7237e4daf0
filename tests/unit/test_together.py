import asyncio

import pytest

from slots.together import TOGETHER_MAX, Together


class Ledger:
    """Answers when it is told to, and remembers what it was asked at once."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may_answer = asyncio.Event()
        self.fails = False

    async def ask(self, questions) -> list[int]:
        self.asked.append(list(questions))
        await self.may_answer.wait()
        if self.fails:
            raise ConnectionError("away")
        return [question * 2 for question in questions]


async def started(*coroutines) -> list[asyncio.Task]:
    tasks = [asyncio.create_task(one) for one in coroutines]
    await asyncio.wait(tasks, timeout=0.01)
    return tasks


async def test_who_comes_while_others_are_answered_is_asked_with_the_next():
    ledger = Ledger()
    double = Together(ledger.ask)
    first = await started(double(1))
    others = await started(double(2), double(3))

    ledger.may_answer.set()

    assert await asyncio.gather(*first, *others) == [2, 4, 6]
    assert ledger.asked == [[1], [2, 3]]


async def test_a_question_is_never_answered_by_a_look_that_began_before_it():
    ledger = Ledger()
    double = Together(ledger.ask)
    first = await started(double(1))
    second = await started(double(1))

    ledger.may_answer.set()
    await asyncio.gather(*first, *second)

    assert ledger.asked == [[1], [1]]


async def test_a_crowd_is_cut_into_pieces():
    ledger = Ledger()
    ledger.may_answer.set()
    double = Together(ledger.ask)

    assert await asyncio.gather(*map(double, range(250))) == [2 * number for number in range(250)]
    assert max(map(len, ledger.asked)) == TOGETHER_MAX


async def test_a_failure_is_told_to_all_who_wait_and_the_next_asks_anew():
    ledger = Ledger()
    double = Together(ledger.ask)
    tasks = [*await started(double(1)), *await started(double(2))]
    ledger.fails = True
    ledger.may_answer.set()

    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(one) for one in found] == [ConnectionError, ConnectionError]
    ledger.fails = False
    assert await double(3) == 6


async def test_who_leaves_is_no_trouble_to_the_others():
    ledger = Ledger()
    double = Together(ledger.ask)
    [leaves, stays] = await started(double(1), double(2))
    leaves.cancel()
    ledger.may_answer.set()

    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await leaves
