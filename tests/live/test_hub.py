import asyncio
import gc

import pytest

from slots import keys
from slots.audience import Role
from slots.errors import BrokerUnavailable, Rebuilding
from tests.live.making import ALIVE, HAUTS, THAU, make_account
from tests.live.waiting import soon, until
from web.live.connection import Connection
from web.live.session import Session
from web.live.wire import AsgiWire


class Ear:
    """A listener that remembers what it was told."""

    def __init__(self):
        self.told = asyncio.Queue()

    def changed(self, feed, change):
        self.told.put_nowait((change.event.type, change.event.slot_id, change.event.at))

    def renewed(self, feed):
        self.told.put_nowait(("renewed", None, feed.at))

    def recovered(self, feed):
        pass

    async def next(self):
        return await soon(self.told.get())


@pytest.fixture
async def ear(hub):
    ear = Ear()
    for territory in (HAUTS, THAU):
        await soon(hub.follow(territory.id))
        hub.listen(territory.id, ear)
    return ear


def in_trouble(hub, error):
    return isinstance(hub._followers[HAUTS.partition].trouble(HAUTS.id), error)


async def test_a_board_begins_with_what_is_there(hub, ledger):
    slot = await ledger.offer()

    board = await soon(hub.board(HAUTS.id))

    assert board.slots.keys() == board.raw.keys() == {slot.id}
    assert board.at == await ledger.broker.position(HAUTS)
    assert board.age_s < 5


async def test_a_board_follows_what_happens(hub, ledger, ear):
    slot = await ledger.offer()

    assert (await ear.next())[:2] == ("slot.offered", slot.id)
    assert (await hub.board(HAUTS.id)).slots.keys() == {slot.id}


async def test_each_territory_has_its_own_log(hub, ledger, ear):
    await ledger.offer(THAU)
    await ear.next()

    assert (await hub.board(HAUTS.id)).slots == {}
    assert len((await hub.board(THAU.id)).slots) == 1


async def test_a_territory_that_is_followed_later_gets_its_events_too(hub, ledger):
    early, late = Ear(), Ear()
    await soon(hub.follow(HAUTS.id))
    hub.listen(HAUTS.id, early)
    await ledger.offer(HAUTS)
    await early.next()

    await soon(hub.follow(THAU.id))
    hub.listen(THAU.id, late)
    slot = await ledger.offer(THAU)

    assert (await late.next())[1] == slot.id


async def test_all_listeners_hear_the_same_in_the_same_order(hub, ledger, ear):
    other = Ear()
    hub.listen(HAUTS.id, other)

    await asyncio.gather(*(ledger.offer() for _ in range(20)))

    heard = [await ear.next() for _ in range(20)]
    assert heard == [await other.next() for _ in range(20)]
    assert heard[-1][2] == (await hub.board(HAUTS.id)).at


async def test_who_has_left_is_told_nothing(hub, ledger):
    stays, leaves = (
        Connection(Session(make_account(Role.REGULATOR)), b"session", ALIVE, AsgiWire())
        for _ in range(2)
    )
    feed = await soon(hub.follow(HAUTS.id))
    for connection in (stays, leaves):
        hub.join(HAUTS.id, connection)
        connection.session.take_up(feed, None, is_current=True)
    hub.part(leaves)

    await ledger.offer()

    assert len((await soon(stays.wire.next())).texts) == 1
    assert not leaves.wire._backlog


async def test_a_hub_that_starts_can_resume_who_was_connected_to_another(hub, ledger):
    await ledger.offer()
    stood_at = await ledger.broker.position(HAUTS)
    missed = await ledger.offer()

    feed = await soon(hub.follow(HAUTS.id))

    changes = feed.since(stood_at)
    assert changes is not None
    assert [change.event.slot_id for change in changes] == [missed.id]


async def test_a_lost_last_event_is_noticed_though_nothing_follows_it(hub, ledger, ear):
    await ledger.offer()
    _, _, at = await ear.next()
    # What a failover leaves behind: the state moved on, the entry is not in the log.
    lost = f"{at.partition('.')[2].partition('-')[0]}-77"
    await ledger.broker.redis.hset(keys.named(HAUTS, "meta"), "last", lost)

    assert (await ear.next())[0] == "renewed"
    assert (await hub.board(HAUTS.id)).at == f"{ledger.generation}.{lost}"


