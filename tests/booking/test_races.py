"""Races, and for each the control run: the same attack with its guard off must do harm."""

import asyncio
import contextlib
from collections import Counter
from datetime import time, timedelta

import asyncpg
import pytest

from slots.booking import appointments, holding, offering
from slots.booking.confirming import confirm
from slots.booking.offers import Amendment, OfferedSlot
from slots.errors import (
    HoldExpired,
    OutcomeUnknown,
    SeatsBooked,
    SlotChanged,
    SlotError,
    SlotWithdrawn,
)
from slots.slot import Hold
from slots.store import slot as slot_store
from slots.times import PARIS, from_paris
from tests.booking.conftest import CHOICE, a_key

WITHIN_S = 10


async def all_at_once(*attempts):
    async with asyncio.timeout(WITHIN_S):
        return await asyncio.gather(*attempts, return_exceptions=True)


def kinds(answers):
    for answer in answers:
        assert not isinstance(answer, BaseException) or isinstance(answer, SlotError), answer
    return Counter(type(answer).__name__ for answer in answers)


@contextlib.asynccontextmanager
async def row_locked(owner_url, slot):
    """Hold the slot's row lock; at the end of the block whoever waits for it goes on."""
    conn = await asyncpg.connect(owner_url)
    transaction = conn.transaction()
    await transaction.start()
    await conn.execute("SELECT FROM slot WHERE id = $1 FOR UPDATE", slot.id)
    try:
        yield
    finally:
        await transaction.rollback()
        await conn.close()


async def until_waiting(owner, count):
    """Wait until *count* transactions of the application wait for a lock."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            waiting = await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if waiting >= count:
                return


@pytest.fixture
def under_the_lock(monkeypatch):
    """Every confirmation goes the long way."""

    async def never(*_):
        return None

    monkeypatch.setattr("slots.booking.confirming.book_at_once", never)


@pytest.fixture(params=["at once", "under the lock"])
def each_way(request):
    """A confirmation goes the quick way (one statement), then the long one."""
    if request.param == "under the lock":
        request.getfixturevalue("under_the_lock")


@pytest.fixture
def without_row_lock(monkeypatch, under_the_lock):
    """Guard off: everybody reads the slot before anybody writes, as without FOR UPDATE."""
    both = asyncio.Barrier(2)

    async def read_then_wait(conn, slot_ids):
        slots = await slot_store.slots_by_id(conn, slot_ids)
        await both.wait()
        return slots

    monkeypatch.setattr(slot_store, "lock_slots", read_then_wait)
    monkeypatch.setattr(slot_store, "lock_to_book", read_then_wait)


async def a_hold_ends_as_often_as_one_likes(owner):
    """Guard off: the row of hold_end no longer decides, for each gets a name of its own."""
    await owner.execute(
        """
        CREATE FUNCTION rename() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN NEW.hold_id = gen_random_uuid(); RETURN NEW; END $$;
        GRANT EXECUTE ON FUNCTION rename TO chrono48_app;
        CREATE TRIGGER rename BEFORE INSERT ON hold_end FOR EACH ROW EXECUTE FUNCTION rename();
        """
    )


async def a_slot_is_always_as_it_was_seen(owner):
    """Guard off: the quick way writes whatever the ledger's slot has become meanwhile."""
    text = await owner.fetchval("SELECT pg_get_functiondef('book_unchanged'::regproc)")
    guarded = text[text.index("AND slot.version = seen_version") : text.index("AND slot.audience")]
    await owner.execute(text.replace(guarded, ""))


async def booked_seats(owner, slot):
    rows = await owner.fetch(
        "SELECT seat FROM appointment WHERE slot_id = $1 AND status = 'booked' ORDER BY seat",
        slot.id,
    )
    return [row["seat"] for row in rows]


async def what_a_booking_left(owner, booked):
    """All rows that a booking wrote, without what differs between any two: ids, names and times."""
    rows = {}
    for table, condition in {
        "appointment": "id = $1",
        "hold_end": "appointment_id = $1",
        "audit": "subject_id = $1",
        "idempotency_key": "(answer ->> 'appointment_id')::uuid = $1",
    }.items():
        found = await owner.fetch(f"SELECT * FROM {table} WHERE {condition}", booked.id)
        rows[table] = [dict(row) for row in found]
    found = await owner.fetch("SELECT * FROM outbox WHERE slot_id = $1", booked.slot_id)
    rows["outbox"] = [dict(row) for row in found if row["verb"] == "confirm"]
    found = await owner.fetch(
        "SELECT * FROM mail WHERE body LIKE '%' || $1 || '%'", booked.reference
    )
    rows["mail"] = [dict(row) for row in found]
    assert all(len(written) == 1 for written in rows.values())
    ours = {
        "id",
        "slot_id",
        "hold_id",
        "subject_id",
        "appointment_id",
        "reference",
        "key",
        "answer",
    }
    own = {"body_hash", "created_at", "at", "next_try_at", "booked_at", "held_at", "ended_at"}
    return {
        table: {
            name: str(value).replace(booked.reference, "…")
            for name, value in written[0].items()
            if name not in ours | own
        }
        for table, written in rows.items()
    }


