"""A booking that its professional cancels reaches the colleague who must tell the patient."""

import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_cancelled_booking_reaches_whoever_must_tell_the_patient(joins: Joins):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    reference = await rolf.books("Dr Ann Martin")
    # Rosa works with rolf: the task is their organisation's, and comes to her screen by itself.
    rosa = await joins("rosa", DESK)
    await rosa.goes_to("/orienter")
    await expect(rosa.page.locator("slot-list")).to_be_visible()
    await expect(rosa.page.get_by_text("patient à prévenir")).to_be_hidden()

    await ann.goes_to("/disponibilites")
    await ann.page.get_by_role("button", name="Retirer le créneau").click()
    await ann.sees("1 patient est attendu")
    await ann.presses("Retirer et annuler 1 rendez-vous")
    await ann.sees("Rolf Garcia (Cabinet des Rosiers) doit prévenir le patient")

    task = rosa.page.locator(".task", has_text=reference)
    await expect(task).to_contain_text("Dr Ann Martin a annulé")
    await task.get_by_role("button", name="Patient prévenu").click()
    await rosa.sees("Noté : le patient est prévenu.")
    await expect(rosa.page.locator(".task")).to_have_count(0)
    await expect(ann.page.locator(".mine")).to_contain_text("Patient prévenu à")


async def test_a_booking_moves_to_another_place_in_one_step(joins: Joins):
    ann, bob, rolf = [await joins(name, DESK) for name in ("ann", "bob", "rolf")]
    await ann.publishes()
    await bob.publishes()
    await rolf.goes_to("/orienter")
    first = await rolf.books("Dr Ann Martin")

    await rolf.page.get_by_role("link", name="Déplacer").click()
    await rolf.sees("choisissez une autre place")
    await rolf.holds("Dr Bob Bernard")
    await rolf.presses("Déplacer ici")

    await rolf.sees("Rendez-vous déplacé")
    assert await rolf.page.locator("h1 .reference").inner_text() != first
    await expect(ann.page.locator(".mine .state").first).to_have_text("Libre")
    await expect(bob.page.locator(".mine .reference")).to_be_visible()
