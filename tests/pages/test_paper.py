"""The board on paper: what is left when the network is gone."""

import re

import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(("who", "path"), [("rita", "/regulation"), ("rolf", "/orienter")])
async def test_the_places_of_the_next_48_hours_print_with_their_telephones(joins: Joins, who, path):
    ann, reader = await joins("ann", PHONE), await joins(who, DESK)
    await ann.publishes()
    await reader.goes_to(path)
    row = reader.page.locator(".slot")
    telephone = row.get_by_text(re.compile(r"04(.\d\d){4}"))
    await expect(telephone).to_be_hidden()  # on screen it is one tap away
    await reader.page.get_by_role("link", name="Toutes les places, à imprimer").click()

    await reader.page.emulate_media(media="print")

    await expect(telephone).to_be_visible()
    await expect(row.get_by_text("Dr Ann Martin")).to_be_visible()
    await expect(reader.page.get_by_text("Ce papier vieillit")).to_be_visible()
    for not_on_paper in ("Retenir", "Chercher", "Figer"):
        button = reader.page.get_by_role("button", name=not_on_paper)
        await expect(button).to_have_count(0)


@pytest.mark.prove
async def test_what_cannot_be_booked_is_not_printed(joins: Joins):
    ann, rolf, rosa = (
        await joins("ann", PHONE),
        await joins("rolf", DESK),
        await joins("rosa", DESK),
    )
    await ann.publishes()
    await rosa.goes_to("/orienter")
    await rosa.holds("Dr Ann Martin")
    await rolf.goes_to("/orienter")
    await expect(rolf.page.locator(".slot")).to_have_attribute("data-status", "busy-tentative")

    await rolf.page.emulate_media(media="print")

    await expect(rolf.page.locator(".slot")).to_be_hidden()
