"""What happens on a board while something else is on its way: nothing is lost, nothing old wins."""

import asyncio
import re
from datetime import timedelta

import pytest
from playwright.async_api import Route, expect

from tests.browser import DESK, PHONE, WITHIN_MS, Joins, Person
from tests.pages.boards import is_live, offers, rows

pytestmark = pytest.mark.asyncio(loop_scope="session")

A_SUITE = "**/regulation?*fragment=suite*"


class Kept:
    """The first answer to a request, kept until it is let go; what follows goes its way."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._let_go, self._arrived = asyncio.Event(), asyncio.Event()

    async def __call__(self, route: Route) -> None:
        if self._answered.done():
            return await route.fallback()
        answer = await route.fetch()
        self._answered.set_result(None)
        await self._let_go.wait()
        await route.fulfill(response=answer)
        self._arrived.set()
        return None

    async def has_answered(self) -> None:
        await asyncio.wait_for(asyncio.shield(self._answered), WITHIN_MS / 1000)

    async def let_go(self) -> None:
        self._let_go.set()
        await asyncio.wait_for(self._arrived.wait(), WITHIN_MS / 1000)


async def test_what_happens_between_the_drawing_of_a_page_and_its_arrival_is_not_lost(
    joins: Joins,
):
    ann, bob, rolf, rita = [await joins(name) for name in ("ann", "bob", "rolf", "rita")]
    await offers(bob, "bob", 1)
    await rolf.goes_to("/orienter")
    await is_live(rolf)
    await rolf.holds("Dr Bob Bernard")
    kept = Kept()
    await rolf.page.route("**/liberer", kept)
    await rolf.presses("Rendre la place")
    await kept.has_answered()

    await offers(ann, "ann", 1)  # told on the socket that rolf's page still has
    await expect(rita.page.locator(".slot", has_text="Dr Ann Martin")).to_be_visible()
    await kept.let_go()

    await expect(rolf.page.locator(".slot", has_text="Dr Ann Martin")).to_be_visible()


@pytest.mark.prove
async def test_what_is_booked_while_more_rows_are_on_their_way_does_not_come_free(joins: Joins):
    for name in ("ann", "bob"):
        await offers(await joins(name), name, 65)
    nina, rolf, rita = await joins("nina"), await joins("rolf"), await joins("rita")
    await offers(nina, "nina", 1, after=timedelta(hours=23, minutes=30))
    kept = Kept()
    await rita.page.route(A_SUITE, kept)
    await rita.goes_to("/regulation")
    await expect(rows(rita)).to_have_count(100)
    late = rita.page.locator(".slot", has_text="Nina Petit")
    await expect(late).to_have_count(0)
    more = rita.page.locator("[data-from-h='12'] .more")
    await more.scroll_into_view_if_needed()
    await kept.has_answered()

    await rolf.goes_to("/orienter?quoi=infirmier")
    await rolf.books("Nina Petit")
    await kept.let_go()

    await expect(rita.page.locator("[data-from-h='12'] .more")).to_have_count(0)
    await expect(late.and_(rita.page.locator("[data-status=free]"))).to_have_count(0)


@pytest.mark.prove
async def test_rows_that_time_alone_brings_nearer_are_asked_for(joins: Joins):
    for name in ("ann", "bob"):
        await offers(await joins(name), name, 65)
    rita = await joins(None, DESK)
    await rita.page.clock.install()
    await rita.page.route(A_SUITE, lambda route: route.abort())
    await rita.signs_in("rita")
    await is_live(rita)
    await expect(rows(rita)).to_have_count(100)

    await rita.page.clock.fast_forward("09:00:00")  # as after a sleep: no event tells of it

    # Of 130, those that began meanwhile are over; all others are there.
    over = 2 * len([start for start in range(30, 540, 25) if start + 5 <= 540])
    await expect(rows(rita)).to_have_count(130 - over)


async def test_a_proxy_without_a_service_behind_it_is_no_answer(joins: Joins):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    await rolf.holds("Dr Ann Martin")

    async def bad_gateway(route: Route) -> None:
        await route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    await rolf.page.route("**/confirmer", bad_gateway, times=1)
    await rolf.presses("Confirmer le rendez-vous")

    await rolf.sees("C’est réservé")


async def test_an_answer_that_was_overtaken_does_not_replace_the_page(joins: Joins):
    ann, bob, rolf = [await joins(name) for name in ("ann", "bob", "rolf")]
    await offers(ann, "ann", 1)
    await offers(bob, "bob", 1)
    await rolf.goes_to("/orienter")
    kept = Kept()
    await rolf.page.route("**/retenir", kept)
    await hold(rolf, "Dr Ann Martin")
    await kept.has_answered()
    await hold(rolf, "Dr Bob Bernard")
    await rolf.sees("Cabinet de Magalas")

    await kept.let_go()
    # A later question's answer: by then the page has done what it does with the first one.
    await rolf.page.evaluate("fetch(location.href).then((answer) => answer.text())")

    await expect(rolf.page.get_by_text("Cabinet de Magalas")).to_be_visible()
    await expect(rolf.page.get_by_text("Dr Ann Martin")).to_have_count(0)


async def hold(person: Person, whose: str) -> None:
    row = person.page.locator(".slot", has_text=whose).first
    await row.get_by_role("button", name="Retenir").click()


async def test_nobody_leads_a_colleague_to_another_site(joins: Joins):
    ann, rolf = await joins("ann"), await joins("rolf")
    await offers(ann, "ann", 1)
    await rolf.goes_to("/orienter")
    await rolf.holds("Dr Ann Martin")
    url = re.sub(r"&back=[^&]*", "", rolf.page.url)
    digit = url.split("?")[0][-1]
    nobodys = url.replace(f"{digit}?", f"{'0' if digit != '0' else '1'}?", 1)
    for foreign in ("https://evil.example/", "//evil.example/", "/%09/evil.example"):
        await rolf.page.goto(f"{nobodys}&back={foreign}")
        await rolf.presses("Confirmer le rendez-vous")
        back = rolf.page.get_by_role("link", name="Revenir")
        await expect(back).to_have_attribute("href", "/orienter")
