"""Every page passes axe, in the light and in the dark, and fits a narrow phone."""

from datetime import UTC, datetime

import asyncpg
import pyotp
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe

from slots.store.ticket import Purpose, open_ticket
from slots.transaction import looking
from tests.browser import DESK, PHONE, Joins, Person
from tests.screens import offer
from tests.world import HAUTS
from web.pages.routes import PAGE_ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="session")

NARROW = {"width": 320, "height": 640}
# As a browser does whose reader has set a larger text.
TWICE_AS_LARGE = """
document.addEventListener("DOMContentLoaded", () => {
  document.documentElement.style.fontSize = "200%";
});
"""
# What reaches beyond the window, where the page can be moved sideways to see it.
TOO_WIDE = """
document.documentElement.scrollWidth <= innerWidth ? [] :
  [location.pathname, ...[...document.querySelectorAll("main *, header *, footer *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 30)}`)]
"""
# Whoever sees the page with most on it. A page with an id in its address is reached in a flow.
VISITORS = {
    "/connexion": None,
    "/mot-de-passe-oublie": None,
    "/accessibilite": None,
    "/hors-ligne": None,
    "/disponibilites": "ann",
    "/disponibilites/hors-ligne": "ann",
    "/orienter": "ann",
    "/regulation": "rita",
    "/mur": "rita",
    "/orientations": "ann",
    "/compte": "ann",
    "/compte/code": "ann",
    "/compte/confirmer": "ann",
    "/compte/logiciels": "rita",
    "/compte/mot-de-passe": "ann",
    "/coordination": "cora",
    "/coordination/reglages": "cora",
    "/coordination/actes": "cora",
    "/coordination/import": "cora",
    "/coordination/doublons": "cora",
    "/coordination/professionnels": "cora",
    "/delegations": "ann",
    "/droits": "ann",
    "/installation": "cora",
    "/annuaire": "ann",
    "/annuaire/papier": "ann",
}
# What only leads on from somewhere: `every_account_page_is_clean` goes there.
IN_FLOWS = {"/connexion/facteur", "/protection", "/nouveau-mot-de-passe", "/verrou"}
# And what only who comes from Pro Santé Connect sees: tests/pages/test_pro_sante_connect.py.
FROM_THERE = {"/connexion/psc", "/connexion/psc/retour", "/admission", "/au-revoir"}
# Pages with a number or an id in their address that no flow reaches.
WITH_NUMBERS = {"/coordination/1/journal": "cora"}
# And what is no page.
REDIRECTS = {
    "/",
    "/compte/prouver",
    "/annuaire.csv",
    "/coordination/personnes.csv",
    "/manifest.webmanifest",
    "/service-worker.js",
}


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def _cora_administers(world, owner_url):
    """Cora sees the pages of the installation as well."""
    owner = await asyncpg.connect(owner_url)
    await owner.execute("UPDATE account SET is_administrator = true WHERE name = 'Cora Faure'")
    await owner.close()


async def test_no_page_is_left_out():
    pages = {route.path for route in PAGE_ROUTES if "GET" in (getattr(route, "methods", ()) or ())}

    assert {path for path in pages if "{" not in path} == set(
        VISITORS
    ) | IN_FLOWS | FROM_THERE | REDIRECTS


async def must_be_clean(person: Person) -> None:
    # Forced colours are the reader's own, whatever the sheets say: no contrast of ours to judge.
    forced = await person.page.evaluate("matchMedia('(forced-colors: active)').matches")
    options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": not forced}}}
    results = await Axe().run(person.page, options=options)
    assert results.response["violations"] == [], results.generate_report()
    too_wide = await person.page.evaluate(TOO_WIDE)
    assert not too_wide, "the page scrolls sideways: " + ", ".join(too_wide)


@pytest.mark.parametrize(
    "scheme,viewport",
    [
        pytest.param("dark", PHONE, marks=pytest.mark.prove),
        pytest.param("light", DESK, marks=pytest.mark.prove),
        pytest.param("light", NARROW, marks=pytest.mark.prove),
    ],
)
async def test_every_page_passes_axe(joins: Joins, scheme, viewport):
    await every_page_is_clean(joins, viewport, color_scheme=scheme)


@pytest.mark.prove
@pytest.mark.parametrize("scheme,viewport", [("dark", PHONE), ("light", DESK), ("light", NARROW)])
async def test_every_page_of_the_account_passes_axe(joins: Joins, scheme, viewport):
    await every_account_page_is_clean(joins, viewport, color_scheme=scheme)


@pytest.mark.prove
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE, NARROW])
async def test_every_page_passes_axe_in_forced_colours(joins: Joins, scheme, viewport):
    await every_page_is_clean(joins, viewport, color_scheme=scheme, forced_colors="active")
    await every_account_page_is_clean(joins, viewport, color_scheme=scheme, forced_colors="active")


@pytest.mark.prove
@pytest.mark.parametrize("viewport", [DESK, PHONE])
async def test_every_page_passes_axe_with_its_text_twice_as_large(joins: Joins, viewport):
    async def joins_with_large_text(*arguments, **named) -> Person:
        person = await joins(*arguments, **named)
        await person.context.add_init_script(TWICE_AS_LARGE)
        return person

    await every_page_is_clean(joins_with_large_text, viewport)
    await every_account_page_is_clean(joins_with_large_text, viewport)


