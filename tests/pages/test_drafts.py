"""What was typed outlives the session in which it was typed."""

import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, WITHIN_MS, Joins, Person
from tests.world import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEPT = "votre saisie est conservée"


async def signs_in_on_the_page(person: Person, name: str) -> None:
    await person.page.get_by_label("Adresse de courriel").fill(person.service.world.email(name))
    await person.page.get_by_label("Mot de passe").fill(PASSWORD)
    await person.presses("Se connecter")


async def types_an_offer(ann: Person) -> None:
    await ann.goes_to("/disponibilites")
    await ann.page.get_by_text("Un autre moment").click()
    await ann.page.get_by_label("Heure").fill("18:35")
    await ann.presses("Ajouter un créneau")
    await ann.page.get_by_label("Heure").nth(1).fill("19:05")
    await ann.page.get_by_role("radio", name="Visite à domicile").check()
    await ann.page.get_by_label("Rayon autour du cabinet").fill("17")
    await ann.page.get_by_label("Note").fill("Sonner deux fois")


async def test_a_session_that_ended_gives_back_the_page_with_all_that_was_typed(joins: Joins):
    ann = await joins("ann", PHONE)
    await types_an_offer(ann)
    await ann.context.clear_cookies()
    await ann.presses("Publier ces moments")

    await signs_in_on_the_page(ann, "ann")

    await ann.sees(KEPT)
    page = ann.page
    await expect(page.get_by_label("Heure").nth(0)).to_have_value("18:35")
    await expect(page.get_by_label("Heure").nth(1)).to_have_value("19:05")
    await expect(page.get_by_role("radio", name="Visite à domicile")).to_be_checked()
    await expect(page.get_by_label("Rayon autour du cabinet")).to_have_value("17")
    await expect(page.get_by_label("Note")).to_have_value("Sonner deux fois")
    await expect(page.locator(".mine")).to_have_count(0)  # nothing was sent by itself
    await page.reload()
    await expect(page.get_by_text(KEPT)).to_have_count(0)


async def test_somebody_else_who_signs_in_sees_nothing_of_it(joins: Joins):
    ann = await joins("ann", PHONE)
    await types_an_offer(ann)
    await ann.context.clear_cookies()
    await ann.presses("Publier ces moments")

    await signs_in_on_the_page(ann, "bob")

    await ann.page.wait_for_url("**/disponibilites", timeout=WITHIN_MS)
    await expect(ann.page.get_by_label("Note")).to_have_value("")
    await expect(ann.page.get_by_text(KEPT)).to_have_count(0)


async def test_a_held_place_is_confirmed_after_signing_in_again(joins: Joins):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    await rolf.holds("Dr Ann Martin")
    await rolf.page.get_by_label("Motif").select_option("pain")
    await rolf.context.clear_cookies()
    await rolf.presses("Confirmer le rendez-vous")

    await signs_in_on_the_page(rolf, "rolf")

    await rolf.sees(KEPT)
    await expect(rolf.page.get_by_label("Motif")).to_have_value("pain")
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("C’est réservé")
