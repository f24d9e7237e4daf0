"""What the patient takes along: on paper, without the page around it, and without anything of theirs."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import segno
from icalendar import Calendar
from playwright.async_api import expect

from slots.french import hour
from tests.browser import DESK, Joins
from tests.pages.boards import offers
from web.pages.patient_sheet import QR_SCALE

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def sheet_of_a_booking(joins: Joins):
    ann, rolf = await joins("ann", DESK), await joins("rolf", DESK)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    reference = await rolf.books("Dr Ann Martin")
    await rolf.page.get_by_role("link", name="Feuille pour le patient").click()
    await rolf.sees("Votre rendez-vous")
    return rolf, reference


async def test_the_sheet_says_where_when_with_whom_and_whom_to_call(joins: Joins):
    rolf, reference = await sheet_of_a_booking(joins)

    sheet = rolf.page.get_by_role("article")
    for words in (reference, "Dr Ann Martin", "Téléphone", "appelez le 15"):
        await expect(sheet).to_contain_text(words)
    await expect(sheet.locator("a[href^='tel:']").first).to_be_visible()


async def test_its_code_leads_to_the_place_and_says_nothing_else(joins: Joins):
    rolf, reference = await sheet_of_a_booking(joins)

    link = await rolf.page.get_by_role("link", name="ouvrez le plan").get_attribute("href")
    drawn = await rolf.page.locator(".qr path.qrline").get_attribute("d")

    assert link.startswith("https://www.openstreetmap.org/?mlat=43.")
    assert reference not in link
    assert f'd="{drawn}"' in segno.make(link, error="m").svg_inline(
        scale=QR_SCALE, dark="#000", light="#fff"
    )


@pytest.mark.prove
async def test_on_paper_there_is_the_sheet_alone(joins: Joins):
    rolf, _ = await sheet_of_a_booking(joins)

    await rolf.page.emulate_media(media="print")

    await expect(rolf.page.get_by_role("article")).to_be_visible()
    await expect(rolf.page.locator(".qr")).to_be_visible()
    for around in ("Imprimer", "Se déconnecter"):
        await expect(rolf.page.get_by_role("button", name=around)).to_be_hidden()
    await expect(rolf.page.get_by_role("navigation")).to_be_hidden()


@pytest.mark.prove
async def test_others_do_not_get_it(joins: Joins):
    rolf, _ = await sheet_of_a_booking(joins)
    bob = await joins("bob", DESK)

    answer = await bob.context.request.get(rolf.page.url)

    assert answer.status == 404
    assert "Dr Ann Martin" not in await answer.text()


@pytest.mark.prove
async def test_a_cancelled_booking_says_that_its_sheet_is_void(joins: Joins):
    rolf, _ = await sheet_of_a_booking(joins)
    address = rolf.page.url
    await rolf.page.get_by_role("link", name="Revenir au rendez-vous").click()
    await rolf.page.locator("summary", has_text="Annuler").click()
    await rolf.presses("Oui, annuler", exact=False)
    await rolf.sees("Annulé")

    await rolf.page.goto(address)

    await rolf.sees("cette feuille ne vaut plus")


async def test_it_goes_into_a_calendar_with_the_place_and_nothing_of_the_patient(joins: Joins):
    rolf, reference = await sheet_of_a_booking(joins)
    link = rolf.page.get_by_role("link", name="Pour un agenda (ICS)")

    answer = await rolf.context.request.get(rolf.service.url + await link.get_attribute("href"))

    assert answer.headers["content-type"].startswith("text/calendar")
    assert answer.headers["content-disposition"] == 'attachment; filename="rendez-vous.ics"'
    [event] = Calendar.from_ical(await answer.text()).walk("VEVENT")
    assert f"référence {reference}" in event["summary"]
    assert "Maison de santé de Bédarieux" in event["location"]
    assert (event["dtend"].dt - event["dtstart"].dt) == timedelta(minutes=20)
    assert event["dtstart"].dt > datetime.now(UTC)
    assert "04" in event["description"]

    await rolf.page.get_by_role("link", name="Revenir au rendez-vous").click()
    await rolf.page.locator("summary", has_text="Annuler").click()
    await rolf.presses("Oui, annuler", exact=False)
    await rolf.sees("Annulé")
    gone = await rolf.context.request.get(answer.url)
    assert gone.status == 409


async def test_it_has_the_street_the_access_and_the_hours_of_a_plage(joins: Joins, owner_url: str):
    owner = await asyncpg.connect(owner_url)
    await owner.execute("UPDATE location SET address = '3 rue des Lilas', access = 'Digicode 48'")
    await owner.close()
    ann, rolf = await joins("ann", DESK), await joins("rolf", DESK)
    lasting = timedelta(hours=3)
    start = await offers(ann, "ann", 1, after=timedelta(hours=1), lasting=lasting, capacity=4)
    await rolf.goes_to("/orienter")
    await rolf.books("Dr Ann Martin")

    await rolf.page.get_by_role("link", name="Feuille pour le patient").click()

    await rolf.sees(f"venez entre {hour(start)} et {hour(start + lasting)}")
    await rolf.sees("3 rue des Lilas")
    await rolf.sees("Digicode 48")
