import asyncio

import pytest

from slots.booking import appointments, confirming, offering
from slots.document import decode_slot
from slots.errors import BrokerUnavailable, HoldExpired, SlotWithdrawn
from slots.reconcile.revoke import revoke
from slots.store.booking import HoldEnd
from tests.booking.conftest import CHOICE, a_key
from tests.waiting import until

GATE = 48  # an advisory lock of this file


@pytest.fixture
def rolf(world):
    return world.accounts["rolf"]


async def test_the_seat_of_a_dead_confirmer_returns(desk, board, rolf, offer, hold, owner):
    slot = await offer()
    held = await hold(rolf, slot)
    await desk.broker.seal(board.territory, rolf.id, held.id)
    board.after_the_seal()

    assert await revoke(desk, board.territory) == 1

    assert (await board.slot(slot.id)).status == "free"
    assert (await board.told())[-1] == "slot.revoked"
    audited = await owner.fetchrow("SELECT * FROM audit WHERE subject_id = $1", held.id)
    assert (audited["verb"], audited["account_id"]) == ("revoke", None)
    assert await revoke(desk, board.territory) == 0


async def test_who_dies_after_revoking_leaves_one_trace_and_the_next_one_frees_the_seat(
    desk, board, rolf, offer, hold, owner, monkeypatch
):
    slot = await offer()
    held = await hold(rolf, slot)
    await desk.broker.seal(board.territory, rolf.id, held.id)
    board.after_the_seal()
    with monkeypatch.context() as dying:

        async def die(*_) -> None:
            raise BrokerUnavailable

        dying.setattr(desk.broker, "unseal", die)
        with pytest.raises(BrokerUnavailable):
            await revoke(desk, board.territory)

    assert await revoke(desk, board.territory) == 1

    assert (await board.slot(slot.id)).status == "free"
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE subject_id = $1", held.id) == 1


async def test_a_seal_that_is_young_is_left_to_its_confirmer(desk, board, rolf, offer, hold):
    slot = await offer()
    held = await hold(rolf, slot)
    await desk.broker.seal(board.territory, rolf.id, held.id)

    assert await revoke(desk, board.territory) == 0

    assert (await board.slot(slot.id)).status == "busy-tentative"


async def test_the_seat_of_a_slot_that_was_withdrawn_meanwhile_never_shows_as_free(
    desk, board, world, rolf, deaf, offer, hold, now
):
    slot = await offer()
    held = await hold(rolf, slot)
    with deaf():
        ann = world.accounts["ann"]
        await offering.withdraw(desk, ann, slot.id, a_key(), now, cancel_booked=False)
    before = len(await board.told())

    with pytest.raises(SlotWithdrawn):
        await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)

    entries = await desk.broker.redis.xrange(board.key("log"))
    told = [decode_slot(fields[b"slot"]).status for _, fields in entries[before:]]
    assert told[-1] == "busy-unavailable"
    assert "free" not in told


@pytest.fixture
def frozen_after_sealing(desk, board, monkeypatch):
    """Every confirmer sleeps between its seal and its commit until it has been revoked."""
    sealed = desk.broker.seal

    async def seal_and_freeze(*arguments):
        answer = await sealed(*arguments)
        board.after_the_seal()
        assert await revoke(desk, board.territory) == 1
        return answer

    monkeypatch.setattr(desk.broker, "seal", seal_and_freeze)


async def test_a_confirmer_that_wakes_after_its_revocation_changes_nothing(
    desk, board, rolf, offer, hold, now, frozen_after_sealing
):
    slot = await offer()
    held = await hold(rolf, slot)

    with pytest.raises(HoldExpired):
        await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)

    assert (await board.slot(slot.id)).status == "free"


async def test_without_the_row_of_hold_end_it_would_book_a_seat_that_was_given_back(
    desk, rolf, offer, hold, now, frozen_after_sealing, monkeypatch
):
    """The control run of the test above: its guard is off."""

    async def revoke_without_a_row(conn, hold_id, territory_id) -> HoldEnd:
        return HoldEnd(hold_id, None)

    monkeypatch.setattr("slots.reconcile.revoke.revoke_hold", revoke_without_a_row)
    held = await hold(rolf, await offer())

    assert (await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)).seat == 1


async def test_a_confirmer_that_committed_and_died_is_confirmed(
    desk, board, rolf, deaf, offer, book
):
    slot = await offer()
    with deaf():
        await book(rolf, slot)
    board.after_the_seal()

    assert await revoke(desk, board.territory) == 1

    seen = await board.slot(slot.id)
    assert (seen.status, seen.booked, seen.held) == ("busy", 1, 0)
    assert (await board.told())[-1] == "slot.confirmed"


async def test_a_booking_cancelled_before_the_broker_heard_of_it_frees_the_seat(
    desk, board, rolf, deaf, offer, book, now
):
    slot = await offer()
    with deaf():
        booked = await book(rolf, slot)
        await appointments.cancel(desk, rolf, booked.id, a_key(), now)
    board.after_the_seal()

    assert await revoke(desk, board.territory) == 1

    seen = await board.slot(slot.id)
    assert (seen.status, seen.booked, seen.held) == ("free", 0, 0)
    assert await revoke(desk, board.territory) == 0


async def test_the_revocation_waits_for_a_confirmation_that_is_being_committed(
    desk, board, rolf, offer, hold, owner, now
):
    slot = await offer()
    held = await hold(rolf, slot)

    async def waiting() -> int:
        return await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")

    await owner.execute(
        f"""
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NEW; END $$;
        GRANT EXECUTE ON FUNCTION wait TO chrono48_app;
        CREATE TRIGGER wait AFTER INSERT ON hold_end FOR EACH ROW WHEN (NEW.appointment_id IS NOT NULL)
          EXECUTE FUNCTION wait();
        SELECT pg_advisory_lock({GATE});
        """
    )
    confirming_it = asyncio.create_task(
        confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)
    )
    await until(waiting)  # everything is written, and nothing is committed
    board.after_the_seal()
    revoking_it = asyncio.create_task(revoke(desk, board.territory))

    async def both_are_waiting() -> bool:
        return await waiting() == 2

    await until(both_are_waiting)
    await owner.execute(f"SELECT pg_advisory_unlock({GATE})")

    assert (await confirming_it).seat == 1
    assert await revoking_it == 1
    assert (await board.slot(slot.id)).status == "busy"
