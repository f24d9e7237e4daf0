"""The board of the regulation by keyboard alone, from the search to the reference."""

import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_regulator_books_without_a_mouse(joins: Joins):
    ann, rita = await joins("ann", PHONE), await joins("rita", DESK)
    await ann.publishes()
    page = rita.page
    await expect(page.locator(".slot")).to_be_visible()

    await page.get_by_label("Commune du patient").focus()
    await page.keyboard.type("34600")
    await page.keyboard.press("Enter")
    await rita.sees("Commune inconnue")
    await page.get_by_label("Commune du patient").fill("Magalas")
    await page.keyboard.press("Enter")
    await rita.sees("à 15 km")
    await expect(page.locator("live-freshness")).to_have_attribute("data-level", "live")
    # The search leads to its first answer.
    await expect(page.locator(".hold").first).to_be_focused()
    await page.keyboard.press("Enter")
    # The focus waits on the button that confirms.
    await expect(page.get_by_role("button", name="Confirmer le rendez-vous")).to_be_focused()
    await page.keyboard.press("Enter")

    await rita.sees("C’est réservé")
