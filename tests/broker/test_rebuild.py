"""Redis can be rebuilt at any time, in place; what nothing contradicts survives."""

from datetime import timedelta

import msgspec
import pytest

from slots import keys
from slots.broker import HoldEnded
from slots.errors import HoldExpired, Rebuilding, SlotChanged, TooManyHolds
from slots.ids import HoldId, new_id
from slots.log import LOG_STARTED
from slots.slot import HOLD_FOR, HOLDS_PER_ACCOUNT_MAX
from tests.broker.stage import LEASE, Stage, booked, changed, make_account, make_slot, moved


async def test_until_it_is_ready_every_transition_answers_rebuilding(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account, key="one")
    await stage.begin()

    for ask in (
        lambda: stage.hold(slot, account),
        lambda: stage.hold(slot, account, key="one"),
        lambda: stage.renew(account, hold),
        lambda: stage.release(account, hold),
        lambda: stage.seal(account, hold),
        lambda: stage.unseal(slot, hold),
        lambda: stage.broker.snapshot(stage.territory),
        stage.due,
    ):
        with pytest.raises(Rebuilding):
            await ask()
    assert await stage.broker.position(stage.territory) is None
    assert not await stage.broker.is_trusted(stage.territory)


async def test_a_new_log_starts_and_names_its_generation(stage: Stage):
    slot = await stage.offer()

    assert await stage.rebuild(slot) == 0

    events = await stage.events()
    assert [(event.type, event.live, event.slot) for event in events] == [(LOG_STARTED, False, b"")]
    assert events[0].at.startswith("2.")
    assert events[0].prev == "2."
    assert await stage.broker.position(stage.territory) == events[0].at
    assert await stage.broker.is_trusted(stage.territory)


async def test_a_position_of_the_old_log_is_not_in_the_new_one(stage: Stage):
    await stage.offer()
    old = (await stage.events())[-1].at

    await stage.rebuild()

    assert old not in {event.at for event in await stage.events()}
    assert old.startswith("1.")


