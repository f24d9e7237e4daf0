"""PostgreSQL with a synchronous standby: what is confirmed is on both, before anybody hears it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import asyncpg
import httpx
import pytest

from slots.booking import confirming, holding, offering
from slots.booking.offers import OfferedSlot
from slots.desk import open_desk
from slots.errors import OutcomeUnknown, Unavailable
from tests.booking.conftest import CHOICE as A_CHOICE
from tests.booking.conftest import a_key
from tests.faults.processes import frozen
from tests.scale.service import CHOICE, Fleet, Person
from tests.waiting import until

pytestmark = pytest.mark.prove

CLEAR_WITHIN_S = 5.0  # a server that does not answer is a clear 503 by then
HEALS_WITHIN_S = 8.0  # from the kill over the promotion to the next confirmed booking
BOOKINGS = 50
BOOKINGS_BEFORE_THE_KILL = 15


@asynccontextmanager
async def people(fleet: Fleet, world, *names: str) -> AsyncIterator[list[Person]]:
    await fleet.ready()
    found = [await Person(fleet.urls[0], world, name).signs_in() for name in names]
    try:
        yield found
    finally:
        for person in found:
            await person.aclose()


async def appointments(url: str) -> dict[str, int]:
    """Every booked seat of the ledger, by appointment."""
    conn = await asyncpg.connect(url)
    try:
        rows = await conn.fetch("SELECT id::text, seat FROM appointment WHERE status = 'booked'")
    finally:
        await conn.close()
    return {row["id"]: row["seat"] for row in rows}


async def said(person: Person, path: str, body: dict, key: str) -> httpx.Response | None:
    """An answer that says something; None where the same is to be asked again."""
    with suppress(httpx.TransportError):
        answer = await person.command("POST", path, body, key=key if key != "hold" else "")
        return answer if answer.status_code < 500 else None
    return None


async def confirmed(person: Person, held: dict, key: str) -> dict | None:
    with suppress(httpx.TransportError):
        answer = await person.confirms(held, key)
        return answer.json() if answer.status_code == 201 else None
    return None


async def test_a_standby_that_is_away_makes_the_outcome_unknown_and_the_key_tells(
    pair, pair_world, pair_fleet
):
    async with people(pair_fleet, pair_world, "ann", "rolf") as (ann, rolf):
        held = await rolf.holds(await ann.offers())
        with frozen(pair.standby):
            for _ in range(2):
                asked_at = time.monotonic()
                answer = await rolf.confirms(held, "one-intention")
                assert (answer.status_code, time.monotonic() - asked_at < CLEAR_WITHIN_S) == (
                    503,
                    True,
                ), answer.text
            # Who only looks need not wait.
            assert (await rolf.get("/api/v1/slots")).status_code == 200
            assert await appointments(pair.owner_url) == {}

        appointment = await until(lambda: confirmed(rolf, held, "one-intention"))
        assert set(await appointments(pair.owner_url)) == {appointment["id"]}


async def test_what_only_the_primary_has_is_not_confirmed_by_a_replay(pair, pair_world, pair_fleet):
    """A primary that restarts shows what its standby never had: the same key must wait as well."""
    async with people(pair_fleet, pair_world, "ann", "rolf") as (ann, rolf):
        held = await rolf.holds(await ann.offers())
        pair.standby.kill()
        assert (await rolf.confirms(held, "one-intention")).status_code == 503
        await pair.restart_primary()
        assert len(await appointments(pair.owner_url)) == 1

        async def replayed():
            answer = await rolf.confirms(held, "one-intention")
            return answer.json() if "ledger-unavailable" not in answer.text else None

        assert (await until(replayed))["code"] == "outcome-unknown"

        pair.lose_primary()
        await pair.promote()
        # Nobody had heard "confirmed": it is booked now, or the hold is over. Both are true.
        path = f"/api/v1/holds/{held['id']}/confirm"
        answer = await until(lambda: said(rolf, path, CHOICE, "one-intention"))
        heard = {answer.json()["id"]} if answer.status_code == 201 else set()
        assert set(await appointments(pair.owner_url)) == heard


@pytest.fixture
async def pair_desk(pair, pair_world, pair_fleet):
    await pair_fleet.ready()
    desk = await open_desk(pair_fleet.settings)
    yield desk
    await desk.broker.close()
    desk.pool.terminate()


async def test_a_replay_that_does_not_wait_confirms_what_is_then_lost(
    pair, pair_world, pair_desk, monkeypatch
):
    """The control of the test above: the same story without the mark that the replay writes."""

    async def nothing(conn) -> None:
        return None

    monkeypatch.setattr(confirming, "as_durable_as_ours", nothing)
    now = datetime.now(UTC)
    ann, rolf = pair_world.accounts["ann"], pair_world.accounts["rolf"]
    starts_at = now + timedelta(hours=2)
    offered = OfferedSlot(
        pair_world.schedules["ann"], starts_at, ends_at=starts_at + timedelta(minutes=20)
    )
    (slot,) = await offering.offer(pair_desk, ann, [offered], a_key(), now)
    held = await holding.hold(pair_desk, rolf, slot.id, a_key(), now)
    key = a_key()
    pair.standby.kill()
    with pytest.raises(OutcomeUnknown):
        await confirming.confirm(pair_desk, rolf, held.id, A_CHOICE, key, now)
    await pair.restart_primary()

    async def replayed():
        with suppress(Unavailable):
            return await confirming.confirm(pair_desk, rolf, held.id, A_CHOICE, key, now)

    assert (await until(replayed)).status == "booked"

    pair.lose_primary()
    await pair.promote()
    assert await appointments(pair.owner_url) == {}


async def keeps_booking(person: Person, slot: dict, heard: dict[str, dict]) -> None:
    """Seat after seat until none is left, whatever happens to the servers; *heard*: what is true."""
    while True:
        answer = await until(lambda: said(person, f"/api/v1/slots/{slot['id']}/holds", {}, "hold"))
        if answer.status_code == 409:
            return
        path, key = f"/api/v1/holds/{answer.json()['id']}/confirm", str(uuid4())
        answer = await until(partial(said, person, path, CHOICE, key))
        if answer.status_code == 201:
            heard[answer.json()["id"]] = answer.json()


async def test_no_confirmed_booking_is_lost_with_the_primary(pair, pair_world, pair_fleet, capsys):
    """The primary dies under load and never returns; the service finds the standby by itself."""
    async with people(pair_fleet, pair_world, "ann", "rolf", "rosa", "emma") as (ann, *referrers):
        slot = await ann.offers(capacity=BOOKINGS, minutes=180)
        heard: dict[str, dict] = {}
        async with asyncio.TaskGroup() as tasks:
            for person in referrers:
                tasks.create_task(keeps_booking(person, slot, heard))
            await until(lambda: at_least(heard, BOOKINGS_BEFORE_THE_KILL))
            killed_at = time.monotonic()
            pair.lose_primary()
            known = len(heard)
            await pair.promote()
            await until(lambda: at_least(heard, known + 1))
            healed_s = time.monotonic() - killed_at
        found = await appointments(pair.owner_url)

    assert set(found) >= set(heard)
    assert sorted(found.values()) == list(range(1, BOOKINGS + 1))
    assert healed_s < HEALS_WITHIN_S
    with capsys.disabled():
        print(
            f"\nstandby: {known} confirmed before the kill, none lost; "
            f"booking again {healed_s:.1f} s after the kill"
        )


async def test_with_a_standby_that_nobody_waits_for_a_confirmed_booking_is_lost(
    pair, pair_world, pair_fleet
):
    """The control of the test above."""
    async with people(pair_fleet, pair_world, "ann", "rolf") as (ann, rolf):
        held = await rolf.holds(await ann.offers())
        await pair.wait_for_nobody()
        pair.standby.kill()
        assert (await rolf.confirms(held, "one-intention")).status_code == 201
        pair.lose_primary()
        await pair.promote()

    assert await appointments(pair.owner_url) == {}


async def test_an_old_primary_that_comes_back_confirms_nothing(pair, pair_world, pair_fleet):
    """Nobody has told it that it was replaced, and a process that starts now finds it first."""
    async with people(pair_fleet, pair_world, "ann", "rolf") as (ann, rolf):
        first, held = [await rolf.holds(await ann.offers(hours=hours)) for hours in (2, 3)]
        pair.lose_primary()
        await pair.promote()
        known = await until(lambda: confirmed(rolf, first, "first"))
        await pair.restart_primary()
        rolf.base_url = pair_fleet.start_web()
        await pair_fleet.ready()
        assert (await rolf.confirms(held, "second")).status_code == 503

        rolf.base_url = pair_fleet.urls[0]
        appointment = await until(lambda: confirmed(rolf, held, "second"))
        assert set(await appointments(pair.standby_url)) == {known["id"], appointment["id"]}


async def at_least(heard: dict, count: int) -> bool:
    return len(heard) >= count
