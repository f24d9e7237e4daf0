"""A phone publishes, the Centre 15 sees it and books, the phone sees who comes: nobody reloads."""

import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_phone_publishes_and_the_centre_15_sees_it_live_and_books(joins: Joins):
    rita, ann = await joins("rita", DESK), await joins("ann", PHONE)
    await expect(rita.page.get_by_role("heading", name="Régulation")).to_be_visible()
    await expect(rita.page.locator("live-freshness")).to_have_attribute("data-level", "live")

    await ann.publishes()
    row = rita.page.locator(".slot", has_text="Dr Ann Martin")
    await expect(row).to_be_visible()

    reference = await rita.books("Dr Ann Martin")
    await expect(ann.page.locator(".mine .reference")).to_have_text(reference)
    await ann.sees("Rita Simon, SAMU 34, Centre 15")
    await ann.sees("Adressé par la régulation")
    await rita.sees("Pas encore vu")
    await ann.presses("J’ai vu", exact=False)
    await rita.sees("Vu par le professionnel")
    await expect(ann.page.get_by_role("link", name="06 00 00 00")).to_have_attribute(
        "href", "tel:0600000010"
    )


async def test_what_the_phone_withdraws_says_so_on_the_board(joins: Joins):
    rita, ann = await joins("rita", DESK), await joins("ann", PHONE)
    await ann.publishes()
    row = rita.page.locator(".slot", has_text="Dr Ann Martin")
    await expect(row.get_by_role("button", name="Retenir")).to_be_visible()

    await ann.presses("Annuler la publication")

    await expect(row.locator(".state")).to_have_text("Retiré")
    await expect(row.get_by_role("button", name="Retenir")).to_be_hidden()