async def test_holds_that_nothing_contradicts_survive(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()
    hold = await stage.hold(slot, account, key="one")
    sealed = await stage.hold(slot, account)
    await stage.seal(account, sealed)

    await stage.rebuild(slot)

    document = await stage.document(slot)
    assert (document.held, document.held_until) == (2, hold.expires_at)
    assert await stage.broker.old_seals(stage.territory, timedelta(0), 9) == [(slot.id, sealed.id)]
    assert await stage.hold(slot, account, key="one") == hold
    assert (await stage.renew(account, hold)).seat == hold.seat
    assert (await stage.seal(account, sealed)).seat == sealed.seat


async def test_holds_that_survive_still_count_for_their_holder(stage: Stage):
    account = make_account()
    slots = [await stage.offer() for _ in range(HOLDS_PER_ACCOUNT_MAX)]
    holds = [await stage.hold(slot, account) for slot in slots]
    await stage.seal(account, holds[0])

    await stage.rebuild(*slots)

    sixth = await stage.offer()
    with pytest.raises(TooManyHolds):
        await stage.hold(sixth, account)
    stage.pass_time(HOLD_FOR)
    for _ in range(HOLDS_PER_ACCOUNT_MAX - 1):  # the sealed one still counts
        await stage.hold(await stage.offer(), account)
    with pytest.raises(TooManyHolds):
        await stage.hold(sixth, account)


async def test_holds_that_the_ledger_contradicts_end(stage: Stage):
    slot, other = await stage.offer(), await stage.offer()
    account = make_account()
    hold, became = await stage.hold(slot, account), await stage.hold(other, account)
    await stage.seal(account, became)

    await stage.rebuild(moved(slot, timedelta(minutes=5)), booked(other, became))

    with pytest.raises(HoldEnded) as ended:
        await stage.seal(account, hold)
    assert ended.value.error is SlotChanged
    assert (await stage.document(other)).status == "busy"
    assert await stage.broker.old_seals(stage.territory, timedelta(0), 9) == []


async def test_a_hold_that_ran_out_meanwhile_does_not_push_out_one_that_still_runs(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()
    overdue = await stage.hold(slot)
    stage.pass_time(timedelta(minutes=1))
    hold = await stage.hold(slot, account)
    stage.at(overdue.expires_at)

    await stage.rebuild(changed(slot, capacity=1))

    assert (await stage.document(slot)).held_until == hold.expires_at
    assert (await stage.seal(account, hold)).seat == hold.seat


async def test_slots_that_the_ledger_lacks_go_and_their_holds_are_unknown(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)

    assert await stage.rebuild() == 1

    assert await stage.board() == {}
    assert await stage.broker.slot_ids(stage.territory) == set()
    with pytest.raises(HoldEnded) as ended:
        await stage.release(account, hold)
    assert (ended.value.error, ended.value.slot_id) == (HoldExpired, None)
    assert await stage.tap.type(keys.named(stage.territory, "holders")) == b"none"


async def test_a_slot_becomes_what_the_ledger_says_even_where_that_is_older(stage: Stage):
    slot = await stage.offer()
    await stage.put(changed(slot, note="after the backup", version=7))

    await stage.rebuild(slot)

    assert await stage.document(slot) == slot.document()


async def test_a_request_may_put_meanwhile_and_the_newest_version_wins(stage: Stage):
    slot = await stage.offer()
    await stage.begin()
    newer = changed(slot, note="newer")

    assert await stage.put(newer, "slot.amended") == "put"
    assert await stage.put(slot, "slot.mended") == "stale"
    assert await stage.ready() == 0

    assert await stage.document(slot) == newer.document()
    assert [event.type for event in await stage.events()] == [LOG_STARTED]


async def test_a_request_that_read_the_ledger_before_cannot_put_meanwhile(stage: Stage):
    slot = make_slot()
    await stage.begin()

    assert await stage.put(slot, generation=1) == "other-generation"


async def test_nothing_is_appended_to_the_old_log_though_time_has_changed_much(stage: Stage):
    slot = await stage.offer()
    await stage.hold(slot)
    before = await stage.events()
    await stage.begin()
    stage.pass_time(HOLD_FOR)

    await stage.put(slot, "slot.mended")
    await stage.put(changed(slot, note="newer"), "slot.amended")

    assert await stage.events() == before
    await stage.ready()
    assert (await stage.document(slot)).free == 1


async def test_what_no_slot_vouches_for_goes(stage: Stage):
    slot, account = await stage.offer(), make_account()
    stray = HoldId(new_id(stage.territory.id))
    await stage.tap.zadd(keys.named(stage.territory, "seals"), {f"{slot.id}|{stray}": 0})
    await stage.tap.hset(keys.named(stage.territory, "holders"), str(account.id), b"\x80")

    await stage.rebuild(slot)

    assert await stage.broker.old_seals(stage.territory, timedelta(0), 9) == []
    assert await stage.tap.type(keys.named(stage.territory, "holders")) == b"none"


async def test_time_goes_on_after_a_rebuild(stage: Stage):
    slot = await stage.offer()
    await stage.hold(slot)
    future = make_slot(starts_at=stage.now + timedelta(days=2, minutes=1))
    await stage.put(future)
    await stage.rebuild(slot, future)

    stage.pass_time(HOLD_FOR)
    await stage.due()
    stage.at(slot.over_at)
    await stage.due()

    told = [(event.type, event.slot_id) for event in (await stage.events())[1:]]
    assert told == [
        ("slot.offered", future.id),
        ("slot.expired", slot.id),
        ("slot.ended", slot.id),
    ]


async def test_only_one_rebuilds_at_a_time(stage: Stage):
    await stage.begin(owner="first")

    assert await stage.begin(owner="second") == "busy"

    assert await stage.ready(owner="second") is None
    assert await stage.ready(owner="first") == 0


async def test_a_rebuilder_that_died_is_replaced_when_its_lease_is_over(stage: Stage):
    await stage.begin(owner="first")
    stage.pass_time(LEASE - timedelta(milliseconds=1))
    assert await stage.begin(owner="second") == "busy"

    stage.pass_time(timedelta(milliseconds=1))
    assert await stage.begin(owner="second") == "begun"

    generation = stage.generation
    stage.generation -= 1
    assert await stage.ready(owner="first") is None
    stage.generation = generation
    assert await stage.ready(owner="second") == 0


async def test_the_same_rebuilder_may_start_over_at_once(stage: Stage):
    slot = make_slot()
    await stage.begin()
    await stage.put(slot)

    assert await stage.begin() == "begun"

    assert await stage.ready() == 1
    assert await stage.board() == {}


async def test_a_generation_that_is_not_newer_is_stale(stage: Stage):
    for generation in (0, 1):
        answer = await stage.broker.begin(stage.territory, generation, "somebody", LEASE)
        assert answer == ("stale", 1)

    assert await stage.broker.is_trusted(stage.territory)
    assert await stage.broker.begin(stage.territory, 10, "somebody", LEASE) == ("begun", 10)
    assert await stage.broker.begin(stage.territory, 9, "somebody", LEASE) == ("stale", 10)


async def test_generations_are_numbers_not_words(stage: Stage):
    for generation in (9, 10):
        assert await stage.broker.begin(stage.territory, generation, "a", LEASE) == (
            *("begun", generation),
        )


async def test_ready_twice_is_lost_and_changes_nothing(stage: Stage):
    await stage.begin()
    await stage.ready()
    await stage.offer()

    assert await stage.ready() is None

    assert await stage.types() == ["slot.offered"]


async def test_a_server_that_was_replaced_during_the_rebuild_is_not_ready(stage: Stage):
    await stage.begin()
    await stage.lose_the_tail()

    with pytest.raises(Rebuilding):
        await stage.put(make_slot())
    assert await stage.ready() is None


async def test_a_server_that_was_emptied_answers_rebuilding_until_rebuilt(stage: Stage):
    slot, account = await stage.offer(), make_account()
    hold = await stage.hold(slot, account)
    await stage.tap.flushall()

    assert await stage.distrusts()
    with pytest.raises(Rebuilding):
        await stage.put(slot)
    with pytest.raises(Rebuilding):
        await stage.hold(slot)
    assert await stage.ready() is None
    assert await stage.broker.position(stage.territory) is None

    await stage.rebuild(slot)

    assert await stage.document(slot) == slot.document()
    with pytest.raises(HoldEnded):
        await stage.seal(account, hold)
    assert (await stage.hold(slot)).seat == 1


async def test_a_server_emptied_during_the_rebuild_is_not_ready(stage: Stage):
    await stage.begin()
    await stage.tap.flushall()

    assert await stage.ready() is None

    await stage.rebuild()
    assert await stage.broker.is_trusted(stage.territory)


async def test_what_was_confirmed_before_redis_was_lost_is_busy_afterwards(stage: Stage):
    slot = await stage.offer()
    hold = await stage.hold(slot, make_account())
    await stage.tap.flushall()

    await stage.rebuild(booked(slot, hold))

    assert (await stage.document(slot)).status == "busy"


async def test_a_lease_of_a_server_that_was_replaced_keeps_nobody_waiting(stage: Stage):
    assert await stage.begin(owner="died-with-its-server") == "begun"
    await stage.lose_the_tail()

    assert await stage.begin(owner="second") == "begun"
    assert await stage.ready(owner="second") == 0


async def test_what_another_version_kept_in_another_way_is_distrusted_and_begun_anew(stage: Stage):
    slot = await stage.offer()
    await stage.hold(slot, account := make_account())
    meta, states = (keys.named(stage.territory, name) for name in ("meta", "states"))
    await stage.tap.hset(meta, "layout", "1")
    await stage.tap.hset(states, str(slot.id), msgspec.msgpack.encode({"version": 1}))

    assert await stage.distrusts()
    with pytest.raises(Rebuilding):
        await stage.broker.versions(stage.territory, [slot.id])
    await stage.rebuild(slot)

    assert (await stage.document(slot)).free == 1
    assert (await stage.hold(slot, account)).seat == 1
