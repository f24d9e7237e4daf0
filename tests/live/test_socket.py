"""The live view as its readers meet it: over a real port, with real sockets."""

import asyncio
import socket as sockets
from itertools import pairwise
from uuid import UUID, uuid4

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from slots.ids import HoldId, SlotId, new_id
from tests.live.viewer import HAUTS, THAU, together
from tests.live.waiting import WITHIN_S, soon
from tests.world import HAUTS as HAUTS_ID
from web.live import presence
from web.live.frames import SUBPROTOCOL


async def test_a_board_begins_with_a_snapshot_and_goes_on_with_events(joins):
    bob, rolf = await together(joins("bob"), joins("rolf"))
    there = await bob.offers()

    [snapshot] = await rolf.follows()
    added = await bob.offers(hours=3)
    event = await rolf.next()

    assert rolf.socket.subprotocol == SUBPROTOCOL
    assert [slot["id"] for slot in snapshot["slots"]] == [there["id"]]
    assert (event["t"], event["type"], event["territory"]) == ("event", "slot.offered", HAUTS)
    assert event["prev"] == snapshot["at"]
    assert event["slot"] == added


async def test_a_snapshot_and_its_events_amount_to_what_the_api_says(joins):
    bob, rolf = await together(joins("bob"), joins("rolf"))
    [snapshot] = await rolf.follows()

    slot = await bob.offers()
    hold = await rolf.command("POST", f"/api/v1/slots/{slot['id']}/holds")
    await rolf.command("DELETE", f"/api/v1/holds/{hold['id']}")
    shown, at, types = {}, snapshot["at"], []
    for _ in range(3):
        frame = await rolf.next()
        assert frame["prev"] == at
        at = frame["at"]
        types.append(frame["type"])
        shown[frame["slot"]["id"]] = frame["slot"]

    found = (await rolf.http.get("/api/v1/slots", params={"territory": HAUTS})).json()
    assert types == ["slot.offered", "slot.held", "slot.released"]
    assert list(shown.values()) == found["slots"]
    assert found["at"] == {HAUTS: at}


async def test_each_viewer_hears_only_what_it_may(joins):
    bob, rolf, rita = await together(joins("bob"), joins("rolf"), joins("rita"))
    await together(rolf.follows(), rita.follows())

    slot = await bob.offers(audience=["CPTS"])
    assert [(await rolf.next())["t"], (await rita.next())["t"]] == ["event", "skip"]

    await bob.command("PATCH", f"/api/v1/slots/{slot['id']}", {"audience": ["CPTS", "SNP"]})
    assert [(await rolf.next())["t"], (await rita.next())["t"]] == ["event", "event"]

    await bob.command("PATCH", f"/api/v1/slots/{slot['id']}", {"audience": ["SNP"]})
    gone = await rolf.next()
    assert [gone["t"], (await rita.next())["t"]] == ["gone", "event"]
    assert (gone["id"], gone["type"]) == (slot["id"], "slot.amended")

    await bob.command("DELETE", f"/api/v1/slots/{slot['id']}")
    gone = await rita.next()
    assert [(await rolf.next())["t"], gone["t"]] == ["skip", "gone"]
    assert gone["type"] == "slot.withdrawn"


async def test_an_owner_follows_their_own_whatever_its_audience(joins):
    bob = await joins("bob")
    await bob.follows()

    await bob.offers(audience=["SNP"])

    assert (await bob.next())["t"] == "event"


async def test_one_socket_follows_several_territories(joins):
    bob, carl, rita = await together(joins("bob"), joins("carl"), joins("rita"))
    snapshots = await rita.follows(HAUTS, THAU)

    await carl.offers()
    in_thau = await rita.next()
    await bob.offers()
    in_hauts = await rita.next()

    assert [snapshot["territory"] for snapshot in snapshots] == [HAUTS, THAU]
    assert [in_thau["territory"], in_hauts["territory"]] == [THAU, HAUTS]
    assert in_hauts["prev"] == snapshots[0]["at"]


async def test_a_socket_that_drops_resumes_with_exactly_what_it_missed(joins):
    bob, rolf = await together(joins("bob"), joins("rolf"))
    [snapshot] = await rolf.follows()
    await rolf.socket.close()
    missed = [await bob.offers(hours=hours) for hours in (2, 3, 4)]

    await rolf.opens()
    await rolf.next()
    await rolf.subscribes(HAUTS, after={HAUTS: snapshot["at"]})
    frames = [await rolf.next() for _ in missed]
    after_that = await bob.offers(hours=5)

    assert [frame["slot"]["id"] for frame in frames] == [slot["id"] for slot in missed]
    assert frames[0]["prev"] == snapshot["at"]
    assert (await rolf.next())["slot"]["id"] == after_that["id"]


