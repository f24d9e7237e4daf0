"""The patient's contact in a browser: left with the booking, seen by a press, and never kept there."""

import json

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins, Person
from tests.pages.boards import offers
from tests.pages.test_accessible import must_be_clean
from tests.pages.test_drafts import KEPT, signs_in_on_the_page
from tests.world import World, make_world

pytestmark = pytest.mark.asyncio(loop_scope="session")

SUMMARY = "Coordonnées du patient, si elles sont utiles"
NAME, PHONE_NUMBER = "Kanarienvogel J.", "06 12 34 56 78"
NARROW = {"width": 360, "height": 780}


@pytest_asyncio.fixture(loop_scope="session")
async def world(owner_url: str) -> World:
    """The first territory keeps contacts for two days; the second keeps none."""
    owner = await asyncpg.connect(owner_url)
    made = await make_world(owner)
    await owner.execute("UPDATE territory SET contact_kept_h = 48 WHERE id = 1")
    await owner.close()
    return made


async def opens_the_form(joins: Joins, size=DESK, **named) -> tuple[Person, Person]:
    """Rolf holds a place of ann's, with the fields open before him."""
    ann, rolf = await joins("ann", PHONE, **named), await joins("rolf", size, **named)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    await rolf.holds("Dr Ann Martin")
    await rolf.page.get_by_text(SUMMARY).click()
    return ann, rolf


async def types(person: Person) -> None:
    await person.page.get_by_label("Nom ou initiales").fill(NAME)
    await person.page.get_by_label("Année de naissance").fill("1951")
    await person.page.get_by_label("Téléphone").fill(PHONE_NUMBER)


async def stored_in(person: Person) -> str:
    """All that this browser keeps by itself."""
    kept = await person.page.evaluate(
        """async () => {
          const databases = (await indexedDB.databases?.()) ?? []
          const caches_ = []
          for (const name of await caches.keys())
            for (const request of await (await caches.open(name)).keys())
              caches_.push(request.url, await (await caches.match(request)).text())
          return [{ ...localStorage }, { ...sessionStorage }, databases, caches_, history.state, location.href]
        }"""
    )
    return json.dumps(kept, ensure_ascii=False)


async def test_it_is_left_with_the_booking_and_seen_by_a_press(joins: Joins):
    ann, rolf = await opens_the_form(joins)
    await rolf.sees("Lu seulement par votre organisation, Dr Ann Martin et ses délégués")
    await types(rolf)

    await rolf.presses("Confirmer le rendez-vous")

    await rolf.sees("les coordonnées sont enregistrées")
    await expect(rolf.page.get_by_text(NAME)).to_have_count(0)
    await ann.goes_to(rolf.page.url.removeprefix(rolf.service.url).partition("?")[0])
    await ann.sees("Des coordonnées ont été laissées")
    await ann.presses("Voir les coordonnées")
    await ann.sees(NAME)
    await expect(
        ann.page.get_by_role("link", name=PHONE_NUMBER.replace(" ", "\u00a0"))
    ).to_be_visible()
    for person in (ann, rolf):
        stored = await stored_in(person)
        assert NAME not in stored
        assert PHONE_NUMBER not in stored
    await ann.page.reload()
    await expect(ann.page.get_by_text(NAME)).to_have_count(0)


@pytest.mark.prove
async def test_it_is_changed_and_erased_on_the_sheet(joins: Joins):
    _, rolf = await opens_the_form(joins)
    await types(rolf)
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.presses("Voir les coordonnées")

    await rolf.page.get_by_text("Modifier les coordonnées").click()
    await rolf.page.get_by_label("Téléphone").fill("la voisine")
    await rolf.presses("Enregistrer")
    await rolf.sees("Donnez un numéro de téléphone")
    await expect(rolf.page.get_by_label("Nom ou initiales")).to_have_value(NAME)
    await expect(rolf.page.get_by_label("Téléphone")).to_be_focused()
    await rolf.page.get_by_label("Téléphone").fill("")
    await rolf.presses("Enregistrer")
    await rolf.sees("Coordonnées enregistrées")

    await rolf.page.get_by_text("Effacer les coordonnées…").click()
    await rolf.presses("Oui, effacer")
    await rolf.sees("Coordonnées effacées")
    await rolf.sees("Aucune pour ce rendez-vous")


