"""Workers anywhere, any number: each duty is done once, or twice without harm."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from slots.desk import close_desk, open_desk
from slots.reconcile.mend import mend
from slots.reconcile.rebuild import rebuild_if_lost
from slots.reconcile.relay import RELAY_AFTER, relay
from slots.reconcile.revoke import revoke
from slots.reconcile.sweep import sweep
from slots.slot import HOLD_FOR
from tests.waiting import until
from tests.workers.conftest import Board
from tests.workers.smtp_sink import SmtpSink

WORKERS = 3
MAILS = 60
FLUSHES = 3


@pytest.fixture
async def desks(desk, settings):
    """The desks of three workers; the first is the one that the others of a test use."""
    others = [await open_desk(settings) for _ in range(WORKERS - 1)]
    yield [desk, *others]
    for other in others:
        await close_desk(other)


def later(desks, board: Board, span: timedelta) -> None:
    board.later(span)
    for each in desks:
        each.broker.clock_ms = board.desk.broker.clock_ms


async def all_at_once(desks, duty):
    """What each of the workers says of one round that all of them begin together."""
    return await asyncio.gather(*(duty(each, number) for number, each in enumerate(desks)))


async def test_what_time_changed_is_told_once(desks, world, board, offer, hold):
    for number, name in enumerate(("rolf", "rosa", "emma")):
        await hold(world.accounts[name], await offer(after=timedelta(hours=2 + number)))
    later(desks, board, HOLD_FOR + timedelta(seconds=1))

    counts = await all_at_once(desks, lambda each, _: sweep(each, board.territory))

    assert sum(counts) == 3
    assert (await board.told()).count("slot.expired") == 3


async def test_what_dead_requests_left_is_told_once(desks, board, offer, deaf):
    with deaf():
        for number in range(12):
            await offer(after=timedelta(hours=2 + number))
    assert await board.slots() == {}
    # From when they died, and not from when the test began: a second may have passed since.
    due_at = datetime.now(UTC) + RELAY_AFTER

    counts = await all_at_once(desks, lambda each, _: relay(each, board.territory, due_at))

    assert sum(counts) == 12
    assert (await board.told()).count("slot.offered") == 12


async def test_a_dead_confirmers_seal_ends_once(
    desks,
    world,
    board,
    offer,
    hold,
    owner,
):
    slot = await offer()
    held = await hold(world.accounts["rolf"], slot)
    await board.desk.broker.seal(board.territory, world.accounts["rolf"].id, held.id)
    later(desks, board, timedelta(minutes=1))

    await all_at_once(desks, lambda each, _: revoke(each, board.territory))

    assert await owner.fetchval("SELECT count(*) FROM hold_end") == 1
    assert (await board.slot(slot.id)).status == "free"
    assert (await board.told()).count("slot.revoked") == 1


async def test_what_differs_is_mended_once(desks, board, offer, redis_client, now):
    slot = await offer()
    await redis_client.hset(board.key("docs"), str(slot.id), b'{"id":"another"')
    told = len(await board.told())

    await all_at_once(desks, lambda each, number: mend(each, board.territory, f"w{number}", now))

    assert len(await board.told()) == told + 1
    assert (await board.slot(slot.id)).id == slot.id


async def test_one_worker_rebuilds_and_the_others_leave_it_alone(
    desks,
    board,
    offer,
    redis_client,
    now,
):
    for number in range(20):
        await offer(after=timedelta(hours=2 + number))
    await redis_client.flushall()

    counts = await all_at_once(
        desks, lambda each, number: rebuild_if_lost(each, board.territory, f"w{number}", now)
    )

    assert sorted(counts) == [0, 0, 20]
    assert await board.told() == ["log.started"]


async def test_a_worker_that_comes_a_moment_late_does_not_rebuild_again(
    desks,
    board,
    offer,
    redis_client,
    now,
    monkeypatch,
):
    """It looked while Redis was empty; before it begins, another one has rebuilt everything."""
    await offer()
    await redis_client.flushall()
    assert await rebuild_if_lost(desks[0], board.territory, "in-time", now) == 1
    position = await desks[0].broker.position(board.territory)

    async def saw_nothing(territory) -> bool:
        return False

    monkeypatch.setattr(desks[1].broker, "is_trusted", saw_nothing)

    assert await rebuild_if_lost(desks[1], board.territory, "late", now) == 0
    assert await desks[1].broker.position(board.territory) == position


@pytest.mark.prove
async def test_three_workers_send_each_mail_once_and_rebuild_once(
    world, fleet, owner, redis_client, tmp_path
):
    """Real processes, told of nothing but PostgreSQL, Redis and the mail server."""
    async with SmtpSink.listening() as sink:
        await owner.executemany(
            "INSERT INTO mail (id, territory_id, recipient, subject, body)"
            " VALUES ($1, $2, 'rolf@example.test', 'Rendez-vous', 'À 17 h 30')",
            [(uuid4(), world.hauts) for _ in range(MAILS)],
        )
        fleet.start_web()
        workers = [
            fleet.start_worker(
                smtp_url=f"smtp://127.0.0.1:{sink.port}", data_dir=tmp_path / f"elsewhere-{number}"
            )
            for number in range(WORKERS)
        ]
        await fleet.ready()
        for _ in range(FLUSHES):
            await redis_client.flushall()
            await fleet.ready()
        await until(lambda: is_true(len(sink.received) >= MAILS))
        await until(lambda: all_sent(owner))

    ids = Counter(
        data.partition(b"Message-ID: ")[2].partition(b"\r\n")[0] for _, data in sink.received
    )
    assert (len(ids), set(ids.values())) == (MAILS, {1})
    rebuilt = Counter(
        line["territory"]
        for worker in workers
        for line in map(msgspec.json.decode, fleet.log_of(worker).splitlines())
        if line["event"] == "rebuild.ready"
    )
    # The first time, and once after each flush.
    assert rebuilt == dict.fromkeys(("hauts-cantons-et-vignobles", "bassin-de-thau"), 1 + FLUSHES)


async def is_true(answer: bool) -> bool:
    return answer


async def all_sent(owner) -> bool:
    return not await owner.fetchval("SELECT count(*) FROM mail WHERE sent_at IS NULL")
