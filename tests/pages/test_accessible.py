"""Every page passes axe, in the light and in the dark, and fits a narrow phone."""

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.browser import DESK, PHONE, Joins, Person
from web.pages.routes import PAGE_ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="session")

NARROW = {"width": 320, "height": 640}
# Whoever sees the page with most on it. A page with an id in its address is reached in a flow.
VISITORS = {
    "/connexion": None,
    "/accessibilite": None,
    "/disponibilites": "ann",
    "/orienter": "ann",
    "/regulation": "rita",
    "/orientations": "ann",
    "/annuaire": "ann",
    "/annuaire/papier": "ann",
}
REDIRECTS = {"/", "/annuaire.csv"}  # and what is no page


async def test_no_page_is_left_out():
    pages = {route.path for route in PAGE_ROUTES if "GET" in (getattr(route, "methods", ()) or ())}

    assert {path for path in pages if "{" not in path} == set(VISITORS) | REDIRECTS


async def must_be_clean(person: Person) -> None:
    results = await Axe().run(person.page, options={"resultTypes": ["violations"]})
    assert results.response["violations"] == [], results.generate_report()
    width = await person.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, "the page scrolls sideways"


@pytest.mark.parametrize("scheme,viewport", [("light", DESK), ("dark", PHONE), ("light", NARROW)])
async def test_every_page_passes_axe(joins: Joins, scheme, viewport):
    stranger = await joins(None, viewport, color_scheme=scheme)
    await stranger.goes_to("/connexion")
    await must_be_clean(stranger)
    await stranger.page.get_by_role("link", name="Accessibilité").click()
    await stranger.sees("Déclaration d’accessibilité")
    await must_be_clean(stranger)
    ann = await joins("ann", viewport, color_scheme=scheme)
    await ann.publishes()
    await must_be_clean(ann)
    await ann.page.get_by_text("Un autre moment").click()
    await must_be_clean(ann)
    rita = await joins("rita", viewport, color_scheme=scheme)
    await rita.page.locator(".slot").wait_for()
    await must_be_clean(rita)
    await rita.holds("Dr Ann Martin")
    await must_be_clean(rita)
    await rita.presses("Confirmer le rendez-vous")
    await rita.sees("C’est réservé")
    await must_be_clean(rita)
    for path in ("/orientations", "/annuaire", "/annuaire/papier", "/orienter", "/rien"):
        await rita.goes_to(path)
        await must_be_clean(rita)
    await ann.goes_to("/disponibilites")
    await ann.page.get_by_role("button", name="Retirer le créneau").click()
    await ann.sees("1 patient est attendu")
    await must_be_clean(ann)
    await ann.presses("Retirer et annuler 1 rendez-vous")
    await rita.goes_to("/regulation")
    await rita.sees("1 patient à prévenir")
    await must_be_clean(rita)