async def test_a_mistake_books_nothing_yet_and_keeps_what_was_typed(joins: Joins):
    _, rolf = await opens_the_form(joins)
    await types(rolf)
    await rolf.page.get_by_label("Motif").select_option("pain")
    await rolf.page.get_by_label("Année de naissance").fill("51")
    await rolf.presses("Confirmer le rendez-vous")

    await rolf.sees("Donnez l’année en quatre chiffres")
    await expect(rolf.page.get_by_label("Année de naissance")).to_be_focused()
    await expect(rolf.page.get_by_label("Nom ou initiales")).to_have_value(NAME)
    await expect(rolf.page.get_by_label("Motif")).to_have_value("pain")
    await expect(rolf.page.locator("hold-countdown")).to_be_visible()
    await rolf.page.get_by_label("Année de naissance").fill("1951")
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("les coordonnées sont enregistrées")


async def test_a_draft_of_the_browser_has_nothing_of_the_patient(joins: Joins):
    _, rolf = await opens_the_form(joins)
    await types(rolf)
    await rolf.page.get_by_label("Motif").select_option("pain")
    await rolf.context.clear_cookies()
    await rolf.presses("Confirmer le rendez-vous")
    await expect(rolf.page.get_by_label("Adresse de courriel")).to_be_visible()

    stored = await stored_in(rolf)
    assert '\\"reason\\"' in stored  # the rest is kept
    assert NAME not in stored
    assert PHONE_NUMBER not in stored

    await signs_in_on_the_page(rolf, "rolf")
    await rolf.sees(KEPT)
    await rolf.sees("Les coordonnées du patient, elles, ne sont pas gardées")
    await expect(rolf.page.get_by_label("Motif")).to_have_value("pain")
    await expect(rolf.page.get_by_label("Nom ou initiales")).to_have_value("")


async def test_without_scripts_it_works_as_well(joins: Joins):
    ann = await joins("ann", PHONE)
    rolf = await joins("rolf", DESK, java_script_enabled=False)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    row = rolf.page.locator(".slot", has_text="Dr Ann Martin").first
    await row.get_by_role("button", name="Retenir").click()
    await rolf.page.get_by_text(SUMMARY).click()
    await types(rolf)
    await rolf.page.get_by_label("Année de naissance").fill("51")
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("Donnez l’année en quatre chiffres")
    await rolf.page.get_by_label("Année de naissance").fill("1951")
    await rolf.presses("Confirmer le rendez-vous")

    await rolf.presses("Voir les coordonnées")
    await rolf.sees(NAME)


@pytest.mark.prove
async def test_a_visit_has_a_line_for_its_address_and_who_reads_it_has_been_told(joins: Joins):
    nina, rolf = await joins("nina", PHONE), await joins("rolf", DESK)
    await offers(nina, "nina", 1, modality="HH", area={"radius_km": 20}, acts=["dressing"])
    await rolf.goes_to("/orienter")
    await rolf.holds("Nina Petit")
    await rolf.page.get_by_text(SUMMARY).click()
    await rolf.page.get_by_label("Adresse de la visite").fill("3 rue des Lilas")
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("ou dans les coordonnées du patient")

    await nina.goes_to("/disponibilites")
    await nina.sees("Adresse à lire dans les coordonnées du patient")
    await nina.page.get_by_role("link", name="Coordonnées du patient").click()
    await nina.presses("Voir les coordonnées")
    await nina.sees("3 rue des Lilas")

    await rolf.sees("Adresse transmise à")


@pytest.mark.parametrize("size", [DESK, NARROW], ids=["desk", "narrow"])
@pytest.mark.prove
async def test_its_pages_are_clean(joins: Joins, size):
    _, rolf = await opens_the_form(joins, size, color_scheme="dark")
    await types(rolf)
    await must_be_clean(rolf)
    await rolf.page.get_by_label("Année de naissance").fill("51")
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("Donnez l’année en quatre chiffres")
    await must_be_clean(rolf)
    await rolf.page.get_by_label("Année de naissance").fill("1951")
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("les coordonnées sont enregistrées")
    await must_be_clean(rolf)
    await rolf.presses("Voir les coordonnées")
    await rolf.page.get_by_text("Modifier les coordonnées").click()
    await rolf.page.get_by_text("Effacer les coordonnées…").click()
    await must_be_clean(rolf)


async def test_where_it_is_off_the_form_asks_for_nothing(joins: Joins):
    carl, rolf = await joins("carl", PHONE), await joins("rolf", DESK)
    await offers(carl, "carl", 1, audience=["PRO"])
    await rolf.goes_to("/orienter")
    await rolf.holds("Dr Carl Durand")

    await rolf.sees("Rien sur le patient n’est enregistré")
    await expect(rolf.page.get_by_text(SUMMARY)).to_have_count(0)
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("C’est réservé")
    await expect(rolf.page.get_by_text("Coordonnées du patient")).to_have_count(0)