async def test_the_quick_way_leaves_what_the_long_way_leaves(
    desk, world, offer, book, owner, request
):
    rolf, slot = world.accounts["rolf"], await offer(capacity=2)
    quick = await what_a_booking_left(owner, await book(rolf, slot))
    await owner.execute("DELETE FROM outbox")
    request.getfixturevalue("under_the_lock")
    long = await what_a_booking_left(owner, await book(rolf, slot))

    assert (quick["appointment"].pop("seat"), long["appointment"].pop("seat")) == ("1", "2")
    assert (quick["outbox"].pop("version"), long["outbox"].pop("version")) == ("2", "3")
    assert quick == long


# Fifty want one seat.


async def test_of_fifty_who_want_one_seat_exactly_one_gets_it(desk, world, offer, now):
    slot = await offer()
    people = [world.accounts[name] for name in ("rolf", "rosa", "rita", "nina", "bob")] * 10

    answers = await all_at_once(
        *(holding.hold(desk, person, slot.id, a_key(), now) for person in people)
    )

    assert kinds(answers) == {"Hold": 1, "SlotTaken": 49}


async def test_of_fifty_who_book_twenty_seats_twenty_get_one_each(desk, world, offer, owner, now):
    slot = await offer(capacity=20)
    names = ["rolf", "rosa", "rita", "nina", "bob", "emma", "olga", "dora", "ann"]

    async def book(name):
        account = world.accounts[name]
        held = await holding.hold(desk, account, slot.id, a_key(), now)
        return await confirm(desk, account, held.id, CHOICE, a_key(), now)

    answers = await all_at_once(*(book(names[turn % len(names)]) for turn in range(50)))

    assert await booked_seats(owner, slot) == list(range(1, 21))
    assert kinds(answers)["Appointment"] == 20


# One seat, one appointment: what Redis forgets, the ledger refuses.


async def two_sealed_holds_of_one_seat(desk, world, offer, redis_client):
    """Redis forgets everything between two holds, as at a failover, and is rebuilt."""
    slot = await offer()
    territory = desk.territories.by_id[world.hauts]
    rolf, rosa = world.accounts["rolf"], world.accounts["rosa"]
    first = await holding.hold(desk, rolf, slot.id, a_key(), slot.starts_at)
    meta = await redis_client.hgetall("{p0}:1:meta")
    states = await redis_client.hgetall("{p0}:1:states")
    holds = await redis_client.hgetall("{p0}:1:holds")
    await holding.release(desk, rolf, first.id, slot.starts_at)
    second = await holding.hold(desk, rosa, slot.id, a_key(), slot.starts_at)
    await desk.broker.seal(territory, rosa.id, second.id)
    return slot, territory, (rolf, first), (rosa, second), (meta, states, holds)


async def both_confirm(desk, redis_client, now, territory, mine, theirs, older):
    """Both come to the ledger with a seal for the same seat, one from each of Redis's lives."""
    rosa, second = theirs
    rolf, first = mine

    sealed = await desk.broker.seal(territory, rosa.id, second.id)
    _, states, holds = older
    await redis_client.hset("{p0}:1:states", mapping=states)
    await redis_client.hset("{p0}:1:holds", mapping=holds)
    original = desk.broker.seal

    async def seal(at, account_id, hold_id):
        return sealed if hold_id == second.id else await original(at, account_id, hold_id)

    desk.broker.seal = seal  # rosa's process sealed before Redis forgot
    return await all_at_once(
        confirm(desk, rolf, first.id, CHOICE, a_key(), now),
        confirm(desk, rosa, second.id, CHOICE, a_key(), now),
    )


async def test_a_seat_that_redis_gave_twice_is_booked_once(
    desk, world, offer, owner, redis_client, now
):
    slot, territory, mine, theirs, older = await two_sealed_holds_of_one_seat(
        desk, world, offer, redis_client
    )

    answers = await both_confirm(desk, redis_client, now, territory, mine, theirs, older)

    assert kinds(answers) == {"Appointment": 1, "SlotTaken": 1}
    assert await booked_seats(owner, slot) == [1]


