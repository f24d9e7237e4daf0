"""The directory as people use it: with and without scripts, live, printed."""

import csv
import io
import re
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Route, expect

from tests.browser import DESK, PHONE, Joins, Person
from tests.crowd import add_crowd, add_person
from tests.world import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_SCRIPTS = {"java_script_enabled": False}


@pytest_asyncio.fixture(loop_scope="session")
async def ground(service, owner_url):
    """Over the walls, with two people who have no account at ann's place."""
    conn = await asyncpg.connect(owner_url)
    place = service.world.locations["bedarieux"]
    await add_person(
        *(conn, place, "Zoé", "Müller", "70"),
        languages=("fr", "oc"),
        new_patients=True,
        referral="Appeler avant midi.",
    )
    await add_person(conn, place, "Paul", "Vidal", "21", with_schedule=False)
    await conn.execute("UPDATE location SET step_free = false, parking = true WHERE id = $1", place)
    yield conn
    await conn.close()


def card(person: Person, name: str):
    return person.page.locator(
        ".person", has=person.page.get_by_role("link", name=name, exact=True)
    )


def said_of(person: Person, name: str):
    return card(person, name).locator(".publishing").first


async def types(person: Person, words: str) -> None:
    await person.page.get_by_label("Nom, profession").press_sequentially(words, delay=20)


async def test_without_scripts_the_directory_is_searched_and_continued(joins: Joins, ground):
    place = await ground.fetchval("SELECT id FROM location WHERE insee = '34147'")
    await add_crowd(ground, [place], 80)
    rolf = await joins("rolf", DESK, **NO_SCRIPTS)
    await rolf.goes_to("/annuaire")
    await expect(rolf.page.locator(".person")).to_have_count(60)

    await rolf.page.get_by_role("link", name="Voir la suite").click()
    await expect(rolf.page.locator(".person")).to_have_count(87)
    await rolf.page.get_by_label("Nom, profession").fill("kine bedarieux muller")
    await rolf.presses("Chercher")

    await expect(rolf.page.locator(".person")).to_have_count(1)
    zoe = card(rolf, "Zoé Müller")
    for words in (
        *("Masseur-kinésithérapeute", "Parle aussi occitan", "Escaliers · Parking"),
        *("Appeler avant midi.", "Prend de nouveaux patients", "04 00 00 00 01"),
    ):
        await expect(zoe).to_contain_text(words)
    await rolf.page.get_by_label("Nom, profession").fill("mulller")
    await rolf.presses("Chercher")
    await rolf.sees("Aucune réponse exacte. Orthographes proches")
    await expect(zoe).to_be_visible()


async def test_free_none_silent_and_unknown_differ_in_words_and_in_shape_and_stay_live(
    joins: Joins, ground
):
    rolf = await joins("rolf", DESK)
    await rolf.goes_to("/annuaire")
    await expect(said_of(rolf, "Dr Ann Martin")).to_have_text("Ne publie pas ses disponibilités")
    await expect(said_of(rolf, "Zoé Müller")).to_have_text("Disponibilités inconnues")
    await expect(said_of(rolf, "Paul Vidal")).to_have_text("Disponibilités inconnues")
    await expect(rolf.page.locator("live-freshness")).to_have_attribute("data-level", "live")

    ann = await joins("ann", PHONE)
    await ann.publishes()
    await expect(said_of(rolf, "Dr Ann Martin")).to_contain_text("1 place libre")
    await expect(said_of(rolf, "Dr Ann Martin")).to_contain_text("demain à")
    await ann.page.get_by_role("button", name="Retirer le créneau").click()
    await ann.sees("Retiré. Plus personne")

    await expect(said_of(rolf, "Dr Ann Martin")).to_have_text("Aucune place libre en ce moment")
    shapes = [
        await said_of(rolf, name).evaluate(
            "p => { const s = getComputedStyle(p, '::before');"
            " return [s.content, s.borderStyle, s.borderTopWidth, s.backgroundColor].join() }"
        )
        for name in ("Dr Ann Martin", "Dr Bob Bernard", "Zoé Müller")
    ]
    assert len(set(shapes)) == 3, shapes


