"""What an organisation has booked: visits whose address must be told, and what became of the rest."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins
from tests.pages.boards import offers
from tests.past import write_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")

TO_TELL = "Adresse à transmettre par téléphone"


async def test_the_address_of_a_visit_is_told_by_phone_and_ticked_by_who_goes_there(joins: Joins):
    nina, rolf = await joins("nina", PHONE), await joins("rolf", DESK)
    await offers(nina, "nina", 1, modality="HH", area={"radius_km": 20})
    await rolf.goes_to("/orienter")
    reference = await rolf.books("Nina Petit")
    await rolf.sees(TO_TELL)
    await rolf.page.get_by_role("link", name="Feuille pour le patient").click()
    await rolf.sees("À transmettre par téléphone.")
    await rolf.goes_to("/orientations")
    await rolf.sees(TO_TELL)

    await nina.goes_to("/disponibilites")
    await nina.sees("Adresse à demander par téléphone")
    await nina.presses(f"J’ai l’adresse, rendez-vous {reference}")
    await nina.sees("Adresse reçue à")

    await rolf.sees("Adresse transmise à")  # live, without a reload
    await expect(rolf.page.get_by_text(TO_TELL)).to_have_count(0)


@pytest.mark.prove
async def test_at_the_practice_nobody_asks_for_an_address(joins: Joins):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    await rolf.books("Dr Ann Martin")

    await expect(rolf.page.get_by_text(TO_TELL)).to_have_count(0)
    await ann.goes_to("/disponibilites")
    await expect(ann.page.get_by_role("button", name="J’ai l’adresse")).to_have_count(0)


async def test_what_became_of_the_last_days_is_said_in_one_line(joins: Joins, owner_url: str):
    rolf = await joins("rolf", DESK)
    world, yesterday = rolf.service.world, datetime.now(UTC) - timedelta(days=1)
    await write_bookings(owner_url, world, yesterday, count=2, status="fulfilled")
    await write_bookings(owner_url, world, yesterday - timedelta(days=3), status="noshow")
    await write_bookings(owner_url, world, yesterday)
    await write_bookings(owner_url, world, yesterday - timedelta(days=20), status="fulfilled")

    await rolf.goes_to("/orientations")

    summary = rolf.page.locator("details.past > summary")
    for words in ("7 derniers jours", "2 venu", "1 pas venu", "1 sans suite notée"):
        await expect(summary).to_contain_text(words)
    await summary.click()
    await expect(rolf.page.locator("details.past .appointment")).to_have_count(4)
    await rolf.sees("Rien de réservé pour le moment")