async def test_the_unique_seat_is_the_last_judge_where_nobody_locks(
    desk, world, offer, owner, redis_client, now, without_row_lock
):
    slot, territory, mine, theirs, older = await two_sealed_holds_of_one_seat(
        desk, world, offer, redis_client
    )

    answers = await both_confirm(desk, redis_client, now, territory, mine, theirs, older)

    assert kinds(answers) == {"Appointment": 1, "SlotTaken": 1}
    assert await booked_seats(owner, slot) == [1]


async def test_control_without_lock_and_unique_seat_the_seat_is_booked_twice(
    desk, world, offer, owner, redis_client, now, without_row_lock
):
    await owner.execute("DROP INDEX appointment_one_per_seat")
    slot, territory, mine, theirs, older = await two_sealed_holds_of_one_seat(
        desk, world, offer, redis_client
    )

    answers = await both_confirm(desk, redis_client, now, territory, mine, theirs, older)

    assert kinds(answers) == {"Appointment": 2}
    assert await booked_seats(owner, slot) == [1, 1]


# Confirm against withdraw: the row lock.


async def confirm_against_withdraw(desk, world, slot, held, now):
    return await all_at_once(
        confirm(desk, world.accounts["rolf"], held.id, CHOICE, a_key(), now),
        offering.withdraw(desk, world.accounts["ann"], slot.id, a_key(), now, cancel_booked=False),
    )


async def test_a_slot_is_never_withdrawn_under_a_booking_that_nobody_cancelled(
    desk, world, offer, hold, owner, owner_url, now, each_way
):
    slot = await offer()
    held = await hold(world.accounts["rolf"], slot)

    async with row_locked(owner_url, slot):
        race = asyncio.ensure_future(confirm_against_withdraw(desk, world, slot, held, now))
        await until_waiting(owner, 2)
    confirmed, withdrawn = await race

    if isinstance(withdrawn, SeatsBooked):
        assert await booked_seats(owner, slot) == [1]
    else:
        assert isinstance(confirmed, SlotWithdrawn)
        assert await booked_seats(owner, slot) == []


async def test_control_without_row_lock_a_booking_stands_in_a_withdrawn_slot(
    desk, world, offer, hold, owner, now, without_row_lock
):
    slot = await offer()
    held = await hold(world.accounts["rolf"], slot)

    await confirm_against_withdraw(desk, world, slot, held, now)

    assert await booked_seats(owner, slot) == [1]
    assert await owner.fetchval("SELECT withdrawn_at FROM slot WHERE id = $1", slot.id)


async def test_control_without_its_version_the_quick_way_books_in_a_withdrawn_slot(
    desk, world, offer, hold, owner, owner_url, now
):
    await a_slot_is_always_as_it_was_seen(owner)
    slot = await offer()
    held = await hold(world.accounts["rolf"], slot)

    async with row_locked(owner_url, slot):
        withdrawing = asyncio.ensure_future(
            offering.withdraw(
                desk, world.accounts["ann"], slot.id, a_key(), now, cancel_booked=False
            )
        )
        await until_waiting(owner, 1)
        confirming = asyncio.ensure_future(
            confirm(desk, world.accounts["rolf"], held.id, CHOICE, a_key(), now)
        )
        await until_waiting(owner, 2)
    await withdrawing
    await confirming

    assert await booked_seats(owner, slot) == [1]
    assert await owner.fetchval("SELECT withdrawn_at FROM slot WHERE id = $1", slot.id)


# Confirm against amend: the terms.


async def amended_behind_a_forgotten_hold(desk, world, slot, held, now):
    """Redis is away while the professional moves the slot by an hour; the hold lives on."""
    later = Amendment(
        starts_at=slot.starts_at + timedelta(hours=1), ends_at=slot.ends_at + timedelta(hours=1)
    )

    async def nobody(*_):
        return False

    desk.broker.is_held = nobody
    territory = desk.territories.by_id[world.hauts]
    await desk.broker.seal(territory, world.accounts["rolf"].id, held.id)
    await offering.amend(desk, world.accounts["ann"], slot.id, later, a_key(), now)


