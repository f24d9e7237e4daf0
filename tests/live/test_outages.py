"""What open sockets see of a Redis or a process that goes, and of a ledger that is away."""

from dataclasses import replace

import pytest

from slots.database import create_pool
from slots.errors import LedgerUnavailable
from tests.live.making import ALIVE, HAUTS, make_account
from tests.live.test_hub import in_trouble
from tests.live.viewer import HAUTS as HAUTS_SLUG
from tests.live.waiting import soon, until
from tests.world import HAUTS as HAUTS_ID
from web.live import presence as presence_module
from web.live.connection import Connection
from web.live.presence import Presence
from web.live.session import Session
from web.live.wire import AsgiWire

# A probe a second, which gives up after 2.5 s; and a breath.
REDIS_IS_GIVEN_UP_AFTER_S = 6


async def test_while_redis_is_away_the_heartbeats_age_and_then_all_is_told_anew(
    own_service, own_valkey, ledger, monkeypatch
):
    monkeypatch.setattr(presence_module, "HEARTBEAT_EVERY_S", 0.1)
    rolf = await own_service.joins("rolf")
    [snapshot] = await rolf.follows()

    own_valkey.process.stop()
    while (await rolf.next_heartbeat())["age_s"] < 2:
        pass
    polled = await rolf.http.get("/live/snapshot", params={"territory": HAUTS_SLUG})
    await own_valkey.start()
    await ledger.rebuild()

    assert polled.status_code == 503
    assert (await rolf.next())["t"] == "resync"
    fresh = await rolf.next()
    assert fresh["t"] == "snapshot"
    assert fresh["at"] != snapshot["at"]
    slot = await ledger.offer(HAUTS)
    assert (await rolf.next())["slot"]["id"] == str(slot.id)
    while (await rolf.next_heartbeat())["age_s"] > 1:
        pass
    await rolf.leaves()


async def test_a_socket_that_opens_while_redis_is_away_begins_when_it_is_back(
    own_service, own_valkey, ledger
):
    rolf = await own_service.joins("rolf")
    own_valkey.process.stop()
    await rolf.opens()
    await rolf.subscribes()

    heartbeat = await rolf.next_heartbeat()
    polled = await rolf.http.get("/live/snapshot", params={"territory": HAUTS_SLUG})
    await own_valkey.start()
    await ledger.rebuild()

    assert heartbeat["at"] == {}
    assert polled.status_code == 503
    assert (await rolf.next())["t"] == "snapshot"
    await rolf.leaves()


async def test_who_comes_while_redis_is_frozen_is_shown_nothing_old_and_begins_when_it_is_back(
    own_service, own_valkey, ledger, monkeypatch
):
    monkeypatch.setattr(presence_module, "HEARTBEAT_EVERY_S", 0.1)
    await ledger.offer(HAUTS)
    rita, rolf = await own_service.joins("rita"), await own_service.joins("rolf")
    await rita.follows()
    own_valkey.process.freeze()
    while (await rita.next_heartbeat())["age_s"] < REDIS_IS_GIVEN_UP_AFTER_S:
        pass

    await rolf.opens()
    await rolf.subscribes()
    waits = await rolf.next_heartbeat()
    own_valkey.process.thaw()
    assert (await rolf.next())["t"] == "snapshot"
    await ledger.offer(HAUTS)

    assert waits["at"] == {}
    assert (await rolf.next())["t"] == "event"
    assert (await rita.next())["t"] == "event"  # who was there before is not told all anew
    await rita.leaves()
    await rolf.leaves()


async def test_a_process_that_stops_says_goodbye(own_service):
    rolf = await own_service.joins("rolf")
    await rolf.follows()

    await own_service.stops()

    frames = await rolf.frames_to_the_end()
    assert frames[-1] == {"t": "bye", "code": 4001, "reason": "shutdown"}
    assert rolf.socket.close_code == 4001
    await rolf.leaves()


async def test_without_the_ledger_open_sockets_stay_and_are_told_so(hub, settings):
    await soon(hub.follow(HAUTS_ID))
    pool = await create_pool(away(settings))
    presence = Presence(hub, pool)
    connection = Connection(Session(make_account()), b"session", ALIVE, AsgiWire())
    with presence.watched(connection):
        presence.start()

        await until(lambda: not presence.ledger)
        presence.heartbeat(connection)

        assert '"ledger":false' in (await connection.wire.next()).texts[0]
        assert connection.ending is None
        with pytest.raises(LedgerUnavailable):
            await presence.opened_by(b"session")
    await presence.stop()
    await pool.close()
    assert not in_trouble(hub, Exception)


def away(settings):
    """The same installation, with a database where nobody listens."""
    return replace(settings, database_url="postgresql://nobody@127.0.0.1:1/nothing")
