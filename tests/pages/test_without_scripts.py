"""Every write works without JavaScript: a form post, an answer that says what to do, typed values kept."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from slots.times import PARIS
from slots.transaction import entered
from tests.browser import DESK, PHONE, Joins, Person
from tests.pages.boards import offers
from tests.world import HAUTS, PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_SCRIPTS = {"java_script_enabled": False}


async def signs_in_by_form(person: Person, name: str) -> None:
    page = person.page
    await person.goes_to("/orienter?acte=suture")
    await page.get_by_label("Adresse de courriel").fill(person.service.world.email(name))
    await page.get_by_label("Mot de passe").fill("pas le bon")
    await person.presses("Se connecter")
    await person.sees("Adresse ou mot de passe incorrect.")
    await expect(page.get_by_label("Adresse de courriel")).to_have_value(f"{name}@example.test")
    await page.get_by_label("Mot de passe").fill(PASSWORD)
    await person.presses("Se connecter")


async def test_signing_in_comes_back_to_where_one_was_going(joins: Joins):
    rolf = await joins(None, DESK, **NO_SCRIPTS)

    await signs_in_by_form(rolf, "rolf")

    await expect(rolf.page).to_have_url(f"{rolf.service.url}/orienter?acte=suture")
    await rolf.presses("Se déconnecter")
    await expect(rolf.page).to_have_url(f"{rolf.service.url}/connexion")
    await rolf.goes_to("/annuaire")
    await expect(rolf.page.get_by_role("button", name="Se connecter")).to_be_visible()


async def test_a_day_of_forms(joins: Joins):
    ann = await joins("ann", PHONE, **NO_SCRIPTS)
    rolf = await joins("rolf", DESK, **NO_SCRIPTS)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    row = rolf.page.locator(".slot", has_text="Dr Ann Martin")
    await row.get_by_role("button", name="Retenir").click()
    await rolf.presses("Prolonger de 3 minutes")
    await rolf.presses("Rendre la place")
    await row.get_by_role("button", name="Retenir").click()
    await rolf.page.get_by_label("Motif").select_option("Douleur")
    await rolf.page.get_by_label("Sous 48 h").check()
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("C’est réservé")
    reference = await rolf.page.locator("h1 .reference").inner_text()
    await rolf.sees("Douleur · Sous 48 h")

    await ann.goes_to("/disponibilites")
    await expect(ann.page.locator(".mine", has_text=reference)).to_be_visible()
    await rolf.page.reload()
    await rolf.sees("Vu par le professionnel")
    await ann.page.locator("summary", has_text="Annuler").click()
    await ann.page.get_by_role("button", name="Oui, annuler").click()
    await ann.sees("Rendez-vous annulé")

    await rolf.goes_to("/orientations")
    await rolf.sees("1 patient à prévenir")
    await rolf.presses("Patient prévenu", exact=False)
    await expect(rolf.page.locator(".task")).to_have_count(0)

    await ann.page.get_by_role("button", name="Retirer le créneau").click()
    await ann.sees("Retiré. Plus personne")


@pytest.mark.prove
async def test_a_booking_moves_to_another_place(joins: Joins):
    ann = await joins("ann", PHONE, **NO_SCRIPTS)
    rolf = await joins("rolf", DESK, **NO_SCRIPTS)
    await ann.publishes("Maintenant")
    await ann.publishes()
    await rolf.goes_to("/orienter")
    old = await books(rolf, "Dr Ann Martin")

    await rolf.page.get_by_role("link", name="Déplacer").click()
    await rolf.page.get_by_role("button", name="Retenir").click()
    await rolf.sees(old)
    await rolf.presses("Déplacer ici")

    await rolf.sees("Rendez-vous déplacé. La référence a changé.")
    await expect(rolf.page.locator("h1 .reference")).not_to_have_text(old)
    await rolf.goes_to("/orientations")
    await expect(rolf.page.locator(".appointment")).to_have_count(1)


@pytest.mark.prove
async def test_the_professional_says_seen_come_and_not_come(joins: Joins):
    ann = await joins("ann", PHONE, **NO_SCRIPTS)
    rolf = await joins("rolf", DESK, **NO_SCRIPTS)
    await ann.publishes("Maintenant")
    await rolf.goes_to("/orienter")
    await books(rolf, "Dr Ann Martin")

    await ann.goes_to(urlsplit(rolf.page.url).path)
    await ann.presses("J’ai vu", exact=False)
    await ann.sees("Noté : vous l’avez vu.")
    await ann.sees("Vu par le professionnel")
    await ann.goes_to("/disponibilites")
    await ann.presses("Venu", exact=False)
    await ann.sees("Noté : le patient est venu.")
    await ann.presses("Pas venu", exact=False)
    await ann.sees("Noté : le patient n’est pas venu.")
    await expect(ann.page.locator(".appointment .state")).to_have_text("Pas venu")


async def test_whether_a_patient_of_tomorrow_came_is_not_asked_yet(joins: Joins):
    ann = await joins("ann", PHONE, **NO_SCRIPTS)
    rolf = await joins("rolf", DESK, **NO_SCRIPTS)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    reference = await books(rolf, "Dr Ann Martin")

    await ann.goes_to("/disponibilites")

    await ann.sees(reference)
    await expect(ann.page.get_by_role("button", name="Pas venu", exact=False)).to_have_count(0)


async def books(person: Person, whose: str) -> str:
    """Hold and confirm, form by form. Returns the reference."""
    row = person.page.locator(".slot", has_text=whose).first
    await row.get_by_role("button", name="Retenir").click()
    await person.presses("Confirmer le rendez-vous")
    await person.sees("C’est réservé")
    return await person.page.locator("h1 .reference").inner_text()


async def test_what_cannot_be_published_comes_back_as_it_was_typed(joins: Joins):
    ann = await joins("ann", PHONE, **NO_SCRIPTS)
    page = ann.page
    tomorrow = datetime.now(UTC).astimezone(PARIS).date() + timedelta(days=1)

    await page.get_by_text("Un autre moment").click()
    await page.get_by_label("Jour").fill(tomorrow.isoformat())
    await page.get_by_label("Heure", exact=True).fill("09:15")
    await page.get_by_label("Visite à domicile").first.check()
    await page.get_by_label("Des communes").check()
    await page.get_by_label("Communes, séparées").fill("Bédarieux, Nulle-Part")
    await page.get_by_label("Note (80").fill("Sur appel préalable")
    await ann.presses("Publier ces moments")

    await ann.sees("Commune inconnue")
    await expect(page.get_by_label("Heure", exact=True)).to_have_value("09:15")
    await expect(page.get_by_label("Note (80")).to_have_value("Sur appel préalable")
    await page.get_by_label("Communes, séparées").fill("Bédarieux, 34480")
    await ann.presses("Ajouter un créneau")
    await page.get_by_label("Heure", exact=True).last.fill("09:45")
    await ann.presses("Publier ces moments")
    await ann.sees("Publié. Les autres")
    await expect(page.locator(".mine .slot-hour")).to_have_text(["9 h 15", "9 h 45"])


async def test_a_slot_that_overlaps_is_refused_in_words(joins: Joins):
    ann = await joins("ann", PHONE, **NO_SCRIPTS)
    await ann.publishes()
    await ann.page.get_by_text("Un autre moment").click()
    tomorrow = datetime.now(UTC).astimezone(PARIS).date() + timedelta(days=1)
    await ann.page.get_by_label("Jour").fill(tomorrow.isoformat())
    await ann.page.get_by_label("Heure", exact=True).fill("09:00")

    await ann.presses("Publier ces moments")

    await expect(ann.page.get_by_role("heading", name="Chevauchement")).to_be_visible()


async def test_a_patient_beyond_the_places_goes_to_who_accepts_it(joins: Joins):
    rita = await joins("rita", DESK, **NO_SCRIPTS)
    bob = await joins("bob", PHONE)
    await rita.goes_to("/regulation")
    await rita.page.get_by_text("Surnuméraires").click()
    await rita.page.get_by_role("link", name="Adresser en plus").click()
    await rita.page.get_by_label("Motif").select_option("Douleur")
    await rita.presses("Adresser en plus")

    await rita.sees("surnuméraire")
    reference = await rita.page.locator("h1 .reference").inner_text()

    await bob.goes_to("/disponibilites")
    await expect(bob.page.locator(".mine", has_text=reference)).to_contain_text("Surnuméraire")


@pytest.mark.prove
async def test_all_of_today_is_withdrawn_with_one_tap_and_a_question(joins: Joins):
    ann = await joins("ann", PHONE, **NO_SCRIPTS)
    rolf = await joins("rolf", DESK)
    # Today's, however late it is.
    await offers(ann, "ann", 1, after=timedelta(0), lasting=timedelta(hours=2), capacity=2)
    await rolf.goes_to("/orienter")
    await rolf.books("Dr Ann Martin")

    await ann.goes_to("/disponibilites")
    await expect(ann.page.locator(".mine .state", has_text="Libre")).to_have_count(1)
    await ann.presses("Retirer tout aujourd’hui")
    await ann.sees("1 patient est attendu")
    await ann.presses("Retirer et annuler 1 rendez-vous")

    await ann.sees("Tout est retiré pour aujourd’hui.")
    await expect(ann.page.locator(".mine .state", has_text="Libre")).to_have_count(0)


async def test_a_stranger_to_a_screen_is_told_so(joins: Joins):
    rolf = await joins("rolf", DESK, **NO_SCRIPTS)

    for path in ("/regulation", "/disponibilites"):
        await rolf.goes_to(path)
        await expect(rolf.page.get_by_role("heading", name="Non autorisé")).to_be_visible()


async def test_a_session_that_ended_comes_back_to_the_same_page(joins: Joins):
    ann = await joins("ann", PHONE, **NO_SCRIPTS)
    await ann.context.clear_cookies()
    await ann.presses("Demain matin", exact=False)

    await ann.page.get_by_label("Adresse de courriel").fill("ann@example.test")
    await ann.page.get_by_label("Mot de passe").fill(PASSWORD)
    await ann.presses("Se connecter")

    await expect(ann.page).to_have_url(f"{ann.service.url}/disponibilites")


async def test_a_search_that_finds_nothing_is_counted_as_a_need_and_nobody_is_in_it(joins: Joins):
    rolf = await joins("rolf", DESK, **NO_SCRIPTS)
    for _ in range(2):
        await rolf.goes_to("/orienter?qui=70&commune=Bédarieux&delai=24")
    await rolf.sees("Personne de plus")

    async with entered(rolf.service.desk.pool, None, [HAUTS]) as conn:
        needs = await conn.fetch("SELECT profession, insee, within_hours FROM unmet_search")
    assert [tuple(need) for need in needs] == [("70", "34028", 24)]
