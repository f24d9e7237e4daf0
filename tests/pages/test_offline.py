"""Publishing without a network: the slot waits where it can be seen, leaves once, or is too late."""

import re

import pytest
from playwright.async_api import Route, expect

from tests.browser import PHONE, Joins, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def loses_the_network(person: Person) -> None:
    await person.context.set_offline(True)


async def finds_the_network(person: Person) -> None:
    await person.context.set_offline(False)


async def sees_in_the_queue(person: Person, words: str, count: int = 1) -> None:
    row = person.page.locator("publish-queue li", has_text=re.compile(re.escape(words)))
    await expect(row).to_have_count(count)


async def has_published(person: Person, count: int = 1) -> None:
    await expect(person.page.locator(".mine")).to_have_count(count)


async def kept_by_the_phone(person: Person) -> list[str]:
    """The paths of the pages in the store of the service worker."""
    return await person.page.evaluate(
        """async () => {
          const found = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()))
          return found.flat().map(({ url }) => new URL(url).pathname).filter((path) => !path.startsWith("/static/"))
        }"""
    )


async def keeps_the_form(person: Person) -> None:
    """Wait until the phone could publish without a network."""
    await person.page.evaluate(
        """async () => {
          await navigator.serviceWorker.ready
          while (!navigator.serviceWorker.controller) await new Promise(requestAnimationFrame)
        }"""
    )
    await person.goes_to("/disponibilites")
    await person.page.wait_for_function(
        """async () => {
          const kept = ["/disponibilites/hors-ligne", "/hors-ligne"].map((page) => caches.match(page))
          return (await Promise.all(kept)).every(Boolean)
        }"""
    )


async def test_a_slot_waits_for_the_network_and_leaves_once(joins: Joins):
    ann = await joins("ann", PHONE)
    await loses_the_network(ann)

    await ann.presses("Demain matin", exact=False)
    await ann.presses("Demain matin", exact=False)

    await ann.sees("En attente de réseau (1)")
    await sees_in_the_queue(ann, "demain à 9")
    await finds_the_network(ann)
    await sees_in_the_queue(ann, "Publié.")
    await has_published(ann)


async def test_what_waits_outlives_the_page(joins: Joins):
    ann = await joins("ann", PHONE)
    await loses_the_network(ann)
    await ann.presses("Demain matin", exact=False)
    await ann.sees("En attente de réseau (1)")
    await ann.page.close()
    await finds_the_network(ann)

    ann.page = await ann.context.new_page()
    await ann.goes_to("/annuaire")

    await sees_in_the_queue(ann, "Publié.")
    await ann.goes_to("/disponibilites")
    await has_published(ann)


async def test_an_answer_that_was_lost_makes_no_second_slot(joins: Joins):
    ann = await joins("ann", PHONE)

    async def lose_the_answer(route: Route) -> None:
        await route.fetch(max_redirects=0)
        await route.abort()

    await ann.page.route("**/disponibilites", lose_the_answer, times=1)
    await ann.presses("Demain matin", exact=False)
    await sees_in_the_queue(ann, "En attente de réseau")
    await ann.page.evaluate("dispatchEvent(new Event('online'))")

    await sees_in_the_queue(ann, "Publié.")
    await has_published(ann)


async def test_what_is_too_late_is_dropped_with_a_word(joins: Joins):
    ann = await joins(None, PHONE)
    await ann.signs_in_on_their_phone("ann")
    await ann.page.clock.install()
    await ann.page.reload()
    await loses_the_network(ann)
    await ann.presses("Maintenant", exact=False)
    await sees_in_the_queue(ann, "En attente de réseau")

    await ann.page.clock.fast_forward("30:00")

    await sees_in_the_queue(ann, "Trop tard : ce moment est passé. Rien n’est publié.")
    await finds_the_network(ann)
    await ann.presses("Fermer", exact=False)
    await expect(ann.page.locator("publish-queue")).to_be_hidden()
    await has_published(ann, 0)


