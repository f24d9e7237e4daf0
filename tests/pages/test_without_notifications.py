"""Where the service has no key to push with, no page speaks of notifications."""

import pytest
from playwright.async_api import expect

from tests.browser import PHONE, Joins

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_without_a_key_the_page_says_nothing_and_nothing_can_be_chosen(joins: Joins):
    ann = await joins("ann", PHONE)

    await expect(ann.page.get_by_text("J’accepte un patient en plus")).to_be_visible()
    await expect(ann.page.get_by_text("Notifications")).to_have_count(0)
    answer = await ann.context.request.post(
        f"{ann.service.url}/disponibilites/notifications/heures-calmes",
        form={"from": "21:00", "to": "07:00"},
        headers={"origin": ann.service.url},
    )
    assert answer.status == 404
