"""A live page never lies: it says how old its data is, and finds another way when its own is cut."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.browser import DESK, PHONE, WITHIN_MS, Joins

pytestmark = pytest.mark.asyncio(loop_scope="session")

# A proxy that lets no upgrade through.
NO_SOCKETS = """
window.WebSocket = class extends EventTarget {
  static OPEN = 1
  constructor() { super(); setTimeout(() => this.onclose({ code: 1006 })) }
  close() {}
}
"""


async def test_where_sockets_are_refused_the_page_polls_and_says_so(joins: Joins):
    ann, rita = await joins("ann", PHONE), await joins(None, DESK)
    await rita.context.add_init_script(NO_SOCKETS)
    await rita.page.clock.install()
    await rita.signs_in("rita")
    await expect(rita.page.locator("live-freshness")).to_contain_text("sans liaison directe")

    await ann.publishes()

    await rita.page.clock.fast_forward("00:11")
    await expect(rita.page.locator(".slot", has_text="Dr Ann Martin")).to_be_visible()


async def test_what_nobody_keeps_current_says_so_louder_and_louder(joins: Joins):
    rita = await joins(None, DESK)
    await rita.page.clock.install()
    await rita.signs_in("rita")
    freshness = rita.page.locator("live-freshness")
    await expect(freshness).to_have_attribute("data-level", "live")

    await rita.context.set_offline(True)
    await rita.page.clock.fast_forward("00:20")
    await expect(freshness).to_have_attribute("data-level", "late")
    await rita.page.clock.fast_forward("01:00")
    await expect(freshness).to_contain_text("DONNÉES FIGÉES")
    await expect(freshness).to_have_attribute("role", "alert")

    await rita.context.set_offline(False)
    await rita.page.clock.fast_forward("00:30")
    await expect(freshness).to_have_attribute("data-level", "live")


async def test_a_page_that_was_away_misses_nothing(joins: Joins):
    ann, rita = await joins("ann", PHONE), await joins("rita", DESK)
    await expect(rita.page.locator("live-freshness")).to_have_attribute("data-level", "live")
    await rita.page.evaluate("document.querySelector('live-freshness').dataset.same = 'yes'")
    await rita.context.set_offline(True)
    await ann.publishes()

    await rita.context.set_offline(False)

    await expect(rita.page.locator(".slot", has_text="Dr Ann Martin")).to_be_visible(timeout=40_000)
    await expect(rita.page.locator("live-freshness")).to_have_attribute("data-same", "yes")


async def test_a_search_filters_what_arrives_live(joins: Joins):
    nina, ann = await joins("nina", PHONE), await joins("ann", PHONE)
    rita = await joins("rita", DESK)
    await rita.goes_to("/regulation?qui=60&commune=Bédarieux&rayon=5")
    await expect(rita.page.locator("live-freshness")).to_have_attribute("data-level", "live")

    await ann.publishes()
    await nina.publishes()

    await expect(rita.page.locator(".slot")).to_have_count(1)
    await expect(rita.page.locator(".slot")).to_contain_text("Nina Petit")
    await expect(rita.page.locator(".slot")).to_contain_text("à moins de 1 km")


@pytest.mark.prove
async def test_a_question_that_was_opened_meanwhile_is_not_drawn_over(joins: Joins):
    ann, rolf = await joins("ann", DESK), await joins("rolf", DESK)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    waiting: asyncio.Future[Route] = asyncio.get_running_loop().create_future()

    async def keep_the_first(route: Route) -> None:
        if waiting.done():
            await route.continue_()
        else:
            waiting.set_result(route)

    await rolf.page.route("**/rendez-vous/*?fragment=fiche", keep_the_first)
    await rolf.books("Dr Ann Martin")
    drawing = await asyncio.wait_for(waiting, WITHIN_MS / 1000)
    await rolf.page.locator("summary", has_text="Annuler").click()

    async with rolf.page.expect_event("requestfinished", lambda one: "fragment=fiche" in one.url):
        await drawing.continue_()
    # A later question's answer: by then the page has done what it does with the first one.
    await rolf.page.evaluate("fetch(location.href).then((answer) => answer.text())")

    await expect(rolf.page.locator("details.sure[open]")).to_have_count(1)
    await rolf.presses("Oui, annuler", exact=False)
    await rolf.sees("Annulé")
