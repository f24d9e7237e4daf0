"""The two nights of summer time, with the clocks of server, scripts and browser all moved there."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, expect

from slots.clock import Clock
from slots.french import NBSP
from slots.settings import Settings
from tests.browser import DESK, PHONE, Person, serving
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

AUTUMN = datetime(2027, 10, 30, 22, 0, tzinfo=UTC)  # midnight in France; 3 h becomes 2 h
SPRING = datetime(2027, 3, 27, 23, 30, tzinfo=UTC)  # half past midnight; 2 h becomes 3 h


@contextlib.asynccontextmanager
async def people_of(
    at: datetime, world: World, settings: Settings, chromium: Browser
) -> AsyncIterator:
    clock = Clock(at - datetime.now(UTC))
    async with serving(world, settings, clock) as service:
        contexts = []

        async def joined(name: str, viewport=DESK, **options) -> Person:
            context = await chromium.new_context(
                viewport=viewport,
                locale="fr-FR",
                timezone_id="Europe/Paris",
                service_workers="block",
                **options,
            )
            contexts.append(context)
            person = Person(context, await context.new_page(), service)
            await person.page.clock.install(time=clock.now())
            await person.signs_in(name)
            return person

        yield joined
        for context in contexts:
            await context.close()


async def types(ann: Person, hour: str) -> None:
    await ann.goes_to("/disponibilites")
    details = ann.page.locator("[data-offer] details, form details").first
    if await details.get_attribute("open") is None:
        await ann.page.get_by_text("Un autre moment").click()
    await ann.page.get_by_label("Heure", exact=True).first.fill(hour)
    await ann.presses("Publier ces moments")


async def test_the_hour_that_exists_twice_is_asked_for_and_told_everywhere(
    world: World, settings: Settings, chromium: Browser
):
    async with people_of(AUTUMN, world, settings, chromium) as joins:
        ann, rita = await joins("ann", PHONE), await joins("rita")
        plain = await joins("rita", DESK, java_script_enabled=False)
        for which, said in (("1", "hiver"), ("0", "été")):
            await types(ann, "02:30")
            await ann.sees("existe deux fois")
            await ann.page.get_by_label("Laquelle").select_option(which)
            await ann.presses("Publier ces moments")
            await ann.sees("Publié.")
            await expect(ann.page.locator(".mine", has_text=f"heure d’{said}")).to_have_count(1)

        summer = rita.page.locator(".slot", has_text=f"2{NBSP}h{NBSP}30 (heure d’été)")
        winter = rita.page.locator(".slot", has_text=f"2{NBSP}h{NBSP}30 (heure d’hiver)")
        await expect(summer.locator("[data-delay]")).to_have_text(f"dans 2{NBSP}h{NBSP}29")
        await expect(winter.locator("[data-delay]")).to_have_text(f"dans 3{NBSP}h{NBSP}29")
        starts = await rita.page.locator(".slot").evaluate_all(
            "(all) => all.map((one) => one.dataset.startsAt)"
        )
        assert starts == ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"]
        await plain.goes_to("/regulation")
        for row in ("été", "hiver"):  # the server says the same as the script
            told = plain.page.locator(".slot", has_text=f"(heure d’{row})")
            await expect(told.locator("[data-day]")).to_have_text("aujourd’hui")


@pytest.mark.prove
async def test_the_hour_that_is_not_there_is_refused_and_delays_leave_it_out(
    world: World, settings: Settings, chromium: Browser
):
    async with people_of(SPRING, world, settings, chromium) as joins:
        ann, rita = await joins("ann", PHONE), await joins("rita")
        await types(ann, "02:30")
        await ann.sees("n’existe pas")

        await types(ann, "03:15")
        await ann.sees("Publié.")

        row = rita.page.locator(".slot")
        await expect(row.locator(".slot-hour")).to_have_text(f"3{NBSP}h{NBSP}15")
        await expect(row.locator("[data-delay]")).to_have_text(f"dans 1{NBSP}h{NBSP}44")
        await rita.holds("Dr Ann Martin")
        await rita.presses("Confirmer le rendez-vous")
        await rita.sees("C’est réservé")
        await rita.sees(f"Dimanche 28 mars 2027 à 3{NBSP}h{NBSP}15")


async def test_a_night_of_25_hours_is_one_day(world: World, settings: Settings, chromium: Browser):
    late = AUTUMN + timedelta(hours=24, minutes=30)  # 23 h 30 of the same, longer day
    async with people_of(late, world, settings, chromium) as joins:
        ann, rolf = await joins("ann", PHONE), await joins("rolf")
        await rolf.goes_to("/orienter")
        await types(ann, "23:50")
        await ann.sees("Publié.")

        await expect(rolf.page.locator("[data-group]").first.locator(".slot")).to_have_count(1)
        await expect(rolf.page.locator("[data-group] h2").first).to_contain_text("aujourd’hui")
