"""A server goes under an open page: the page says so, keeps what it has, and heals by itself."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect

from slots.reconcile.relay import RELAY_AFTER, relay
from slots.settings import Settings
from tests.browser import DESK, PHONE, Joins, Service, on_one_loop, serving
from tests.faults.proxy import Proxy, proxy_to
from tests.world import HAUTS, World
from web.live import presence

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAYS_SO_WITHIN_MS = 40_000  # 15 s without news, and what it takes to find a frozen server out
NO_SCRIPTS = {"java_script_enabled": False}
HOWS = [pytest.param("freeze", marks=pytest.mark.prove), "cut"]


@dataclass(frozen=True)
class Wires:
    """What may be cut or frozen between the service and its servers."""

    ledger: Proxy
    broker: Proxy
    settings: Settings


@on_one_loop
async def wires(settings: Settings) -> AsyncIterator[Wires]:
    """A wire to PostgreSQL, one to Redis, and the settings of an installation behind them."""
    async with (
        proxy_to(settings.database_url) as (ledger, database_url),
        proxy_to(settings.redis_url) as (broker, redis_url),
    ):
        behind = replace(settings, database_url=database_url, redis_url=redis_url)
        yield Wires(ledger, broker, behind)


@on_one_loop
async def service(world: World, wires: Wires, monkeypatch) -> AsyncIterator[Service]:
    """The service behind the wires. Its sockets hear every second how old all is."""
    monkeypatch.setattr(presence, "HEARTBEAT_EVERY_S", 1.0)
    async with serving(world, wires.settings) as running:
        yield running


@contextlib.contextmanager
def away(wire: Proxy, how: str):
    """Inside the block the server does not answer, or cannot be reached at all."""
    getattr(wire, how)()
    try:
        yield
    finally:
        wire.mend()


async def stays(page: Page) -> None:
    """Mark the page: what replaces or reloads it loses the mark."""
    await page.evaluate("window.same = true")


async def has_stayed(page: Page) -> bool:
    return await page.evaluate("window.same === true")


async def relayed(service: Service) -> None:
    """What a worker does a moment later."""
    territory = service.desk.territories.by_id[HAUTS]
    await relay(service.desk, territory, datetime.now(UTC) + RELAY_AFTER)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.prove
async def test_without_redis_an_open_board_says_so_shows_the_ledger_and_heals(
    joins: Joins, service: Service, wires, how
):
    ann, rita = await joins("ann", PHONE), await joins("rita", DESK)
    await ann.publishes()
    freshness, rows = rita.page.locator("live-freshness"), rita.page.locator(".slot")
    await expect(rows).to_have_count(1)
    await expect(freshness).to_have_attribute("data-level", "live")
    second = await rita.context.new_page()

    with away(wires.broker, how):
        await expect(freshness).to_contain_text("lente ou perdue", timeout=SAYS_SO_WITHIN_MS)
        await ann.publishes()
        await expect(ann.page.locator(".mine")).to_have_count(2)
        await second.goto(f"{service.url}/regulation")
        await expect(second.get_by_text("la liste vient du registre")).to_be_visible()
        await expect(second.locator(".slot")).to_have_count(2)
        await expect(rows).to_have_count(1)
        for page in (rita.page, second):
            await stays(page)
    await relayed(service)

    for page in (rita.page, second):
        await expect(page.locator("live-freshness")).to_have_attribute("data-level", "live")
        await expect(page.locator(".slot")).to_have_count(2)
        await expect(page.get_by_text("la liste vient du registre")).to_have_count(0)
        assert await has_stayed(page)


@pytest.mark.parametrize("how", HOWS)
async def test_without_redis_nothing_is_held_and_the_page_says_how_to_go_on(
    joins: Joins, wires, how
):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK, **NO_SCRIPTS)
    await ann.publishes()
    await rolf.goes_to("/orienter")

    with away(wires.broker, how):
        await rolf.presses("Retenir", exact=False)
        await expect(
            rolf.page.get_by_role("heading", name="Réservation indisponible")
        ).to_be_visible()
        await rolf.sees("réessayez dans un instant")
    await rolf.presses("Réessayer")

    await expect(rolf.page.get_by_role("button", name="Confirmer le rendez-vous")).to_be_visible()


@pytest.mark.prove
async def test_a_hold_asked_for_while_redis_is_away_is_made_once_it_is_back(joins: Joins, wires):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await ann.publishes()
    await rolf.goes_to("/orienter")

    with away(wires.broker, "freeze"):
        await rolf.presses("Retenir", exact=False)
        await rolf.sees("Vérification…")

    await expect(rolf.page.locator("hold-countdown")).to_be_visible()


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.prove
async def test_without_postgresql_an_open_page_stays_and_says_so(joins: Joins, wires, how):
    ann, rita = await joins("ann", PHONE), await joins("rita", DESK)
    await ann.publishes()
    await expect(rita.page.locator(".slot")).to_have_count(1)
    freshness = rita.page.locator("live-freshness")
    await stays(rita.page)

    with away(wires.ledger, how):
        await expect(freshness).to_contain_text("La base ne répond pas")
        await expect(freshness).to_have_attribute("data-level", "late")
        await expect(rita.page.locator(".slot")).to_have_count(1)

    await expect(freshness).to_have_attribute("data-level", "live")
    assert await has_stayed(rita.page)


@pytest.mark.parametrize("how", HOWS)
async def test_a_confirmation_pressed_while_postgresql_is_away_ends_as_one_booking(
    joins: Joins, service: Service, wires, how
):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    await rolf.holds("Dr Ann Martin")

    with away(wires.ledger, how):
        await rolf.presses("Confirmer le rendez-vous")
        await rolf.sees("Vérification…")
        await expect(rolf.page.get_by_text("C’est réservé")).to_have_count(0)

    await rolf.sees("C’est réservé")
    reference = await rolf.page.locator("h1 .reference").inner_text()
    await ann.goes_to("/disponibilites")
    await expect(ann.page.locator(".mine .reference")).to_have_text([reference])
