"""put: the ledger's slot, whole and versioned; the newest wins, whoever brings it, however late."""

from datetime import timedelta

import pytest

from slots import keys
from slots.document import decode_slot
from slots.errors import Rebuilding
from tests.broker.stage import START, Stage, booked, changed, make_account, make_slot, moved


async def test_an_offered_slot_is_on_the_board_as_the_ledger_has_it(stage: Stage):
    slot = await stage.offer(capacity=3, seats={2: None}, note="Sonner deux fois")

    document = await stage.document(slot)

    assert document == slot.document()
    assert (document.free, document.booked, document.note) == (2, 1, "Sonner deux fois")
    assert await stage.types() == ["slot.offered"]


async def test_an_empty_list_stays_a_list(stage: Stage):
    slot = make_slot()
    slot.card.acts.clear()

    await stage.put(slot)

    assert b'"acts":[]' in (await stage.board())[slot.id]


async def test_the_same_again_is_no_news(stage: Stage):
    slot = await stage.offer(capacity=2, seats={1: None})

    assert await stage.put(slot) == "same"

    assert await stage.types() == ["slot.offered"]


async def test_a_late_applier_changes_nothing(stage: Stage):
    slot = await stage.offer()
    newer = changed(slot, note="newer")
    await stage.put(newer)

    assert await stage.put(slot) == "stale"

    assert await stage.document(slot) == newer.document()
    assert await stage.types() == ["slot.offered", "slot.amended"]


async def test_a_late_applier_does_not_bring_a_withdrawn_slot_back(stage: Stage):
    slot = await stage.offer()
    await stage.put(changed(slot, withdrawn=True), "slot.withdrawn")

    assert await stage.put(slot) == "stale"

    assert await stage.board() == {}
    assert await stage.broker.slot_ids(stage.territory) == {slot.id}


async def test_the_tombstone_goes_when_the_slot_would_have_ended(stage: Stage):
    slot = await stage.offer()
    withdrawn = changed(slot, withdrawn=True)
    await stage.put(withdrawn, "slot.withdrawn")
    stage.at(slot.over_at)

    await stage.due()

    assert await stage.broker.slot_ids(stage.territory) == set()
    assert await stage.types() == ["slot.offered", "slot.withdrawn"]
    assert await stage.put(slot) == "over"


async def test_a_slot_that_is_over_is_not_kept(stage: Stage):
    slot = make_slot(starts_at=START - timedelta(minutes=5))

    assert await stage.put(slot) == "over"

    assert await stage.types() == []
    assert await stage.broker.slot_ids(stage.territory) == set()


async def test_a_slot_that_the_ledger_ends_early_leaves_the_board(stage: Stage):
    slot = await stage.offer(lasts=timedelta(hours=2), capacity=2)
    stage.at(slot.starts_at + timedelta(hours=1))

    await stage.put(changed(slot, ends_at=stage.now, terms=2))

    last = (await stage.events())[-1]
    assert (last.type, last.live) == ("slot.amended", False)
    assert await stage.board() == {}
    assert await stage.broker.slot_ids(stage.territory) == set()


@pytest.mark.parametrize(
    "differs",
    [
        {"note": "mended"},
        {"capacity": 2},
        {"seats": {1: None}},
        {"withdrawn": True},
    ],
    ids=str,
)
async def test_at_an_equal_version_what_differs_is_mended(stage: Stage, differs):
    slot = await stage.offer()
    mended = changed(slot, version=slot.version, **differs)

    assert await stage.put(mended, "slot.mended") == "put"
    assert await stage.put(mended, "slot.mended") == "same"

    last = (await stage.events())[-1]
    assert last.type == "slot.mended"
    assert decode_slot(last.slot) == mended.document()


async def test_at_an_equal_version_a_booking_that_the_ledger_lacks_is_mended(stage: Stage):
    slot = await stage.offer(capacity=2, seats={1: None, 2: None})
    mended = changed(slot, version=slot.version, seats={1: None})

    assert await stage.put(mended, "slot.mended") == "put"

    assert (await stage.document(slot)).free == 1


