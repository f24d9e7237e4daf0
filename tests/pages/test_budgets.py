"""What the first view of each screen weighs, on a bad network: as a proxy compresses it (gzip)."""

import gzip
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser import PHONE, Joins, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST_VIEW_BYTES_MAX = 100 * 1024
SCRIPTS_BYTES_MAX = 25 * 1024
ROWS = 100  # that come with a board
APART = timedelta(minutes=25)
SCREENS = [
    ("ann", "/disponibilites"),
    ("bob", "/orienter"),
    ("rita", "/regulation"),
    ("bob", "/orientations"),
    ("bob", "/annuaire"),
    (None, "/connexion"),
]


async def publishes_many(person: Person, schedule_id) -> None:
    """Enough for a full board."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    moments = [now + timedelta(minutes=30) + number * APART for number in range(ROWS)]
    for start in range(0, ROWS, 50):
        slots = [
            {
                "schedule_id": str(schedule_id),
                "starts_at": at.isoformat(),
                "ends_at": (at + timedelta(minutes=20)).isoformat(),
                "note": f"Sonner deux fois, porte {number}",
            }
            for number, at in enumerate(moments[start : start + 50])
        ]
        answer = await person.context.request.post(
            person.service.url + "/api/v1/slots",
            data={"slots": slots},
            headers={"Idempotency-Key": str(uuid4())},
        )
        assert answer.status == 201, await answer.text()


async def test_the_first_view_of_each_screen_is_light(joins: Joins):
    ann = await joins("ann", PHONE)
    await publishes_many(ann, ann.service.world.schedules["ann"])
    rita = await joins("rita", PHONE)
    await expect(rita.page.locator(".slot")).to_have_count(ROWS)  # what is weighed is all there
    for name, path in SCREENS:
        person = await joins(None, PHONE)
        if name is not None:  # a bad network is a phone's; a PC asks for its lock as well
            await person.signs_in_on_their_phone(name)
        bodies = await first_view(person, path)

        scripts = {url: size for url, size in bodies.items() if url.endswith(".js")}
        assert sum(bodies.values()) <= FIRST_VIEW_BYTES_MAX, (path, bodies)
        assert 0 < sum(scripts.values()) <= SCRIPTS_BYTES_MAX, (path, scripts)
        print(f"{path}: {sum(bodies.values()):,} bytes, scripts {sum(scripts.values()):,}")


async def first_view(person: Person, path: str) -> dict[str, int]:
    """The compressed bytes of everything that a browser with an empty cache asks for."""
    page = await person.context.new_page()
    cdp = await person.context.new_cdp_session(page)
    await cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    await page.goto(person.service.url + path, wait_until="load")
    bodies = {answer.url: len(gzip.compress(await answer.body())) for answer in answers}
    await page.close()
    return bodies