async def test_who_resumes_where_nothing_has_happened_gets_only_a_heartbeat(joins):
    rolf = await joins("rolf")
    [snapshot] = await rolf.follows()
    await rolf.next_heartbeat()

    await rolf.subscribes(HAUTS, after={HAUTS: snapshot["at"]})

    heartbeat = await rolf.next_of_any()
    assert (heartbeat["t"], heartbeat["at"]) == ("heartbeat", {HAUTS: snapshot["at"]})


async def test_a_position_that_is_not_in_the_log_gets_a_snapshot(joins):
    rolf = await joins("rolf")
    await rolf.opens()
    await rolf.next()

    await rolf.subscribes(HAUTS, after={HAUTS: "0.1-1"})

    assert (await rolf.next())["t"] == "snapshot"


async def test_html_comes_with_the_slots_for_pages(joins):
    bob, rolf = await together(joins("bob"), joins("rolf"))
    there = await bob.offers()
    await rolf.opens()
    await rolf.next()

    await rolf.subscribes(HAUTS, as_="html")
    snapshot = await rolf.next()
    added = await bob.offers(hours=3)

    assert there["id"] in snapshot["html"][0]
    assert added["id"] in (await rolf.next())["html"]


async def test_two_sockets_are_told_the_same_in_the_same_order(joins):
    bob, rolf, ann = await together(joins("bob"), joins("rolf"), joins("ann"))
    await together(rolf.follows(), ann.follows())

    await together(*(bob.offers(hours=2 + number) for number in range(8)))

    told_rolf = [await rolf.next() for _ in range(8)]
    assert told_rolf == [await ann.next() for _ in range(8)]


async def test_a_heartbeat_says_where_one_stands_and_how_old_that_is(joins, monkeypatch):
    monkeypatch.setattr(presence, "HEARTBEAT_EVERY_S", 1.0)
    rolf = await joins("rolf")
    [snapshot] = await rolf.follows()

    first, second = await rolf.next_heartbeat(), await rolf.next_heartbeat()

    for heartbeat in (first, second):
        assert heartbeat["at"] == {HAUTS: snapshot["at"]}
        assert 0 <= heartbeat["age_s"] < 5
        assert heartbeat["ledger"] is True
    assert second["now"] > first["now"]


async def test_who_answers_no_heartbeat_is_let_go(joins, monkeypatch):
    monkeypatch.setattr(presence, "SILENT_AFTER_S", 0.5)
    rolf = await joins("rolf")
    await rolf.follows()

    assert await rolf.is_closed_with() == 4003


async def test_a_slow_reader_harms_nobody_and_is_sent_away(joins, service):
    bob, rolf, slow = await together(joins("bob"), joins("rolf"), joins("ann"))
    slot = await bob.offers()
    await rolf.follows()
    narrow = sockets.socket()
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    address = service.url.removeprefix("http://").split(":")
    await soon(connected(narrow, address))
    # A reader with room for one frame: then it reads no more from its socket.
    await slow.opens(sock=narrow, max_queue=1)
    await slow.subscribes(HAUTS, as_="html")

    holder = service.world.accounts["rolf"]
    await hold_and_release(service.desk, holder, slot["id"], times=1_000)

    seen = [await rolf.next() for _ in range(2_000)]
    assert all(this["at"] == after["prev"] for this, after in pairwise(seen))
    frames = await soon(slow.frames_to_the_end())
    assert len(frames) < len(seen)
    if slow.socket.close_code != 1006:  # unless the rest could not even be sent
        assert [frame["t"] for frame in frames[-2:]] == ["resync", "bye"]
        assert slow.socket.close_code == frames[-1]["code"] == 4002


async def connected(narrow, address):
    await asyncio.get_running_loop().sock_connect(narrow, (address[0], int(address[1])))


async def hold_and_release(desk, account, slot_id, *, times):
    territory = desk.territories.by_id[HAUTS_ID]
    for _ in range(times):
        hold_id = HoldId(new_id(HAUTS_ID))
        slot = SlotId(UUID(slot_id))
        await desk.broker.hold(territory, account, slot, hold_id, str(uuid4()))
        await desk.broker.release(territory, account.id, hold_id)


@pytest.mark.parametrize("kind", ["origin", "cookie"])
async def test_foreign_pages_and_strangers_are_refused_before_the_accept(joins, kind):
    rolf = await joins("rolf")

    for worth in FOREIGN[kind]:
        with pytest.raises(InvalidStatus) as refused:
            await rolf.opens(**{kind: worth})
        assert refused.value.response.status_code == 403, worth


FOREIGN = {
    "origin": [
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://localhost.evil.example",
    ],
    "cookie": ["", "chrono48=", "chrono48=nonsense", "chrono48=" + "x" * 500],
}


async def test_another_protocol_is_refused(joins):
    rolf = await joins("rolf")

    with pytest.raises(InvalidStatus) as refused:
        await rolf.opens(protocol="chrono48.live.v9")

    assert refused.value.response.status_code == 403