async def test_at_an_equal_version_another_owner_of_the_seat_is_mended(stage: Stage):
    account = make_account()
    slot = await stage.offer()
    hold = await stage.hold(slot, account)
    await stage.put(booked(slot, hold))

    assert await stage.put(changed(slot, seats={1: None})) == "put"


async def test_at_an_equal_version_other_terms_are_mended_and_holds_of_the_old_end(stage: Stage):
    slot = await stage.offer()
    await stage.hold(slot)

    assert await stage.put(changed(slot, version=slot.version, terms=2), "slot.mended") == "put"

    assert (await stage.document(slot)).held == 0


async def test_a_put_under_another_generation_changes_nothing_and_learns_the_right_one(
    stage: Stage,
):
    slot = await stage.offer()
    await stage.rebuild(slot)
    assert await stage.broker.generation(stage.territory) == "2"

    answer = await stage.put(changed(slot, note="old"), generation=1)

    assert answer == "other-generation"
    assert (await stage.document(slot)).note is None
    assert await stage.broker.generation(stage.territory) == "2"


async def test_a_cached_generation_is_corrected_by_the_put(stage: Stage):
    slot = await stage.offer()
    assert await stage.broker.generation(stage.territory) == "1"
    await stage.rebuild()
    assert await stage.broker.generation(stage.territory) == "1"

    await stage.put(slot, generation=1)

    assert await stage.broker.generation(stage.territory) == "2"
    assert stage.broker.known_generations([stage.territory.id]) == {stage.territory.id: "2"}


async def test_without_a_generation_there_is_nothing_to_put_into(empty_stage: Stage):
    with pytest.raises(Rebuilding):
        await empty_stage.put(make_slot(), generation=1)
    with pytest.raises(Rebuilding):
        await empty_stage.broker.generation(empty_stage.territory)


async def test_after_the_log_may_have_lost_its_tail_nothing_is_appended(stage: Stage):
    slot = await stage.offer()
    await stage.lose_the_tail()

    with pytest.raises(Rebuilding):
        await stage.put(changed(slot))

    assert await stage.types() == ["slot.offered"]


async def test_a_slot_moved_beyond_the_horizon_leaves_and_comes_back_when_it_crosses_it(
    stage: Stage,
):
    slot = await stage.offer()
    later = moved(slot, timedelta(hours=72))

    await stage.put(later)
    assert [event.live for event in await stage.events()][-1] is False
    assert await stage.board() == {}
    stage.at(later.starts_at - timedelta(hours=48))

    assert list(await stage.board()) == [slot.id]
    assert await stage.types() == ["slot.offered", "slot.amended", "slot.offered"]


async def test_a_change_of_what_nobody_sees_yet_is_no_news(stage: Stage):
    slot = await stage.offer(starts_at=START + timedelta(days=5))

    assert await stage.put(changed(slot, note="Venir à jeun")) == "put"

    assert await stage.types() == []


async def test_a_cancelled_seat_can_be_held_again(stage: Stage):
    slot, account = await stage.offer(), make_account()
    confirmed = booked(slot, await stage.hold(slot, account))
    await stage.put(confirmed, "slot.confirmed")

    await stage.put(changed(confirmed, seats={}), "slot.cancelled")

    assert (await stage.hold(slot)).seat == 1
    assert (await stage.types())[-3:] == ["slot.confirmed", "slot.cancelled", "slot.held"]


async def test_a_slot_with_more_bookings_than_seats_has_no_free_seat_less_than_none(stage: Stage):
    slot = await stage.offer(capacity=1, seats={1: None, 2: None})

    document = await stage.document(slot)

    assert (document.free, document.booked, document.status) == (0, 2, "busy")


async def test_nothing_of_a_forgotten_slot_stays_in_redis(stage: Stage):
    slot, account = await stage.offer(capacity=2), make_account()
    await stage.hold(slot, account)
    released = await stage.hold(slot, account)
    await stage.release(account, released)
    stage.at(slot.over_at)
    await stage.due()

    for name in ("docs", "states", "holds", "holders", "live", "due", "seals"):
        assert await stage.tap.type(keys.named(stage.territory, name)) == b"none", name
