"""A PC that nobody is before covers itself, keeps what was typed, and goes on when it is opened."""

import time
from contextlib import asynccontextmanager

import argon2
import asyncpg
import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins, Person
from tests.pages.boards import is_live
from tests.pages.test_accessible import must_be_clean
from tests.pages.test_protection import gives_virtual_key, is_on
from tests.world import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIN = "408162"
NO_SCRIPTS = {"java_script_enabled": False}
OPENS_WITHIN_MS = 3_000
CLOSES_WITHIN_MS = 3_000  # two seconds for the socket, one for the page


@asynccontextmanager
async def ledger(owner_url):
    owner = await asyncpg.connect(owner_url)
    yield owner
    await owner.close()


async def has_pin(owner_url, name: str) -> None:
    pin_hash = argon2.PasswordHasher().hash(PIN)
    async with ledger(owner_url) as owner:
        await owner.execute(
            "UPDATE account SET pin_hash = $1 WHERE email = $2", pin_hash, f"{name}@example.test"
        )


async def leaves(owner_url, person: Person | None = None) -> None:
    """Nobody has been before any screen for half an hour, and *person*'s service knows it."""
    async with ledger(owner_url) as owner:
        await owner.execute("UPDATE session SET attended_at = attended_at - interval '31 minutes'")
    while person is not None:
        answer = await person.context.request.get(f"{person.service.url}/api/v1/session")
        if answer.status == 423:
            break


async def is_covered(person: Person) -> None:
    await expect(person.page.get_by_role("dialog", name="Session verrouillée")).to_be_visible(
        timeout=CLOSES_WITHIN_MS
    )
    await expect(person.page.locator("main")).to_be_hidden()
    await expect(person.page.locator("header")).to_be_hidden()


async def types_pin(person: Person) -> None:
    await expect(person.page.get_by_label("Votre code à 6 chiffres")).to_be_focused()
    await person.page.keyboard.type(PIN)
    await expect(person.page.locator("main")).to_be_visible()


async def opens(person: Person) -> float:
    """Type the PIN and wait for the board. Returns how long that took, in milliseconds."""
    begun = time.perf_counter()
    await types_pin(person)
    await is_live(person)
    return (time.perf_counter() - begun) * 1000


async def test_what_was_typed_is_there_and_the_board_is_live_again(joins: Joins, owner_url, capsys):
    await has_pin(owner_url, "rita")
    rita, ann = await joins("rita", DESK), await joins("ann", PHONE)
    await is_live(rita)
    await rita.page.evaluate("window.mark = 'the same page'")
    search = rita.page.get_by_label("Profession, acte ou personne")
    await search.fill("suture de la main")

    await leaves(owner_url)
    await is_covered(rita)
    await expect(rita.page).to_have_title("Session verrouillée")
    await rita.page.keyboard.press("Escape")
    await rita.page.keyboard.press("Escape")
    await is_covered(rita)
    await ann.context.clear_cookies()
    await ann.signs_in("ann")
    await ann.publishes()  # meanwhile
    await expect(rita.page.locator(".slot")).to_have_count(0)
    taken_ms = await opens(rita)

    with capsys.disabled():
        print(f"\nopened by PIN, the board live again: {taken_ms:.0f} ms")
    assert taken_ms < OPENS_WITHIN_MS
    await expect(search).to_have_value("suture de la main")
    await expect(search).to_be_focused()
    await expect(rita.page.locator(".slot").first).to_be_visible()
    assert await rita.page.evaluate("window.mark") == "the same page"


async def test_two_tabs_of_one_session_lock_and_open_together(joins: Joins, owner_url):
    await has_pin(owner_url, "rita")
    rita = await joins("rita", DESK)
    await is_live(rita)
    beside = Person(rita.context, await rita.context.new_page(), rita.service)
    await beside.goes_to("/compte")  # no socket there

    await beside.page.get_by_role("button", name="Verrouiller").click()
    await is_covered(beside)
    await is_covered(rita)
    await rita.page.bring_to_front()
    await opens(rita)

    await expect(beside.page.locator("main")).to_be_visible()
    assert beside.broken == []


async def test_a_key_locks_and_a_wrong_pin_says_what_is_left(joins: Joins, owner_url):
    await has_pin(owner_url, "rita")
    rita = await joins("rita", DESK)
    await is_live(rita)

    await rita.page.keyboard.press("F2")
    await is_covered(rita)
    await expect(rita.page.get_by_label("Votre code à 6 chiffres")).to_be_focused()
    for left in ("4 essais", "3 essais", "2 essais", "un essai"):
        await rita.page.keyboard.type("918273")
        await rita.sees(left)
        await expect(rita.page.get_by_label("Votre code à 6 chiffres")).to_have_value("")
    await rita.page.keyboard.type("918273")

    await rita.sees("La session est terminée.")
    await rita.page.get_by_role("link", name="Me connecter à nouveau").click()
    await is_on(rita, "/connexion")


