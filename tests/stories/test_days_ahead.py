"""An office that publishes days ahead, and a radiology secretary who opens two places."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from slots.times import PARIS
from tests.browser import DESK, Joins

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_friday_publishes_monday_and_it_stays_off_the_boards_until_then(joins: Joins):
    olga, rolf = await joins("olga", DESK), await joins("rolf", DESK)
    monday = (datetime.now(UTC) + timedelta(days=3)).astimezone(PARIS).date()

    await olga.page.get_by_text("Un autre moment").click()
    await olga.page.get_by_label("Jour").fill(monday.isoformat())
    await olga.page.get_by_label("Heure", exact=True).fill("09:00")
    await olga.presses("Ajouter un créneau")
    await olga.page.get_by_label("Heure", exact=True).last.fill("09:30")
    await olga.presses("Publier ces moments")

    await olga.sees("Enregistré. Il paraîtra 48 h avant son heure.")
    await expect(olga.page.locator(".mine")).to_have_count(2)
    await expect(olga.page.locator(".mine .slot-hour")).to_have_text(["9 h", "9 h 30"])
    await rolf.goes_to("/orienter")
    await expect(rolf.page.locator("slot-list")).to_be_visible()
    await expect(rolf.page.locator(".slot")).to_have_count(0)


async def test_a_radiology_secretary_opens_two_places_and_two_patients_take_them(joins: Joins):
    dora, rolf, ann = [await joins(name, DESK) for name in ("dora", "rolf", "ann")]

    await dora.presses("Une place de plus")
    await dora.publishes()
    for person in (rolf, ann):
        await person.goes_to("/orienter?acte=x-ray")
    await rolf.sees("2 places sur 2")
    first = await rolf.books("Radiologie")
    await rolf.sees("Ordonnance requise.")
    await ann.sees("1 place sur 2")
    second = await ann.books("Radiologie")

    await expect(dora.page.locator(".mine .state").first).to_have_text("Complet")
    for reference in (first, second):
        await expect(dora.page.locator(".mine", has_text=reference)).to_be_visible()
