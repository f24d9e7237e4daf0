"""After a dead server, a sleep, a slow network: the page finds its way back, and keeps what was typed."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from slots.settings import Settings
from tests.browser import DESK, PHONE, Joins, Person, ServerInTest, Service
from tests.pages.boards import is_live
from web.__main__ import configuration

pytestmark = pytest.mark.asyncio(loop_scope="session")

BACK_WITHIN_MS = 30_000  # the longest pause between two tries, and some
# WebPageTest's “3G”: https://docs.webpagetest.org/connectivity/
THREE_G = {
    "offline": False,
    "latency": 300,
    "downloadThroughput": 200_000,
    "uploadThroughput": 96_000,
}
PUBLISHED_WITHIN_S = 10.0
TAPS_MAX = 3


async def stays_the_same_page(person: Person) -> None:
    await person.page.evaluate("window.isTheSame = true")


async def is_the_same_page(person: Person) -> bool:
    return bool(await person.page.evaluate("window.isTheSame"))


class Another:
    """A second web process of the same service, which may be ended and begun again."""

    def __init__(self, settings: Settings) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = replace(settings, port=self.port, base_url=self.url)
        self._server: ServerInTest | None = None
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        if self._listening.fileno() < 0:
            self._listening = socket.create_server(("127.0.0.1", self.port))
        self._server = ServerInTest(configuration(self._settings))
        self._task = asyncio.create_task(self._server.serve([self._listening]))
        await self._server.listens.wait()

    async def end(self) -> None:
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task
        self._listening.close()
        self._server = self._task = None


@pytest_asyncio.fixture(loop_scope="session")
async def other(service: Service, settings: Settings) -> AsyncIterator[Another]:
    """It ends whatever becomes of the test: what is left running would never stop."""
    another = Another(settings)
    await another.begin()
    yield another
    await another.end()


@pytest_asyncio.fixture(loop_scope="session")
async def elsewhere(other: Another, service: Service, chromium: Browser) -> AsyncIterator[Person]:
    """Rita, on the board of the other process."""
    context = await chromium.new_context(viewport=DESK, locale="fr-FR", service_workers="block")
    rita = Person(context, await context.new_page(), replace(service, url=other.url))
    await rita.signs_in("rita")
    yield rita
    await context.close()


async def test_a_board_whose_server_died_goes_on_at_the_next_one_and_keeps_what_was_typed(
    joins: Joins, other: Another, elsewhere: Person
):
    rita = elsewhere
    await is_live(rita)
    await stays_the_same_page(rita)
    await rita.page.get_by_label("Commune du patient").fill("Béda")
    ann = await joins("ann", PHONE)

    await other.end()
    await ann.publishes()
    await other.begin()

    await expect(rita.page.locator(".slot", has_text="Dr Ann Martin")).to_be_visible(
        timeout=BACK_WITHIN_MS
    )
    await is_live(rita)
    assert await is_the_same_page(rita)
    await expect(rita.page.get_by_label("Commune du patient")).to_have_value("Béda")


async def test_after_a_long_sleep_the_page_is_right_without_a_reload(joins: Joins):
    ann, rita = await joins("ann", PHONE), await joins(None, DESK)
    await rita.page.clock.install()
    await rita.signs_in("rita")
    await is_live(rita)
    await stays_the_same_page(rita)
    await rita.context.set_offline(True)
    await ann.publishes()

    await rita.page.clock.fast_forward("08:00:00")
    await expect(rita.page.locator("live-freshness")).to_have_attribute("data-level", "frozen")
    await rita.context.set_offline(False)
    await rita.page.clock.fast_forward("00:30")

    await expect(rita.page.locator(".slot", has_text="Dr Ann Martin")).to_be_visible()
    await is_live(rita)
    assert await is_the_same_page(rita)


async def test_two_tabs_of_one_person_agree(joins: Joins):
    ann = await joins("ann", PHONE)
    second = Person(ann.context, await ann.context.new_page(), ann.service)
    await second.goes_to("/disponibilites")

    await ann.publishes()
    await expect(second.page.locator(".mine")).to_have_count(1)
    await second.presses("Retirer le créneau", exact=False)

    await expect(ann.page.locator(".mine")).to_have_count(0)


async def test_on_3g_a_slot_is_published_in_one_tap_and_in_time(joins: Joins):
    ann = await joins("ann", PHONE)
    page = await ann.context.new_page()
    cdp = await ann.context.new_cdp_session(page)
    await cdp.send("Network.enable")
    await cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await cdp.send("Network.emulateNetworkConditions", THREE_G)
    taps = 0
    begun = time.monotonic()

    await page.goto(ann.service.url + "/disponibilites")
    await page.get_by_role("button", name="Demain matin").click()
    taps += 1
    await expect(page.get_by_text("Publié. Les autres")).to_be_visible(timeout=60_000)

    took_s = time.monotonic() - begun
    print(f"on 3G, with an empty cache: {took_s:.1f} s from opening to published, {taps} tap")
    assert took_s < PUBLISHED_WITHIN_S
    assert taps <= TAPS_MAX


@pytest.mark.prove
async def test_a_phone_a_consulting_room_and_a_wall_agree_at_each_step(joins: Joins):
    ann, rolf, rita = await joins("ann", PHONE), await joins("rolf", DESK), await joins("rita")
    await rolf.goes_to("/orienter")
    await rita.goes_to("/mur")
    await is_live(rolf)
    await is_live(rita)

    async def all_say(state: str, words: str) -> None:
        for person in (rolf, rita):
            await expect(person.page.locator(".slot")).to_have_attribute("data-status", state)
        await expect(ann.page.locator(".mine .state").first).to_have_text(words)

    await ann.publishes()
    await all_say("free", "Libre")
    rosa = await joins("rosa", DESK)
    await rosa.goes_to("/orienter")
    await rosa.holds("Dr Ann Martin")
    await all_say("busy-tentative", "Retenu")
    await rosa.presses("Confirmer le rendez-vous")
    await rosa.sees("C’est réservé")
    await all_say("busy", "Complet")
    await rosa.page.locator("summary", has_text="Annuler").click()
    await rosa.presses("Oui, annuler", exact=False)
    await all_say("free", "Libre")
    await ann.presses("Retirer le créneau", exact=False)
    await all_say("busy-unavailable", "Retiré")
