"""due: what time changes, in the order in which it does."""

from datetime import UTC, datetime, timedelta

from slots.document import decode_slot
from slots.slot import HOLD_FOR, STARTED_GRACE
from tests.broker.stage import HORIZON, START, Stage, changed, make_account

A_MILLISECOND = timedelta(milliseconds=1)


async def test_a_slot_goes_live_when_it_crosses_the_horizon(stage: Stage):
    slot = await stage.offer(starts_at=START + timedelta(days=3))
    stage.at(slot.starts_at - HORIZON - A_MILLISECOND)
    assert await stage.due() == 0

    stage.pass_time(A_MILLISECOND)
    assert await stage.due() == 1

    last = (await stage.events())[-1]
    assert (last.type, last.live) == ("slot.offered", True)
    assert decode_slot(last.slot) == slot.document()


async def test_a_hold_runs_out(stage: Stage):
    slot = await stage.offer()
    hold = await stage.hold(slot)
    stage.at(hold.expires_at - A_MILLISECOND)
    assert await stage.due() == 0

    stage.pass_time(A_MILLISECOND)
    assert await stage.due() == 1

    last = (await stage.events())[-1]
    assert (last.type, last.live, decode_slot(last.slot).free) == ("slot.expired", True, 1)


async def test_a_slot_leaves_the_board_when_it_is_over(stage: Stage):
    slot = await stage.offer()
    stage.at(slot.starts_at + STARTED_GRACE)

    assert await stage.due() == 1

    last = (await stage.events())[-1]
    assert (last.type, last.live) == ("slot.ended", False)
    assert await stage.broker.slot_ids(stage.territory) == set()


async def test_a_withdrawn_slot_never_crosses_the_horizon(stage: Stage):
    slot = await stage.offer(starts_at=START + timedelta(days=3))
    await stage.put(changed(slot, withdrawn=True), "slot.withdrawn")
    stage.at(slot.starts_at - HORIZON)

    assert await stage.due() == 0

    assert await stage.types() == []


async def test_a_long_absence_is_told_in_the_order_of_time(stage: Stage):
    slot = await stage.offer(starts_at=START + timedelta(days=3), capacity=2)
    stage.at(slot.starts_at - HORIZON)
    first = await stage.hold(slot)
    stage.pass_time(timedelta(seconds=1))
    await stage.hold(slot)
    before = len(await stage.events())
    stage.at(slot.ends_at)

    assert await stage.due() == 1

    told = [(event.type, event.live, event.slot) for event in (await stage.events())[before:]]
    assert [(kind, live) for kind, live, _ in told] == [
        ("slot.expired", True),
        ("slot.expired", True),
        ("slot.ended", False),
    ]
    held_until = [decode_slot(raw).held_until for _, _, raw in told]
    assert held_until == [first.expires_at + timedelta(seconds=1), None, None]


async def test_a_slot_that_nobody_looked_at_goes_live_and_ends_in_one_sweep(stage: Stage):
    slot = await stage.offer(starts_at=START + timedelta(days=3))
    stage.at(slot.ends_at)

    await stage.due()

    assert await stage.types() == ["slot.offered", "slot.ended"]


async def test_a_hold_that_the_end_of_the_slot_cuts_short_ends_with_it(stage: Stage):
    slot = await stage.offer()
    stage.at(slot.over_at - A_MILLISECOND)
    await stage.hold(slot)
    stage.at(slot.over_at)

    await stage.due()

    last = (await stage.events())[-1]
    assert (last.type, decode_slot(last.slot).held) == ("slot.ended", 0)


async def test_a_hold_that_runs_out_just_when_the_slot_ends_expires_first(stage: Stage):
    slot = await stage.offer()
    stage.at(slot.over_at - HOLD_FOR)
    await stage.hold(slot)
    stage.at(slot.over_at)

    await stage.due()

    assert (await stage.types())[-2:] == ["slot.expired", "slot.ended"]


async def test_a_renewed_hold_is_not_due_at_its_first_deadline(stage: Stage):
    account = make_account()
    hold = await stage.hold(await stage.offer(), account)
    stage.pass_time(timedelta(minutes=1))
    renewed = await stage.renew(account, hold)
    stage.at(hold.expires_at)
    assert await stage.due() == 0

    stage.at(renewed.expires_at)

    assert await stage.due() == 1


async def test_a_second_sweep_finds_nothing(stage: Stage):
    await stage.hold(await stage.offer())
    stage.pass_time(HOLD_FOR)

    assert [await stage.due(), await stage.due()] == [1, 0]


async def test_a_sweep_takes_as_many_slots_as_it_may_the_most_overdue_first(stage: Stage):
    for minutes in range(3):
        await stage.offer(starts_at=START + timedelta(hours=1, minutes=minutes))
    stage.pass_time(timedelta(hours=3))

    assert await stage.broker.due(stage.territory, limit=2) == 2
    assert len(await stage.broker.slot_ids(stage.territory)) == 1
    assert await stage.broker.due(stage.territory, limit=2) == 1


async def test_the_servers_own_clock_is_the_default(stage: Stage):
    seconds, microseconds = await stage.tap.time()
    server_now = seconds + microseconds / 1_000_000
    slot = await stage.offer(starts_at=datetime.fromtimestamp(server_now + 3_600, UTC))
    stage.broker.clock_ms = ""

    hold = await stage.hold(slot)

    left_s = hold.expires_at.timestamp() - server_now
    assert abs(left_s - HOLD_FOR.total_seconds()) < 10
    assert await stage.broker.is_held(stage.territory, slot.id)


async def test_whether_a_slot_is_held_agrees_with_the_scripts_to_the_millisecond(stage: Stage):
    slot, account = await stage.offer(), make_account()
    assert not await stage.broker.is_held(stage.territory, slot.id)
    hold = await stage.hold(slot)

    stage.at(hold.expires_at - A_MILLISECOND)
    assert await stage.broker.is_held(stage.territory, slot.id)
    stage.at(hold.expires_at)
    assert not await stage.broker.is_held(stage.territory, slot.id)

    await stage.seal(account, await stage.hold(slot, account))
    stage.pass_time(HOLD_FOR)
    assert await stage.broker.is_held(stage.territory, slot.id)