@pytest.mark.prove
async def test_what_the_service_refuses_is_told_and_not_tried_again(joins: Joins):
    ann = await joins("ann", PHONE)
    second = await ann.context.new_page()
    await second.goto(f"{ann.service.url}/disponibilites")
    await loses_the_network(ann)
    await ann.presses("Demain matin", exact=False)
    await second.get_by_label("Durée").select_option("30")
    await second.get_by_role("button", name="Demain matin").click()
    await ann.sees("En attente de réseau (2)")

    await finds_the_network(ann)

    await sees_in_the_queue(ann, "Publié.")
    await sees_in_the_queue(ann, "Non publié. ")
    await has_published(ann)


async def test_a_session_that_ended_meanwhile_keeps_what_waits(joins: Joins):
    ann = await joins("ann", PHONE)
    await loses_the_network(ann)
    await ann.presses("Demain matin", exact=False)
    await ann.sees("En attente de réseau (1)")
    await ann.context.clear_cookies()
    await finds_the_network(ann)
    await sees_in_the_queue(ann, "Reconnectez-vous")

    await ann.signs_in("ann")

    await sees_in_the_queue(ann, "Publié.")
    await has_published(ann)


@pytest.mark.prove
async def test_what_waits_is_nobody_elses(joins: Joins):
    ann = await joins("ann", PHONE)
    await loses_the_network(ann)
    await ann.presses("Demain matin", exact=False)
    await ann.sees("En attente de réseau (1)")
    await ann.context.clear_cookies()
    await finds_the_network(ann)
    await sees_in_the_queue(ann, "Reconnectez-vous")

    await ann.signs_in("bob")

    await expect(ann.page.locator("publish-queue")).to_be_hidden()
    await ann.context.clear_cookies()
    await ann.signs_in("ann")
    await sees_in_the_queue(ann, "Publié.")


@pytest.mark.prove
async def test_leaving_by_itself_does_not_say_that_somebody_has_seen_their_bookings(joins: Joins):
    ann, rolf = await joins("ann", PHONE), await joins("rolf")
    await ann.publishes("Maintenant")
    await loses_the_network(ann)
    await ann.presses("Demain matin", exact=False)
    await ann.sees("En attente de réseau (1)")
    await ann.page.close()
    await rolf.goes_to("/orienter")
    await rolf.books("Dr Ann Martin")
    await finds_the_network(ann)
    ann.page = await ann.context.new_page()
    await ann.goes_to("/annuaire")
    await sees_in_the_queue(ann, "Publié.")

    await rolf.goes_to("/orientations")

    await rolf.sees("pas encore vu")


@pytest.mark.prove
async def test_without_a_network_the_app_opens_on_the_form_that_publishes(joins: Joins):
    ann = await joins("ann", PHONE, service_workers="allow")
    await ann.publishes()
    await keeps_the_form(ann)
    await loses_the_network(ann)

    await ann.goes_to("/disponibilites")
    await ann.sees("Pas de réseau.")
    await has_published(ann, 0)  # what others booked is not kept on a phone
    await ann.presses("Maintenant", exact=False)
    await ann.sees("En attente de réseau (1)")
    await finds_the_network(ann)

    await has_published(ann, 2)
    await expect(ann.page.get_by_text("Pas de réseau.")).to_have_count(0)


async def test_without_a_network_nobody_is_shown_an_old_board(joins: Joins):
    ann = await joins("ann", PHONE, service_workers="allow")
    await keeps_the_form(ann)
    await loses_the_network(ann)

    await ann.goes_to("/orienter")

    await ann.sees("Rien ne peut être retenu ni réservé d’ici")
    await finds_the_network(ann)
    await expect(ann.page.get_by_role("heading", name="Orienter")).to_be_visible()


@pytest.mark.prove
async def test_the_phone_forgets_the_form_when_somebody_signs_out(joins: Joins):
    ann = await joins("ann", PHONE, service_workers="allow")
    await keeps_the_form(ann)
    assert sorted(await kept_by_the_phone(ann)) == ["/disponibilites/hors-ligne", "/hors-ligne"]

    await ann.presses("Se déconnecter")
    await ann.page.wait_for_url("**/connexion")

    await ann.page.wait_for_function(
        "async () => !(await caches.match('/disponibilites/hors-ligne'))"
    )
    assert await kept_by_the_phone(ann) == ["/hors-ligne"]