async def test_what_changed_since_the_hold_is_not_confirmed(
    desk, world, offer, hold, owner, now, each_way
):
    slot = await offer()
    held = await hold(world.accounts["rolf"], slot)
    await amended_behind_a_forgotten_hold(desk, world, slot, held, now)

    with pytest.raises(SlotChanged):
        await confirm(desk, world.accounts["rolf"], held.id, CHOICE, a_key(), now)

    assert await booked_seats(owner, slot) == []


async def test_control_without_terms_the_patient_is_booked_at_another_time(
    desk, world, offer, hold, owner, now
):
    await owner.execute(
        """
        CREATE FUNCTION forget_terms() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN NEW.terms = OLD.terms; RETURN NEW; END $$;
        GRANT EXECUTE ON FUNCTION forget_terms TO chrono48_app;
        CREATE TRIGGER forget_terms BEFORE UPDATE ON slot
          FOR EACH ROW EXECUTE FUNCTION forget_terms();
        """
    )
    slot = await offer()
    held = await hold(world.accounts["rolf"], slot)
    await amended_behind_a_forgotten_hold(desk, world, slot, held, now)

    booked = await confirm(desk, world.accounts["rolf"], held.id, CHOICE, a_key(), now)

    assert booked.starts_at == slot.starts_at + timedelta(hours=1)


# Two tabs: one hold, one appointment.


async def two_tabs(desk, world, held, now):
    rolf = world.accounts["rolf"]
    return await all_at_once(
        confirm(desk, rolf, held.id, CHOICE, a_key(), now),
        confirm(desk, rolf, held.id, CHOICE, a_key(), now),
    )


async def test_two_tabs_that_confirm_one_hold_get_one_appointment(
    desk, world, offer, hold, owner, now, each_way
):
    slot = await offer(capacity=2)
    held = await hold(world.accounts["rolf"], slot)

    one, other = await two_tabs(desk, world, held, now)

    assert one == other
    assert await booked_seats(owner, slot) == [1]


async def test_control_without_hold_end_two_tabs_take_two_seats(
    desk, world, offer, hold, owner, owner_url, now
):
    await a_hold_ends_as_often_as_one_likes(owner)
    slot = await offer(capacity=2)
    held = await hold(world.accounts["rolf"], slot)

    async with row_locked(owner_url, slot):
        race = asyncio.ensure_future(two_tabs(desk, world, held, now))
        await until_waiting(owner, 2)
    await race

    assert await booked_seats(owner, slot) == [1, 2]


# Two seats of a plage, confirmed in reverse order.


async def test_two_seats_of_a_plage_confirmed_in_reverse_order_are_both_booked(
    desk, world, offer, hold, owner, owner_url, now, each_way
):
    rolf = world.accounts["rolf"]
    slot = await offer(capacity=2)
    mother, child = await hold(rolf, slot), await hold(rolf, slot)

    async with row_locked(owner_url, slot):
        race = asyncio.ensure_future(
            all_at_once(
                confirm(desk, rolf, child.id, CHOICE, a_key(), now),
                confirm(desk, rolf, mother.id, CHOICE, a_key(), now),
            )
        )
        await until_waiting(owner, 2)

    assert kinds(await race) == {"Appointment": 2}
    assert await booked_seats(owner, slot) == [1, 2]


async def test_moves_that_cross_do_not_deadlock(desk, world, offer, hold, book, now):
    rolf, rosa = world.accounts["rolf"], world.accounts["rosa"]
    here, there = await offer(capacity=2), await offer("bob", capacity=2)
    mine, theirs = await book(rolf, here), await book(rosa, there)
    to_there, to_here = await hold(rolf, there), await hold(rosa, here)

    answers = await all_at_once(
        appointments.move(desk, rolf, mine.id, to_there.id, a_key(), now),
        appointments.move(desk, rosa, theirs.id, to_here.id, a_key(), now),
    )

    assert kinds(answers) == {"Appointment": 2}


# A confirmer that freezes between seal and commit, and wakes after its revocation.


async def frozen_confirmer(desk, world, slot, held, owner, owner_url, now):
    territory = desk.territories.by_id[world.hauts]
    rolf = world.accounts["rolf"]
    async with row_locked(owner_url, slot):
        frozen = asyncio.ensure_future(confirm(desk, rolf, held.id, CHOICE, a_key(), now))
        await until_waiting(owner, 1)
        await owner.execute(
            "INSERT INTO hold_end (hold_id, territory_id) VALUES ($1, $2)", held.id, world.hauts
        )
        await desk.broker.unseal(territory, slot.id, held.id, "slot.revoked")
        next_in_line = await holding.hold(desk, world.accounts["rosa"], slot.id, a_key(), now)
        assert isinstance(next_in_line, Hold)
    return await frozen


