"""What the service says when one of its servers is away, and that all heals alone."""

import time
from dataclasses import replace

import httpx
import pytest

from slots.settings import Settings
from tests.api.conftest import Running, make_boards_ready, offered, problem
from tests.api.contract import ContractTransport
from tests.faults.proxy import proxy_to
from web.app import create_app

WITHIN_S = 5.0
CHOICE = {"reason": "pain", "urgency": "today"}


@pytest.fixture
async def wires(world, settings: Settings):
    """The service behind two wires: to PostgreSQL, to Redis."""
    async with (
        proxy_to(settings.database_url) as (ledger, database_url),
        proxy_to(settings.redis_url) as (broker, redis_url),
    ):
        app = create_app(replace(settings, database_url=database_url, redis_url=redis_url))
        async with app.router.lifespan_context(app) as state:
            await make_boards_ready(state["desk"])
            yield Running(app, dict(state), settings.base_url), ledger, broker
            ledger.mend()
            broker.mend()


@pytest.fixture
def service(wires):
    return wires[0]


@pytest.fixture
def ledger(wires):
    return wires[1]


@pytest.fixture
def broker(wires):
    return wires[2]


async def test_it_is_alive_and_ready(stranger):
    assert (await stranger.get("/healthz")).json() == {"status": "ok", "missing": []}
    assert (await stranger.get("/readyz")).json() == {"status": "ok", "missing": []}


async def test_without_redis_it_is_degraded_and_says_so(stranger, broker):
    broker.cut()

    answer = await stranger.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "missing": ["redis"]}


@pytest.mark.parametrize("how", ["cut", "freeze"])
async def test_without_postgresql_it_is_not_ready_and_says_so_in_time(stranger, ledger, how):
    getattr(ledger, how)()
    asked_at = time.monotonic()

    answer = await stranger.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "missing": ["postgresql"]}
    assert time.monotonic() - asked_at < WITHIN_S
    assert (await stranger.get("/healthz")).status_code == 200


async def test_without_redis_boards_come_from_the_ledger_and_nothing_can_be_held(
    sign_in, world, broker
):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"])
    broker.cut()

    board = (await ann.get("/api/v1/slots")).json()
    held = await ann.command("POST", f"/api/v1/slots/{slot['id']}/holds")

    assert (board["source"], board["at"]) == ("ledger", {})
    assert [one["id"] for one in board["slots"]] == [slot["id"]]
    assert problem(held) == (503, "broker-unavailable")
    assert int(held.headers["retry-after"]) >= 1


async def test_without_redis_the_directory_does_not_say_who_is_free(sign_in, world, broker):
    ann = await sign_in("ann")
    await ann.offer(world.schedules["ann"])
    broker.cut()

    answer = await ann.get("/api/v1/practitioners", params={"q": "martin"})

    [place] = answer.json()["practitioners"][0]["places"]
    assert (place["publishing"], place["free"]) == ("unknown", 0)
    assert "les places libres ne sont pas connues" in (await ann.get("/annuaire")).text


async def test_without_redis_offers_and_cancellations_go_on(sign_in, world, broker):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    booked = await rolf.book(await ann.offer(world.schedules["ann"]))
    broker.cut()

    offered_then = await ann.offer(world.schedules["ann"], hours=5)
    cancelled = await rolf.command("POST", f"/api/v1/appointments/{booked['id']}/cancel")

    assert (await ann.get(f"/api/v1/slots/{offered_then['id']}")).json()["status"] == "free"
    assert cancelled.json()["status"] == "cancelled"


async def test_a_frozen_redis_is_noticed_in_time(sign_in, world, broker):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"])
    broker.freeze()
    asked_at = time.monotonic()

    held = await ann.command("POST", f"/api/v1/slots/{slot['id']}/holds")

    assert problem(held)[0] == 503
    assert time.monotonic() - asked_at < WITHIN_S


@pytest.mark.parametrize("how", ["cut", "freeze"])
async def test_without_postgresql_commands_wait_and_looking_goes_on(sign_in, world, ledger, how):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"])
    await ann.get("/api/v1/slots")
    getattr(ledger, how)()
    asked_at = time.monotonic()

    refused = await ann.command(
        "POST", "/api/v1/slots", {"slots": [offered(world.schedules["ann"], hours=4)]}
    )

    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert time.monotonic() - asked_at < WITHIN_S
    board = (await ann.get("/api/v1/slots")).json()
    assert [one["id"] for one in board["slots"]] == [slot["id"]]
    assert board["source"] == "broker"


async def test_nobody_new_is_let_in_without_postgresql(stranger, world, ledger):
    ledger.cut()

    assert problem(await stranger.sign_in(world.email("ann"))) == (503, "ledger-unavailable")


async def test_all_heals_alone(sign_in, world, ledger, broker):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"])
    ledger.cut()
    broker.cut()
    assert (await ann.get("/readyz")).status_code == 503

    ledger.mend()
    broker.mend()

    assert (await ann.get("/readyz")).json()["status"] == "ok"
    assert (await ann.book(slot))["status"] == "booked"


async def test_a_rebuild_is_told_and_boards_come_from_the_ledger(
    sign_in, stranger, world, redis_client
):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"])
    await redis_client.flushall()

    held = await ann.command("POST", f"/api/v1/slots/{slot['id']}/holds")

    assert problem(held) == (503, "rebuilding")
    assert (await stranger.get("/readyz")).json()["status"] == "degraded"
    board = (await ann.get("/api/v1/slots")).json()
    assert [one["id"] for one in board["slots"]] == [slot["id"]]


async def test_metrics_count_requests_and_refusals_without_naming_anyone(sign_in, world):
    ann = await sign_in("ann")
    await ann.get("/api/v1/slots", params={"commune": "34119"})
    await ann.get("/api/v1/nothing")

    text = (await ann.get("/metrics")).text

    assert 'chrono48_requests_total{method="GET",route="/api/v1/slots",status="200"}' in text
    assert 'chrono48_refusals_total{code="not-found"}' in text
    assert "34119" not in text
    assert str(world.accounts["ann"].id) not in text


async def test_metrics_are_for_neighbours_on_the_network(service):
    transport = ContractTransport(httpx.ASGITransport(service._with_state, client=("8.8.8.8", 1)))
    async with httpx.AsyncClient(transport=transport, base_url=service.base_url) as person:
        assert problem(await person.get("/metrics")) == (404, "not-found")
