"""Two GPs want the same place: the first has it, the second hears so at once, with what is next."""

import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_of_two_who_want_one_slot_the_second_is_offered_the_next_one(joins: Joins):
    bob = await joins("bob", PHONE)
    await bob.publishes()
    await bob.publishes("Maintenant")
    await expect(bob.page.locator(".mine")).to_have_count(2)
    rolf, ann = await joins("rolf", DESK), await joins("ann", DESK)
    for person in (rolf, ann):
        await person.goes_to("/orienter")
        await expect(person.page.locator(".slot")).to_have_count(2)
    # Both buttons are pressed as they stand: ann's page is not given the time to learn.
    await ann.context.set_offline(True)
    await rolf.holds("Dr Bob Bernard")
    await ann.context.set_offline(False)
    await ann.page.evaluate(
        "document.querySelector('.hold').form.requestSubmit(document.querySelector('.hold'))"
    )

    await expect(ann.page.get_by_role("heading", name="Place déjà prise")).to_be_visible()
    await ann.holds("Dr Bob Bernard")
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("C’est réservé")
    await ann.presses("Confirmer le rendez-vous")
    await ann.sees("C’est réservé")
    await expect(bob.page.locator(".mine .reference")).to_have_count(2)


async def test_who_looks_sees_a_hold_and_its_end_without_a_reload(joins: Joins):
    bob, rolf, ann = await joins("bob", PHONE), await joins("rolf", DESK), await joins("ann", DESK)
    await bob.publishes()
    await rolf.goes_to("/orienter")
    await ann.goes_to("/orienter")

    await rolf.holds("Dr Bob Bernard")
    await expect(ann.page.locator(".slot .state")).to_have_text("Retenu")
    await expect(ann.page.locator(".slot .hold")).to_be_hidden()

    await rolf.presses("Rendre la place")
    await expect(ann.page.locator(".slot .hold")).to_be_visible()
