"""Each guard alone, under the fault that it stops: the history is explained with it, and not without."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from slots.reconcile.rebuild import rebuild
from slots.slot import SEAL_FOR
from slots.store.slot import slots_by_id
from slots.transaction import entered
from tests.booking.test_races import (
    WITHIN_S,
    a_hold_ends_as_often_as_one_likes,
    row_locked,
    until_waiting,
)
from tests.proof.guards import without
from tests.proof.history import Loss
from tests.proof.witness import Witness

PAST_THE_DEADLINE = timedelta(minutes=3, seconds=1)


@pytest.fixture
async def witness(desk, world, offer) -> Witness:
    return Witness(desk, world, await offer())


@pytest.fixture(params=[True, False], ids=["guarded", "control"])
def guarded(request) -> bool:
    return request.param


def judged(witness: Witness, *, guarded: bool) -> None:
    found = witness.verdict()
    assert (found is None) == guarded, found or "\n".join(map(str, witness.told))


async def until_sealed(witness, redis_client):
    """The confirmer has its seal, and goes on to the ledger."""
    async with asyncio.timeout(WITHIN_S):
        while not await redis_client.zcard(f"{{p0}}:{witness.territory.id}:seals"):
            pass


async def test_unique_seat_redis_forgets_between_two_holds_and_nobody_locks(
    witness, redis_client, owner, without_row_lock, guarded
):
    if not guarded:
        await owner.execute("DROP INDEX appointment_one_per_seat")
    first = await witness.hold("rolf")
    confirming = asyncio.ensure_future(witness.confirm("rolf", first))
    await until_sealed(witness, redis_client)
    since = witness.instant()
    await redis_client.flushall()
    await rebuild(witness.desk, witness.territory, "test", datetime.now(UTC))
    witness.losses.append(Loss(since, witness.instant()))

    second = await witness.hold("rosa")
    await asyncio.wait_for(asyncio.gather(confirming, witness.confirm("rosa", second)), WITHIN_S)

    judged(witness, guarded=guarded)


async def test_hold_end_a_confirmer_wakes_after_its_revocation(
    witness, world, owner, owner_url, guarded
):
    if not guarded:
        await a_hold_ends_as_often_as_one_likes(owner)
    first = await witness.hold("rolf")
    async with row_locked(owner_url, witness.slot):
        frozen = asyncio.ensure_future(witness.confirm("rolf", first))
        await until_waiting(owner, 1)
        witness.pass_time(SEAL_FOR)
        await owner.execute(
            "INSERT INTO hold_end (hold_id, territory_id) VALUES ($1, $2)", first.id, world.hauts
        )
        await witness.desk.broker.unseal(
            witness.territory, witness.slot_id, first.id, "slot.revoked"
        )
        second = await witness.hold("rosa")
    await asyncio.wait_for(frozen, WITHIN_S)
    await witness.confirm("rosa", second)

    judged(witness, guarded=guarded)


async def test_seal_a_confirmer_wakes_after_its_deadline(
    witness, owner, owner_url, monkeypatch, guarded
):
    if not guarded:
        line = "if not hold.sealed and (sooner or tie) then"
        without(monkeypatch, "_common", (line, "if sooner or tie then"))
    first = await witness.hold("rolf")
    async with row_locked(owner_url, witness.slot):
        frozen = asyncio.ensure_future(witness.confirm("rolf", first))
        await until_waiting(owner, 1)
        witness.pass_time(PAST_THE_DEADLINE)
        await witness.hold("rosa")
    await asyncio.wait_for(frozen, WITHIN_S)

    judged(witness, guarded=guarded)


async def test_row_lock_a_confirm_against_a_withdrawal(witness, owner, owner_url, request, guarded):
    held = await witness.hold("rolf")
    if guarded:
        async with row_locked(owner_url, witness.slot):
            race = asyncio.gather(witness.confirm("rolf", held), witness.withdraw())
            await until_waiting(owner, 2)
    else:
        request.getfixturevalue("without_row_lock")
        race = asyncio.gather(witness.confirm("rolf", held), witness.withdraw())
    await asyncio.wait_for(race, WITHIN_S)

    judged(witness, guarded=guarded)


async def test_versioned_put_somebody_applies_what_was(witness, monkeypatch, guarded):
    if not guarded:
        line = "if is_known and version < state.version then return { 'stale' } end"
        without(monkeypatch, "put", line)
    desk, territory = witness.desk, witness.territory
    async with entered(desk.pool, None, [territory.id]) as conn:
        before = (await slots_by_id(conn, [witness.slot_id]))[witness.slot_id]
    await witness.confirm("rolf", await witness.hold("rolf"))
    await witness.look()

    generation = await desk.broker.generation(territory)
    await desk.broker.put(
        territory, before, "slot.offered", generation=generation, horizon=desk.horizon
    )
    await witness.hold("rosa")

    judged(witness, guarded=guarded)


async def test_atomic_script_two_look_before_either_takes(witness, monkeypatch, guarded):
    if not guarded:
        look = "if booked + held >= state.capacity then return { 'taken' } end"
        without(monkeypatch, "hold", look, ("while taken[seat] or", "while"))
        both_have_looked = asyncio.Barrier(2)
        original = witness.desk.broker.hold

        async def look_then_take(*arguments):
            await witness.desk.broker.snapshot(witness.territory)
            await both_have_looked.wait()
            return await original(*arguments)

        monkeypatch.setattr(witness.desk.broker, "hold", look_then_take)
    await asyncio.wait_for(asyncio.gather(witness.hold("rolf"), witness.hold("rosa")), WITHIN_S)

    judged(witness, guarded=guarded)