async def test_the_answer_narrows_as_one_types_and_no_key_is_lost(joins: Joins, ground):
    rolf = await joins("rolf", DESK)
    await rolf.goes_to("/annuaire")
    field = rolf.page.get_by_label("Nom, profession")

    await types(rolf, "kiné bedarieux")

    await expect(rolf.page.locator(".person")).to_have_count(1)
    await expect(card(rolf, "Zoé Müller")).to_be_visible()
    await expect(field).to_have_value("kiné bedarieux")
    await expect(field).to_be_focused()
    await expect(rolf.page.locator("#reponse-dite")).to_have_text("1 réponse")
    await expect(rolf.page).to_have_url(f"{rolf.service.url}/annuaire?q=kin%C3%A9+bedarieux")
    await rolf.page.reload()
    await expect(rolf.page.locator(".person")).to_have_count(1)
    await expect(field).to_have_value("kiné bedarieux")


# A browser that hears too late that an answer is not wanted any more, and says what it has read.
DEAF = """
const real = window.fetch
window.fetch = async (url, options) => {
  const answer = await real(url, { ...options, signal: undefined })
  answer.clone().text().then(() => setTimeout(() => (document.documentElement.dataset.read = url)))
  return answer
}
"""


async def test_an_answer_that_was_overtaken_is_dropped(joins: Joins, ground):
    rolf = await joins("rolf", DESK)
    await rolf.context.add_init_script(DEAF)
    await rolf.goes_to("/annuaire")
    waiting: list[Route] = []

    async def keep_the_first(route: Route) -> None:
        if "q=vidal&" in route.request.url:
            waiting.append(route)
        else:
            await route.continue_()

    await rolf.page.route("**/annuaire?*fragment=reponse", keep_the_first)
    field = rolf.page.get_by_label("Nom, profession")
    async with rolf.page.expect_request(lambda request: "q=vidal&" in request.url):
        await field.fill("vidal")
    await field.fill("martin")
    await expect(rolf.page.locator(".person")).to_have_count(1)
    await expect(card(rolf, "Dr Ann Martin")).to_be_visible()

    await waiting[0].continue_()
    await expect(rolf.page.locator("html")).to_have_attribute("data-read", re.compile("q=vidal&"))

    await expect(card(rolf, "Dr Ann Martin")).to_be_visible()
    await expect(card(rolf, "Paul Vidal")).to_have_count(0)


async def test_a_live_change_after_a_search_keeps_the_search(joins: Joins, ground):
    rolf = await joins("rolf", DESK)
    await rolf.goes_to("/annuaire")
    await types(rolf, "martin")
    await expect(rolf.page.locator(".person")).to_have_count(1)

    ann = await joins("ann", PHONE)
    await ann.publishes()

    await expect(said_of(rolf, "Dr Ann Martin")).to_contain_text("1 place libre")
    await expect(rolf.page.locator(".person")).to_have_count(1)


async def test_where_the_network_is_gone_the_list_stays_and_says_so(joins: Joins, ground):
    rolf = await joins("rolf", DESK)
    await rolf.goes_to("/annuaire")
    before = await rolf.page.locator(".person").count()
    await rolf.context.set_offline(True)

    await types(rolf, "martin")

    await expect(rolf.page.locator("#reponse-dite")).to_contain_text("la liste est celle d’avant")
    await expect(rolf.page.locator(".person")).to_have_count(before)
    await expect(rolf.page.get_by_label("Nom, profession")).to_have_value("martin")
    await rolf.context.set_offline(False)
    await types(rolf, " ")
    await expect(rolf.page.locator(".person")).to_have_count(1)


async def test_the_nearest_come_first_and_say_how_far(joins: Joins, ground):
    rolf = await joins("rolf", DESK)
    await rolf.goes_to("/annuaire?commune=Magalas+(34480)&qui=10")

    await expect(rolf.page.locator(".person h2").first).to_have_text("Dr Bob Bernard")
    await rolf.sees("à vol d’oiseau")
    await expect(card(rolf, "Dr Ann Martin")).to_contain_text("à 15 km")
    await rolf.goes_to("/annuaire?commune=Nulle-Part")
    await rolf.sees("Commune inconnue")