async def test_a_confirmer_that_wakes_after_its_revocation_changes_nothing(
    desk, world, offer, hold, owner, owner_url, now, each_way
):
    slot = await offer()
    held = await hold(world.accounts["rolf"], slot)

    with pytest.raises(HoldExpired):
        await frozen_confirmer(desk, world, slot, held, owner, owner_url, now)

    assert await booked_seats(owner, slot) == []


async def test_control_without_hold_end_the_revoked_confirmer_takes_the_seat_of_the_next(
    desk, world, offer, hold, owner, owner_url, now
):
    await a_hold_ends_as_often_as_one_likes(owner)
    slot = await offer()
    held = await hold(world.accounts["rolf"], slot)

    woken = await frozen_confirmer(desk, world, slot, held, owner, owner_url, now)

    assert woken.seat == 1  # which rosa was told is hers


# The same key, in flight and after a lost reply.


async def offer_twice(desk, world, keys, now):
    at = now + timedelta(hours=2)
    # Remote: nothing but the key keeps two of the same apart.
    remote = OfferedSlot(world.schedules["ann"], at, at + timedelta(minutes=20), modality="VR")
    return await all_at_once(
        *(offering.offer(desk, world.accounts["ann"], [remote], key, now) for key in keys)
    )


async def test_the_same_key_in_flight_has_one_effect_and_one_answer(desk, world, owner, now):
    key = a_key()

    one, other = await offer_twice(desk, world, [key, key], now)

    assert [slot.id for slot in one] == [slot.id for slot in other]
    assert await owner.fetchval("SELECT count(*) FROM slot") == 1


async def test_control_with_two_keys_the_same_offer_is_made_twice(desk, world, owner, now):
    await offer_twice(desk, world, [a_key(), a_key()], now)

    assert await owner.fetchval("SELECT count(*) FROM slot") == 2


async def test_a_commit_whose_answer_was_lost_is_found_again_by_its_key(
    desk, world, offer, hold, owner, now, monkeypatch, each_way
):
    slot = await offer()
    rolf, key = world.accounts["rolf"], a_key()
    held = await hold(rolf, slot)

    def losing_the_answer(method):
        async def ask(conn, query, *args, **options):
            answer = await method(conn, query, *args, **options)
            commits = query == "COMMIT" or "book_unchanged" in query
            if commits and await owner.fetchval("SELECT count(*) FROM appointment"):
                raise asyncpg.ConnectionDoesNotExistError
            return answer

        return ask

    with monkeypatch.context() as lossy:
        for name in ("execute", "fetchrow"):
            lossy.setattr(
                asyncpg.Connection, name, losing_the_answer(getattr(asyncpg.Connection, name))
            )
        with pytest.raises(OutcomeUnknown):
            await confirm(desk, rolf, held.id, CHOICE, key, now)

    found = await confirm(desk, rolf, held.id, CHOICE, key, now)
    assert found.slot_id == slot.id
    assert await booked_seats(owner, slot) == [1]


async def test_a_daily_cap_holds_against_two_who_book_different_slots(
    desk, world, offer, hold, owner, now
):
    await owner.execute("UPDATE schedule SET daily_cap = 1 WHERE id = $1", world.schedules["ann"])
    rolf, rosa = world.accounts["rolf"], world.accounts["rosa"]
    # The cap counts by France's days: both slots are on one, however late it is now.
    noon = from_paris(now.astimezone(PARIS).date() + timedelta(days=1), time(12)) - now
    one = await hold(rolf, await offer(after=noon))
    other = await hold(rosa, await offer(after=noon + timedelta(minutes=21)))

    answers = await all_at_once(
        confirm(desk, rolf, one.id, CHOICE, a_key(), now),
        confirm(desk, rosa, other.id, CHOICE, a_key(), now),
    )

    assert kinds(answers) == {"Appointment": 1, "DailyCap": 1}


async def test_concurrent_identical_offers_overlap_and_do_not_deadlock(desk, world, owner, now):
    at = now + timedelta(hours=2)
    same = OfferedSlot(world.schedules["ann"], at, at + timedelta(minutes=20))

    answers = await all_at_once(
        *(offering.offer(desk, world.accounts["ann"], [same], a_key(), now) for _ in range(20))
    )

    assert sum(isinstance(answer, list) for answer in answers) == 1
    assert sum(isinstance(answer, offering.SlotOverlap) for answer in answers) == 19
    assert await owner.fetchval("SELECT count(*) FROM slot") == 1
