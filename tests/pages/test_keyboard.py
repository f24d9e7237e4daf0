"""Whole flows by keyboard alone, with the names and roles that a screen reader says."""

import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins, Person

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


async def tabs_to(person: Person, role: str, name: str, *, at_most: int = 40) -> None:
    """Press Tab until the focus is on what has this role and this name."""
    wanted = person.page.get_by_role(role, name=name).first
    await wanted.wait_for()
    for _ in range(at_most):
        await person.page.keyboard.press("Tab")
        if await wanted.evaluate("(one) => one === document.activeElement"):
            return
    raise AssertionError(f"{at_most} tabs lead to no {role} {name}")


async def test_a_professional_publishes_answers_and_withdraws_without_a_mouse(joins: Joins):
    ann, rolf = await joins("ann", DESK), await joins("rolf", DESK)
    await tabs_to(ann, "button", "Demain matin")
    await ann.page.keyboard.press("Enter")
    await ann.sees("Publié. Les autres")

    await rolf.goes_to("/orienter")
    await rolf.books("Dr Ann Martin")
    await ann.sees("Cabinet des Rosiers")
    await ann.page.locator("body").focus()
    await tabs_to(ann, "button", "Retirer le créneau")
    await ann.page.keyboard.press("Enter")
    await ann.sees("1 patient est attendu")
    await tabs_to(ann, "button", "Retirer et annuler 1 rendez-vous")
    await ann.page.keyboard.press("Enter")

    await expect(ann.page.locator(".mine .state").first).to_have_text("Retiré")


async def test_a_gp_searches_books_and_cancels_without_a_mouse_in_two_keystrokes_a_booking(
    joins: Joins,
):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await ann.publishes()
    page = rolf.page
    await rolf.goes_to("/orienter")
    await page.keyboard.press("Control+K")
    await page.keyboard.type("généraliste")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Retenir Dr Ann Martin")).to_be_focused()

    keystrokes = 0
    for focused in ("Retenir Dr Ann Martin", "Confirmer le rendez-vous"):
        await expect(page.get_by_role("button", name=focused)).to_be_focused()
        await page.keyboard.press("Enter")
        keystrokes += 1
    await rolf.sees("C’est réservé")
    assert keystrokes == 2

    summary = page.locator("summary", has_text="Annuler")
    await summary.focus()
    await page.keyboard.press("Enter")
    await tabs_to(rolf, "button", "Oui, annuler")
    await page.keyboard.press("Enter")
    await rolf.sees("Rendez-vous annulé")


async def test_what_a_screen_reader_hears_of_a_board_names_each_thing(joins: Joins):
    ann, rita = await joins("ann", PHONE), await joins("rita", DESK)
    await ann.publishes()
    await rita.goes_to("/regulation")

    await expect(rita.page.get_by_role("main")).to_match_aria_snapshot(
        """
        - heading "Régulation" [level=1]
        - search:
          - combobox "Profession, acte ou personne"
          - combobox "Commune du patient"
          - combobox "Délai"
          - button "Chercher"
        - button /Figer/
        - region /libres . 1$/:
          - heading /libres . 1$/ [level=2]
          - list:
            - listitem:
              - list:
                - listitem:
                  - paragraph:
                    - strong: Dr Ann Martin
                  - paragraph:
                    - button /Retenir Dr Ann Martin, .+ à .+/
        """
    )
