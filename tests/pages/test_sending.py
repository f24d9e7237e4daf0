"""With scripts: what is lost on the way is asked for again with the same key, and done once."""

import pytest
from playwright.async_api import Route, expect

from tests.browser import DESK, PHONE, Joins

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_lost_answer_is_verified_and_the_booking_is_made_once(joins: Joins):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await ann.publishes()
    await rolf.goes_to("/orienter")
    await rolf.holds("Dr Ann Martin")
    tries = []

    async def lose_the_first_answer(route: Route) -> None:
        tries.append(route.request.post_data)
        if len(tries) == 1:
            await route.fetch(max_redirects=0)
            await route.abort()
        else:
            await route.continue_()

    await rolf.page.route("**/confirmer", lose_the_first_answer)
    await rolf.presses("Confirmer le rendez-vous")
    await rolf.sees("Vérification…")
    await rolf.sees("C’est réservé")

    assert len(tries) == 2
    assert tries[0] == tries[1]
    await expect(ann.page.locator(".mine .reference")).to_have_count(1)


async def test_a_double_tap_publishes_once(joins: Joins):
    ann = await joins("ann", PHONE)

    await ann.page.evaluate(
        """() => {
          const button = document.querySelector(".presets button")
          button.form.requestSubmit(button)
          button.form.requestSubmit(button)
        }"""
    )

    await ann.sees("Publié. Les autres")
    await expect(ann.page.locator(".mine")).to_have_count(1)


@pytest.mark.prove
async def test_a_countdown_warns_in_time_and_says_when_it_is_over(joins: Joins):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await ann.publishes()
    await ann.publishes("Maintenant")
    await rolf.goes_to("/orienter")
    await rolf.holds("Dr Ann Martin")
    await rolf.page.clock.install()
    await rolf.page.reload()
    await rolf.page.clock.fast_forward("02:30")
    await expect(rolf.page.locator("hold-countdown")).to_have_attribute("data-level", "soon")
    await rolf.page.clock.fast_forward("01:00")

    await expect(rolf.page.locator("hold-countdown")).to_have_text("Le créneau n’est plus retenu.")