async def test_the_paper_list_has_everybody_and_prints_on_white(joins: Joins, ground):
    place = await ground.fetchval("SELECT id FROM location WHERE insee = '34147'")
    await add_crowd(ground, [place], 80)
    rolf = await joins("rolf", DESK, color_scheme="dark")
    await rolf.goes_to("/annuaire")
    await rolf.page.get_by_role("link", name="Version à imprimer").click()

    await rolf.page.emulate_media(media="print", color_scheme="dark")
    rows = rolf.page.locator(".paper tbody tr:not(.paper-group)")
    await expect(rows).to_have_count(86)  # all but the neighbour's
    row = rows.filter(has_text="Zoé Müller")
    await expect(row).to_contain_text("Appeler avant midi.")
    await expect(row).to_contain_text("Escaliers")
    await expect(rolf.page.get_by_role("button", name="Imprimer")).to_be_hidden()
    await expect(rolf.page.locator(".top")).to_be_hidden()
    ink = await row.locator("td").first.evaluate("td => getComputedStyle(td).color")
    assert ink in ("rgb(0, 0, 0)", "rgb(22, 32, 43)"), ink
    printed = await rolf.page.pdf(prefer_css_page_size=True)
    sheets = re.findall(rb"/MediaBox \[0 0 (\d+)\.?\d* (\d+)", printed)
    assert set(sheets) == {(b"841", b"594")}  # A4, landscape
    assert len(sheets) < 10


async def test_the_table_is_the_answer_to_the_same_question(joins: Joins, ground):
    rolf = await joins("rolf", DESK)
    await rolf.goes_to("/annuaire?q=bedarieux&qui=70")

    async with rolf.page.expect_download() as downloading:
        await rolf.page.get_by_role("link", name="Tableur (CSV)").click()
    download = await downloading.value

    assert download.suggested_filename == "annuaire.csv"
    content = Path(await download.path()).read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert [(row["Nom"], row["Disponibilités"]) for row in rows] == [
        ("Zoé Müller", "Disponibilités inconnues")
    ]


async def test_a_session_that_ended_asks_to_sign_in_and_comes_back_with_the_words(
    joins: Joins, ground
):
    rolf = await joins("rolf", DESK)
    await rolf.goes_to("/annuaire")
    await rolf.context.clear_cookies()

    await types(rolf, "muller")
    await rolf.page.get_by_label("Adresse de courriel").fill("rolf@example.test")
    await rolf.page.get_by_label("Mot de passe").fill(PASSWORD)
    await rolf.presses("Se connecter")

    await expect(rolf.page.get_by_label("Nom, profession")).to_have_value("muller")
    await expect(rolf.page.locator(".person")).to_have_count(1)


async def test_a_person_has_a_page_with_the_next_free_slots_to_hold(joins: Joins, ground):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await rolf.goes_to("/annuaire?q=martin")
    await rolf.page.get_by_role("link", name="Dr Ann Martin").click()
    await expect(rolf.page.get_by_role("heading", level=1)).to_have_text("Dr Ann Martin")
    await rolf.sees("Aucune place libre publiée pour vous en ce moment.")

    await ann.publishes()

    await expect(rolf.page.locator(".slot", has_text="Dr Ann Martin")).to_be_visible()
    await rolf.books("Dr Ann Martin")
    await rolf.goes_to("/annuaire/00000000-0000-4000-8000-000000000000")
    await rolf.sees("Il n’y a rien à cette adresse.")


async def test_the_directory_is_used_by_keyboard_alone(joins: Joins, ground):
    rolf = await joins("rolf", DESK)
    await rolf.goes_to("/annuaire")
    await rolf.page.get_by_label("Nom, profession").focus()
    await rolf.page.keyboard.type("zoe muller")
    await expect(rolf.page.locator(".person")).to_have_count(1)

    link = card(rolf, "Zoé Müller").get_by_role("link", name="Zoé Müller")
    for _ in range(12):
        await rolf.page.keyboard.press("Tab")
        if await link.evaluate("a => a === document.activeElement"):
            break
    await rolf.page.keyboard.press("Enter")

    await expect(rolf.page.get_by_role("heading", level=1)).to_have_text("Zoé Müller")


@pytest.mark.prove
async def test_the_pages_of_the_directory_pass_axe(joins: Joins, ground):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", PHONE, color_scheme="dark")
    await ann.publishes()
    person = await ground.fetchval("SELECT id FROM practitioner WHERE family_name = 'Martin'")

    for path in ("?q=mulller", "?libre=1", "?q=xyzzyx", "/papier", f"/{person}"):
        await rolf.goes_to(f"/annuaire{path}")
        results = await Axe().run(rolf.page, options={"resultTypes": ["violations"]})
        assert results.response["violations"] == [], results.generate_report()
        width = await rolf.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{path} scrolls sideways"