async def test_a_hole_in_the_log_is_never_shown_and_told_to_the_log(hub, ledger, ear, caplog):
    await ledger.offer()
    await ear.next()
    lost = {"generation": ledger.generation, "type": "slot.held", "prev": "9-9"}
    entry = {**lost, "slot_id": "", "live": "0", "slot": ""}
    await ledger.broker.redis.xadd(keys.named(HAUTS, "log"), entry)
    slot = await ledger.offer()

    assert (await ear.next())[0] == "renewed"
    assert "live.renewed territory=" in caplog.text
    assert slot.id in (await hub.board(HAUTS.id)).slots


async def test_what_a_server_that_was_replaced_remembers_is_not_taken_for_true(hub, ledger, ear):
    """It may stand where the hub stands and miss all that the ledger does until it is rebuilt."""
    await ledger.offer()
    await ear.next()
    await ledger.broker.redis.hset(keys.named(HAUTS, "meta"), "replid", "0" * 40)

    await until(lambda: in_trouble(hub, Rebuilding))
    with pytest.raises(Rebuilding):
        await hub.board(HAUTS.id)


async def test_a_rebuild_starts_every_listener_anew(hub, ledger, ear):
    await ledger.offer()
    await ear.next()

    await ledger.rebuild(HAUTS)

    kind, _, at = await ear.next()
    assert kind == "renewed"
    assert at.startswith("2.")
    assert (await hub.board(HAUTS.id)).slots == {}


async def test_without_redis_the_board_refuses_and_says_how_old_it_is(hub, ledger, ear, own_valkey):
    await ledger.offer()
    await ear.next()

    own_valkey.process.stop()

    await until(lambda: in_trouble(hub, BrokerUnavailable))
    with pytest.raises(BrokerUnavailable):
        await hub.board(HAUTS.id)
    await until(lambda: hub.age_s(HAUTS.id) > 2)
    assert len((await hub.follow(HAUTS.id)).slots) == 1


async def test_after_a_restart_of_redis_all_is_well_again(hub, ledger, ear, own_valkey):
    await ledger.offer()
    await ear.next()
    own_valkey.process.stop()
    await own_valkey.start()
    await until(lambda: in_trouble(hub, Rebuilding))

    await ledger.rebuild()

    kind, _, at = await ear.next()
    assert kind == "renewed"
    assert at.startswith("2.")
    await until(lambda: not in_trouble(hub, Exception))
    await ear.next()  # the other territory
    slot = await ledger.offer()
    assert (await ear.next())[1] == slot.id
    assert hub.age_s(HAUTS.id) < 5


async def test_a_frozen_redis_makes_the_boards_age_and_thaws_without_a_loss(
    hub, ledger, ear, own_valkey
):
    own_valkey.process.freeze()
    try:
        await until(lambda: in_trouble(hub, BrokerUnavailable))
        age_s = hub.age_s(HAUTS.id)
        assert age_s > 1
    finally:
        own_valkey.process.thaw()

    slot = await ledger.offer()
    assert (await ear.next())[1] == slot.id
    await until(lambda: not in_trouble(hub, Exception))


async def test_a_hub_may_start_before_redis(make_hub, own_valkey, ledger):
    own_valkey.process.stop()
    hub, ear = make_hub(), Ear()
    feed = await soon(hub.follow(HAUTS.id))
    hub.listen(HAUTS.id, ear)
    with pytest.raises(BrokerUnavailable):
        await hub.board(HAUTS.id)
    assert feed.at is None

    await own_valkey.start()
    await ledger.rebuild()

    assert (await ear.next())[0] == "renewed"
    assert (await hub.board(HAUTS.id)).slots == {}
    await hub.close()


async def test_many_who_ask_at_once_cost_one_look(hub, ledger):
    boards = await soon(asyncio.gather(*(hub.board(HAUTS.id) for _ in range(50))))

    assert len({id(board.slots) for board in boards}) == 1


async def one_pass():
    """The event loop goes round once."""
    gone_round = asyncio.Event()
    asyncio.get_running_loop().call_soon(gone_round.set)
    await gone_round.wait()


# The client of Redis (5.3.1) leaves the connection open of which it has swallowed the cancellation.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_follower_ends_whenever_it_is_cancelled_though_its_client_may_swallow_that(
    make_hub, ledger
):
    for passes in range(12):  # of the event loop: sooner or later in each of its waits
        hub = make_hub()
        await soon(hub.follow(HAUTS.id))
        tasks = hub._followers[HAUTS.partition]._tasks
        hub._followers[HAUTS.partition]._look_now.set()
        for _ in range(passes):
            await one_pass()
        for task in tasks:
            task.cancel()
        _, still_running = await asyncio.wait(tasks, timeout=3)
        await hub.close()
        assert not still_running, f"cancelled after {passes} passes"
    gc.collect()