async def test_signing_out_closes_the_socket_within_two_seconds(joins):
    rolf, rita = await together(joins("rolf"), joins("rita"))
    await together(rolf.follows(), rita.follows())

    await rolf.http.delete("/api/v1/session")

    assert await rolf.is_closed_with(2.0) == 4500
    await rita.says(t="pong")
    assert rita.socket.close_code is None


ENDS = {
    "UPDATE session SET ended_at = now()": 4500,
    "UPDATE session SET expires_at = now()": 4500,
    "UPDATE account SET disabled_at = now()": 4500,
    "DELETE FROM membership": 4503,
    "INSERT INTO membership SELECT id, 2, 'referrer' FROM account WHERE email LIKE 'rolf%'": 4503,
    "INSERT INTO delegation SELECT a.id, s.territory_id, s.id FROM account a, schedule s": 4503,
    "DELETE FROM territory_neighbour": 4503,
    "UPDATE session SET locked_at = now()": 4504,
    "UPDATE session SET attended_at = attended_at - interval '30 minutes'": 4504,
}


@pytest.mark.parametrize("change, code", ENDS.items())
async def test_rights_that_end_elsewhere_close_the_socket_within_two_seconds(
    joins, owner, change, code
):
    rolf = await joins("rolf")
    await rolf.follows()
    await rolf.next_heartbeat()

    # Whatever stands there already may stay.
    await owner.execute(f"{change} ON CONFLICT DO NOTHING" if "INSERT" in change else change)

    assert await rolf.is_closed_with(2.0) == code


async def test_before_a_lock_no_socket_opens(joins, owner):
    rolf = await joins("rolf")
    await owner.execute("UPDATE session SET locked_at = now()")

    with pytest.raises(InvalidStatus) as refused:
        await rolf.opens()

    assert refused.value.response.status_code == 423


@pytest.mark.parametrize("slug", ["nowhere", "bassin-de-thau"])
async def test_a_territory_out_of_reach_ends_the_socket(joins, owner, slug):
    await owner.execute("DELETE FROM territory_neighbour")
    rolf = await joins("rolf")
    await rolf.opens()

    await rolf.subscribes(slug)

    assert [frame["t"] for frame in await rolf.frames_to_the_end()] == ["hello", "bye"]
    assert rolf.socket.close_code == 4501


async def test_what_is_not_of_the_protocol_ends_only_that_socket(joins):
    bob, rolf, ann = await together(joins("bob"), joins("rolf"), joins("ann"))
    await ann.follows()

    for message, code in NOT_OF_THE_PROTOCOL.items():
        await rolf.opens()
        await rolf.socket.send(message)
        assert await rolf.is_closed_with() == code, message

    await bob.offers()
    assert (await ann.next())["t"] == "event"


NOT_OF_THE_PROTOCOL = {
    "": 4502,
    "{": 4502,
    "null": 4502,
    b"\x00\xff": 4502,
    '{"t":"hold","slot":"x"}': 4502,
    '{"t":"subscribe","territories":{}}': 4502,
    "[" * 10_000: 4502,
    '"' + "x" * 20_000 + '"': 1009,
}


async def test_a_page_without_a_socket_polls_the_same(joins):
    bob, rita, rolf = await together(joins("bob"), joins("rita"), joins("rolf"))
    both = await bob.offers()
    members = await bob.offers(hours=3, audience=["CPTS"])
    [snapshot] = await rolf.follows()

    polled = (await rolf.http.get("/live/snapshot", params={"territory": HAUTS})).json()
    by_rita = (
        await rita.http.get("/live/snapshot", params={"territory": [HAUTS, THAU], "as": "html"})
    ).json()

    assert polled["snapshots"] == [{key: snapshot[key] for key in ("territory", "at", "slots")}]
    assert [slot["id"] for slot in snapshot["slots"]] == [both["id"], members["id"]]
    assert [len(each["slots"]) for each in by_rita["snapshots"]] == [1, 0]
    assert both["id"] in by_rita["snapshots"][0]["html"][0]
    assert 0 <= polled["age_s"] < WITHIN_S


async def test_a_stranger_may_not_poll(joins, owner):
    await owner.execute("DELETE FROM territory_neighbour")
    rolf = await joins("rolf")

    denied = await rolf.http.get("/live/snapshot", params={"territory": THAU})
    unknown = await rolf.http.get("/live/snapshot", params={"territory": "nowhere"})
    rolf.http.cookies.clear()
    stranger = await rolf.http.get("/live/snapshot", params={"territory": HAUTS})

    assert [denied.status_code, unknown.status_code, stranger.status_code] == [403, 422, 401]
    assert msgspec.json.decode(stranger.content)["code"] == "not-signed-in"