@pytest.mark.prove
async def test_a_lock_that_the_service_has_not_heard_of_stays_and_is_told_later(
    joins: Joins, owner_url
):
    await has_pin(owner_url, "rita")
    rita = await joins("rita", DESK)
    await is_live(rita)
    await rita.context.set_offline(True)

    await rita.page.keyboard.press("F2")
    await rita.sees("Pas de réponse du service.")
    await is_covered(rita)
    await rita.context.set_offline(False)

    await expect(rita.page.get_by_label("Votre code à 6 chiffres")).to_be_focused()
    await is_covered(rita)
    assert (await rita.context.request.get(rita.service.url + "/api/v1/catalogue")).status == 423
    await opens(rita)


@pytest.mark.prove
async def test_somebody_elses_phone_uncovers_no_page(joins: Joins, owner_url, service):
    await has_pin(owner_url, "rita")
    rita = await joins("rita", DESK)
    await is_live(rita)
    beside = Person(rita.context, await rita.context.new_page(), rita.service)
    await rita.context.clear_cookies()
    await beside.signs_in_on_their_phone("ann")

    await rita.page.keyboard.press("F2")

    await expect(rita.page.get_by_text("Rita Simon")).to_have_count(0)
    await rita.sees("Ann Martin")  # the page of who is signed in now


async def test_a_passkey_opens_the_page_where_it_was(joins: Joins, owner_url, capsys):
    rita = await joins("rita", DESK)
    await rita.page.goto(rita.service.url.replace("127.0.0.1", "localhost") + "/connexion")
    await gives_virtual_key(rita)
    await rita.page.get_by_label("Adresse de courriel").fill(rita.service.world.email("rita"))
    await rita.page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    await rita.presses("Se connecter")
    await rita.page.get_by_role("link", name="Rita Simon").click()
    await rita.presses("Ajouter une clé d’accès ou une application")
    await rita.presses("Créer une clé d’accès")
    await rita.page.get_by_role("link", name="C’est noté, continuer").click()
    await rita.page.get_by_role("link", name="Régulation").click()
    await is_live(rita)
    search = rita.page.get_by_label("Profession, acte ou personne")
    await search.fill("kiné")
    await leaves(owner_url)
    await is_covered(rita)

    begun = time.perf_counter()
    await rita.presses("Ouvrir avec ma clé d’accès")
    await expect(rita.page.locator("main")).to_be_visible()
    await is_live(rita)
    taken_ms = (time.perf_counter() - begun) * 1000

    with capsys.disabled():
        print(f"\nopened by a passkey, the board live again: {taken_ms:.0f} ms")
    assert taken_ms < OPENS_WITHIN_MS
    await expect(search).to_have_value("kiné")


async def test_who_has_neither_signs_in_again_and_finds_what_was_typed(joins: Joins, owner_url):
    ann = await joins("ann", DESK)
    await ann.goes_to("/disponibilites")
    await is_live(ann)
    await ann.page.get_by_text("Un autre moment").click()
    await ann.page.get_by_label("Note").fill("Sonner deux fois")
    await leaves(owner_url)
    await is_covered(ann)

    await ann.sees("Vous n’avez ici ni code ni clé d’accès.")
    await ann.page.get_by_role("link", name="Me connecter à nouveau").click()
    await ann.page.get_by_label("Adresse de courriel").fill(ann.service.world.email("ann"))
    await ann.page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    await ann.presses("Se connecter")

    await is_on(ann, "/disponibilites")
    await expect(ann.page.get_by_label("Note")).to_have_value("Sonner deux fois")


async def test_what_is_sent_under_a_lock_stays_on_the_page(joins: Joins, owner_url):
    """No socket tells this page; the refusal does."""
    await has_pin(owner_url, "rita")
    rita = await joins("rita", DESK)
    await rita.goes_to("/compte/logiciels")
    if "/compte/confirmer" in rita.page.url:
        await rita.page.get_by_label("Votre mot de passe").fill(PASSWORD)
        await rita.presses("Continuer")
    await rita.page.get_by_label("Nom du logiciel").fill("Mon logiciel")
    await rita.page.get_by_label("Réserver").check()
    await leaves(owner_url, rita)

    await rita.presses("Créer la clé")
    await is_covered(rita)
    await types_pin(rita)

    await expect(rita.page.get_by_label("Nom du logiciel")).to_have_value("Mon logiciel")
    await rita.presses("Créer la clé")
    await rita.sees("La clé, à donner au logiciel")


@pytest.mark.prove
async def test_a_page_that_is_opened_under_a_lock_is_the_lock(joins: Joins, owner_url):
    await has_pin(owner_url, "rita")
    for options in ({}, NO_SCRIPTS):
        rita = await joins("rita", DESK, **options)
        await leaves(owner_url, rita)
        await rita.goes_to("/orientations")
        await is_on(rita, "/verrou")
        field = rita.page.get_by_label("Votre code à 6 chiffres")
        await expect(field).to_be_focused()

        await field.fill("918273")
        if options:
            await rita.presses("Ouvrir")
        await rita.sees("Il reste 4 essais.")
        await expect(field).to_be_focused()
        await field.fill(PIN)
        if options:
            await rita.presses("Ouvrir")

        await is_on(rita, "/orientations")
        await expect(rita.page.get_by_role("heading", name="Orientations").first).to_be_visible()