async def every_page_is_clean(joins: Joins, viewport, **named) -> None:
    """Each in its main states, as the people of the small world reach them."""
    stranger = await joins(None, viewport, **named)
    await stranger.goes_to("/connexion")
    await must_be_clean(stranger)
    await stranger.page.get_by_role("link", name="Accessibilité").click()
    await stranger.sees("Déclaration d’accessibilité")
    await must_be_clean(stranger)
    ann = await joins("ann", viewport, **named)
    await ann.goes_to("/disponibilites")
    await ann.publishes()
    await must_be_clean(ann)
    await ann.page.get_by_text("Un autre moment").click()
    await must_be_clean(ann)
    rita = await joins("rita", viewport, **named)
    await rita.goes_to("/regulation")
    await rita.page.locator(".slot").wait_for()
    await must_be_clean(rita)
    await rita.holds("Dr Ann Martin")
    await must_be_clean(rita)
    await rita.presses("Confirmer le rendez-vous")
    await rita.sees("C’est réservé")
    await must_be_clean(rita)
    await rita.page.get_by_role("link", name="Feuille pour le patient").click()
    await rita.sees("Votre rendez-vous")
    await must_be_clean(rita)
    cora = await joins("cora", viewport, **named)
    for path in ("/orienter", "/rien"):
        await rita.goes_to(path)
        await must_be_clean(rita)
    for path, who in {**VISITORS, **WITH_NUMBERS}.items():
        visitor = {None: stranger, "ann": ann, "rita": rita, "cora": cora}[who]
        await visitor.goes_to(path)
        await must_be_clean(visitor)
    await rita.goes_to("/regulation?quoi=médecin&commune=Ys")  # with a filter, and an error
    await must_be_clean(rita)
    await ann.goes_to("/disponibilites")
    await ann.page.get_by_role("button", name="Retirer le créneau").click()
    await ann.sees("1 patient est attendu")
    await must_be_clean(ann)
    await ann.presses("Retirer et annuler 1 rendez-vous")
    await rita.goes_to("/regulation")
    await rita.sees("1 patient à prévenir")
    await must_be_clean(rita)


async def every_page_of_a_screen_is_clean(joins: Joins, viewport, **named) -> None:
    """A link before and after it was used."""
    wall = await joins(None, viewport, **named)
    rita = wall.service.world.accounts["rita"].id
    link = await offer(wall.service.desk.pool, rita, [HAUTS])
    await wall.goes_to(f"/mur/ecran/{link}")
    await wall.sees("Êtes-vous devant cet écran")
    await must_be_clean(wall)
    await wall.presses("Afficher le mur ici")
    await wall.page.wait_for_url("**/mur")
    await wall.goes_to(f"/mur/ecran/{link}")
    await wall.sees("Ce lien d’écran n’est plus valable")
    await must_be_clean(wall)


async def every_account_page_is_clean(joins: Joins, viewport, **named) -> None:
    """Protecting an account, coming back, choosing a password; each with something to mend."""
    await every_page_of_a_screen_is_clean(joins, viewport, **named)
    bob = await joins("bob", viewport, **named)
    await bob.goes_to("/compte")
    await bob.presses("Ajouter une clé d’accès ou une application")
    await bob.page.get_by_label("Tapez le code").fill("000000")
    await bob.presses("Ajouter l’application")
    await bob.sees("Ce code ou cette clé n’est pas le bon")
    await must_be_clean(bob)
    await bob.page.get_by_text("Je ne peux pas le photographier").click()
    await must_be_clean(bob)
    secret = await bob.page.locator(".steps code").text_content()
    await bob.page.get_by_label("Tapez le code").fill(pyotp.TOTP(secret.replace(" ", "")).now())
    await bob.presses("Ajouter l’application")
    await bob.sees("Vos codes de secours")
    await must_be_clean(bob)
    await bob.goes_to("/compte")
    await must_be_clean(bob)
    email = bob.service.world.email("bob")
    back = await joins(None, viewport, **named)
    await back.goes_to("/connexion")
    await back.page.get_by_label("Adresse de courriel").fill(email)
    await back.page.get_by_label("Mot de passe", exact=True).fill(bob.service.world.password)
    await back.presses("Se connecter")
    await back.sees("Confirmer que c’est vous")
    await must_be_clean(back)
    await back.page.get_by_text("Je n’ai plus mon appareil").click()
    await back.page.get_by_label("Un de vos codes").fill("AAAA-BBBB-CCCC-DDDD")
    await back.page.locator("details").get_by_role("button", name="Continuer").click()
    await back.sees("Ce code ou cette clé n’est pas le bon")
    await must_be_clean(back)
    await back.goes_to("/lien/nobodys")
    await back.sees("Ce lien n’est plus valable")
    await must_be_clean(back)
    for purpose in (Purpose.INVITATION, Purpose.RESET):
        async with looking(bob.service.desk.pool) as conn:
            account_id = bob.service.world.accounts["bob"].id
            token = await open_ticket(conn, purpose, account_id, datetime.now(UTC))
        await back.goes_to(f"/lien/{token}")
        await back.page.get_by_label("ot de passe", exact=False).last.fill("motdepasse2026")
        await back.page.locator("form button").last.click()
        await back.sees("Ce mot de passe est trop courant")
        await must_be_clean(back)
