"""A worker copies holds from the log into the audit: who, what and when, once, and never in silence not."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from slots import keys
from slots.booking import holding
from slots.reconcile.chain import chain
from slots.reconcile.copy_holds import COPIED_MAX, copied_places, copy_holds
from tests.booking.conftest import LEASE, a_key
from workers.audit import verify

SOON = timedelta(seconds=5)


@pytest.fixture
def territory(desk, world):
    return desk.territories.by_id[world.hauts]


async def copies(desk, territory) -> int:
    places = await copied_places(desk, desk.territories.by_id)
    return await copy_holds(desk, territory, places.get(territory.id))


async def audited(owner, territory):
    rows = await owner.fetch(
        "SELECT verb, account_id, subject_id, at FROM audit"
        " WHERE territory_id = $1 AND subject = 'hold' ORDER BY id",
        territory.id,
    )
    return [(row["verb"], row["account_id"], row["subject_id"]) for row in rows]


async def gaps(owner) -> int:
    return await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'gap'")


async def test_the_audit_says_who_held_kept_and_gave_back(
    desk, territory, world, offer, hold, now, owner
):
    rolf, slot = world.accounts["rolf"], await offer()
    held = await hold(rolf, slot)
    await holding.renew(desk, rolf, held.id, a_key(), now)
    await holding.release(desk, rolf, held.id, now)

    assert await copies(desk, territory) == 3

    assert await audited(owner, territory) == [
        (verb, rolf.id, held.id) for verb in ("hold", "renew", "release")
    ]
    at = await owner.fetchval("SELECT min(at) FROM audit WHERE subject = 'hold'")
    assert abs(datetime.now(UTC) - at) < SOON
    assert await gaps(owner) == 0


async def test_a_hold_that_runs_out_is_its_holders(desk, territory, world, offer, hold, owner):
    rosa = world.accounts["rosa"]
    held = await hold(rosa, await offer())
    desk.broker.clock_ms = str(int((held.expires_at + SOON).timestamp() * 1000))
    await desk.broker.due(territory)

    await copies(desk, territory)

    assert await audited(owner, territory) == [
        ("hold", rosa.id, held.id),
        ("expire", rosa.id, held.id),
    ]


async def test_each_hold_is_copied_once_however_many_workers_there_are(
    desk, territory, world, offer, hold, owner
):
    slot = await offer(capacity=4)
    for name in ("rolf", "rosa", "emma"):
        await hold(world.accounts[name], slot)

    counts = await asyncio.gather(*(copies(desk, territory) for _ in range(4)))

    assert sum(counts) == 3
    assert len(await audited(owner, territory)) == 3
    assert await copies(desk, territory) == 0


async def test_what_one_round_leaves_the_next_one_takes(
    desk, territory, world, offer, hold, now, owner
):
    rolf, slot = world.accounts["rolf"], await offer()
    rounds = COPIED_MAX // 2
    for _ in range(rounds):
        await holding.release(desk, rolf, (await hold(rolf, slot)).id, now)

    while await copies(desk, territory):
        pass

    assert len(await audited(owner, territory)) == 2 * rounds
    assert await gaps(owner) == 0


async def test_holds_that_were_trimmed_or_forgotten_leave_a_row_that_says_so(
    desk, territory, world, offer, hold, now, owner
):
    rolf, slot = world.accounts["rolf"], await offer(capacity=5)
    await hold(rolf, slot)
    await copies(desk, territory)
    await hold(rolf, slot)
    await hold(rolf, slot)
    await desk.broker.redis.xtrim(keys.named(territory, "log"), maxlen=1, approximate=False)

    await copies(desk, territory)
    assert (len(await audited(owner, territory)), await gaps(owner)) == (2, 1)

    await desk.broker.begin(territory, 2, "test", LEASE)
    await desk.broker.ready(territory, 2, "test")
    await copies(desk, territory)
    assert (len(await audited(owner, territory)), await gaps(owner)) == (2, 2)


async def test_the_copies_are_chained_with_all_else(desk, territory, world, offer, hold):
    await hold(world.accounts["rolf"], await offer())
    await copies(desk, territory)
    await chain(desk, territory.id)

    verdict = await verify(desk, territory.id)
    assert (verdict.found, verdict.waiting) == (None, 0)
    assert verdict.head.position == 2  # the offer, and the hold


async def test_screens_are_not_told_whose_hold_it_was(desk, territory, world, offer, hold):
    rolf = world.accounts["rolf"]
    await hold(rolf, await offer())

    ((_, fields),) = await desk.broker.redis.xrevrange(keys.named(territory, "log"), count=1)
    assert fields[b"account_id"].decode() == str(rolf.id)
    assert str(rolf.id).encode() not in fields[b"slot"]