async def test_a_browser_without_scripts_locks_by_its_button(joins: Joins, owner_url):
    await has_pin(owner_url, "rita")
    rita = await joins("rita", DESK, **NO_SCRIPTS)
    await rita.goes_to("/orientations")

    await rita.page.get_by_role("button", name="Verrouiller").click()
    await is_on(rita, "/verrou")
    await rita.page.get_by_label("Votre code à 6 chiffres").fill(PIN)
    await rita.presses("Ouvrir")

    await is_on(rita, "/orientations")


async def test_a_pin_is_chosen_on_ones_account_and_trivial_ones_are_not(joins: Joins):
    rita = await joins("rita", DESK)
    await rita.goes_to("/compte")

    await rita.page.get_by_role("link", name="Choisir un code de déverrouillage").click()
    for trivial in ("123456", "000000", "202612"):
        await rita.page.get_by_label("Six chiffres de votre choix").fill(trivial)
        await rita.presses("Choisir ce code")
        await rita.sees("trop facile à deviner")
        await expect(rita.page.get_by_label("Six chiffres de votre choix")).to_be_focused()
    await rita.page.get_by_label("Six chiffres de votre choix").fill(PIN)
    await rita.presses("Choisir ce code")
    await rita.sees("Code de déverrouillage choisi")
    await rita.page.get_by_role("button", name="Verrouiller").click()
    await is_covered(rita)
    await types_pin(rita)

    await rita.presses("Retirer le code de déverrouillage")
    await rita.sees("Code retiré")
    await rita.page.get_by_role("button", name="Verrouiller").click()
    await rita.sees("Vous n’avez ici ni code ni clé d’accès.")


async def test_moving_before_the_screen_keeps_it_open_and_looking_does_not(joins: Joins, owner_url):
    rita = await joins("rita", DESK)
    await is_live(rita)
    told: list[str] = []
    rita.page.on(
        "request",
        lambda request: told.append(request.url) if request.url.endswith("/attention") else None,
    )

    await rita.page.clock.install()
    await rita.page.reload()
    await is_live(rita)
    await rita.page.clock.fast_forward("05:00")
    assert told == []  # the board went on by itself
    async with rita.page.expect_request("**/api/v1/attention"):
        await rita.page.mouse.move(200, 300)
        await rita.page.clock.fast_forward("00:01")
    for step in range(5):
        await rita.page.mouse.move(300 + step, 300)
    await rita.page.clock.fast_forward("00:30")
    assert len(told) == 1  # once a minute at most


@pytest.mark.parametrize("viewport", [DESK, {"width": 360, "height": 740}], ids=["desk", "narrow"])
@pytest.mark.prove
async def test_the_lock_passes_axe_over_a_page_and_as_one(joins: Joins, owner_url, viewport):
    await has_pin(owner_url, "rita")
    rita = await joins("rita", viewport)
    await rita.goes_to("/compte/code")
    await rita.page.get_by_label("Six chiffres de votre choix").fill("123456")
    await rita.presses("Choisir ce code")
    await rita.sees("trop facile à deviner")
    await must_be_clean(rita)
    await leaves(owner_url, rita)
    await rita.page.get_by_label("Six chiffres de votre choix").fill("918273")
    await rita.presses("Choisir ce code")
    await is_covered(rita)
    await rita.page.get_by_label("Votre code à 6 chiffres").fill("918273")
    await rita.sees("Il reste 4 essais.")
    await must_be_clean(rita)

    await rita.goes_to("/regulation")
    await rita.sees("ouvrez-la pour continuer.")
    await must_be_clean(rita)


@pytest.mark.prove
async def test_a_pc_becomes_a_workstation_where_a_password_is_enough(joins: Joins, owner_url):
    async with ledger(owner_url) as owner:
        await owner.execute("UPDATE account SET is_administrator = true WHERE name = 'Cora Faure'")
    cora = await joins("cora", DESK)
    await cora.goes_to("/installation")
    await cora.page.get_by_label("Nom du poste").fill("Salle de régulation, poste 3")
    await cora.presses("Enregistrer le poste")
    link = await cora.page.locator("code.secret").inner_text()
    await must_be_clean(cora)
    pc = await joins(None, DESK, **NO_SCRIPTS)

    await pc.page.goto(link)
    await pc.sees("Êtes-vous devant ce poste")
    await pc.presses("Enregistrer ce poste")
    await pc.sees("Ce poste est enregistré jusqu’au")
    await pc.page.goto(link)
    await pc.sees("Ce lien de poste n’est plus valable")

    await cora.goes_to("/installation")
    await cora.sees("1 poste de régulation")
    await must_be_clean(cora)
    await cora.presses("Retirer le poste Salle de régulation, poste 3")
    await cora.sees("Poste retiré")
    await cora.sees("0 poste de régulation")
