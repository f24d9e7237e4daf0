"""Of many who want one seat exactly one gets it; the same attack finds out a guard that is off."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from slots.account import Account
from slots.errors import SlotTaken, TooManyHolds
from slots.slot import HOLDS_PER_ACCOUNT_MAX, Hold
from tests.broker.stage import Stage, changed, make_account

CALLERS = 50

Take = Callable[[Account], Awaitable[object]]


async def attack(take: Take) -> list[object]:
    """Many want the same at once. Returns what those got who were not refused."""
    accounts = [make_account() for _ in range(CALLERS)]
    answers = await asyncio.gather(*map(take, accounts), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, SlotTaken)]
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(won) + len(refused) == CALLERS, answers
    return won


def exactly_one_won(won: list[object]) -> None:
    assert len(won) == 1, f"{len(won)} have the same seat"


async def test_of_many_who_want_one_seat_exactly_one_gets_it(stage: Stage):
    slot = await stage.offer()

    won = await attack(lambda account: stage.hold(slot, account))

    exactly_one_won(won)
    assert await stage.types() == ["slot.offered", "slot.held"]


async def test_control_without_the_script_the_same_attack_gives_the_seat_away_many_times(
    stage: Stage,
):
    """Look, then write: what `hold` would be outside of Lua. All look before any writes."""
    slot = await stage.offer()
    all_have_looked = asyncio.Barrier(CALLERS)

    async def naive_hold(account: Account) -> str:
        holder = await stage.tap.get(f"naive:{slot.id}")
        await all_have_looked.wait()
        if holder is not None:
            raise SlotTaken
        await stage.tap.set(f"naive:{slot.id}", str(account.id))
        return str(account.id)

    won = await attack(naive_hold)

    with pytest.raises(AssertionError, match=f"{CALLERS} have the same seat"):
        exactly_one_won(won)


async def test_of_many_who_want_three_seats_each_of_three_gets_another(stage: Stage):
    slot = await stage.offer(capacity=3)

    won = await attack(lambda account: stage.hold(slot, account))

    assert sorted(hold.seat for hold in won if isinstance(hold, Hold)) == [1, 2, 3]


async def test_of_many_who_want_an_overdue_seat_exactly_one_gets_it(stage: Stage):
    slot = await stage.offer()
    stage.at((await stage.hold(slot)).expires_at)

    won = await attack(lambda account: stage.hold(slot, account))

    exactly_one_won(won)
    assert (await stage.types()).count("slot.expired") == 1


async def test_a_double_click_is_one_hold(stage: Stage):
    slot, account = await stage.offer(capacity=CALLERS), make_account()

    holds = await asyncio.gather(
        *(stage.hold(slot, account, key="one click") for _ in range(CALLERS))
    )

    assert len(set(holds)) == 1
    assert (await stage.document(slot)).held == 1


async def test_many_tabs_of_one_account_hold_no_more_than_it_may(stage: Stage):
    slot, account = await stage.offer(capacity=CALLERS), make_account()

    answers = await asyncio.gather(
        *(stage.hold(slot, account) for _ in range(CALLERS)), return_exceptions=True
    )

    assert sum(isinstance(answer, Hold) for answer in answers) == HOLDS_PER_ACCOUNT_MAX
    assert sum(isinstance(answer, TooManyHolds) for answer in answers) == (
        CALLERS - HOLDS_PER_ACCOUNT_MAX
    )


async def test_sealing_and_releasing_at_once_leave_either_a_seal_or_a_free_seat(stage: Stage):
    for _ in range(10):
        slot, account = await stage.offer(), make_account()
        hold = await stage.hold(slot, account)

        sealed, released = await asyncio.gather(
            stage.seal(account, hold), stage.release(account, hold), return_exceptions=True
        )

        assert isinstance(sealed, Exception) != isinstance(released, Exception)
        assert (await stage.document(slot)).free == isinstance(sealed, Exception)


async def test_whoever_applies_the_ledger_last_the_newest_version_stays(stage: Stage):
    slot = await stage.offer()
    versions = [changed(slot, version=number, note=str(number)) for number in range(2, CALLERS)]

    await asyncio.gather(*(stage.put(version) for version in reversed(versions)))

    assert await stage.document(slot) == versions[-1].document()


async def test_many_sweepers_tell_the_end_of_a_hold_once(stage: Stage):
    await stage.hold(await stage.offer())
    stage.pass_time(timedelta(minutes=3))

    counts = await asyncio.gather(*(stage.due() for _ in range(CALLERS)))

    assert sum(counts) == 1
    assert (await stage.types()).count("slot.expired") == 1
