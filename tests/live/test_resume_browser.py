"""The page's half of the promise: whatever becomes of its line, it ends like a page just loaded."""

import json
from collections import Counter
from random import Random

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from slots import redis_url as urls
from tests.browser import DESK, Joins, Service, chromium, joins, on_one_loop, serving, world
from tests.live.incidents import NEEDED, Incidents
from tests.live.resuming import INCIDENTS, StageNow
from tests.live.truth import Truth
from tests.scale.service import until
from web.live import presence

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.prove]
__all__ = ["chromium", "joins", "world"]

ROUNDS = 12
MOVES = 15  # incidents a round, each a frame or more
SAME_WITHIN_S = 15.0
# What may become of an event on its way to the page; everything else arrives.
FATES = Counter(arrives=30, is_lost=2, comes_twice=2, cuts=2)
CHANGES = {"event", "gone", "skip"}
# Rows that leave keep their place for a while, and say why; distances are the page's own.
ROWS = """(rows) => Object.fromEntries(rows
  .filter(({ dataset }) => ["free", "busy-tentative"].includes(dataset.status))
  .map((row) => [row.id, { ...row.dataset, words: row.querySelector(".state").textContent }]))"""


class Line:
    """The page's sockets, frame by frame, through unsafe hands. `fates` counts what was done."""

    def __init__(self) -> None:
        self.random = Random(48)
        self.fates: Counter[str] = Counter()

    def taken_up(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        server.on_message(lambda frame: self._carry(page, frame))

    def _carry(self, page: WebSocketRoute, frame: str | bytes) -> None:
        fate = "arrives"
        if json.loads(frame)["t"] in CHANGES:
            (fate,) = self.random.choices([*FATES], [*FATES.values()])
        self.fates[fate] += 1
        if fate != "is_lost":
            page.send(frame)
        if fate == "comes_twice":
            page.send(frame)
        if fate == "cuts":
            self._cut = page.close(code=4002)


async def rows_of(page: Page) -> dict[str, dict[str, str]]:
    return await page.locator(".slot").evaluate_all(ROWS)


@on_one_loop
async def service(world, settings, monkeypatch):
    """Its heartbeats come each second: by them a page finds out that the last frame was lost."""
    monkeypatch.setattr(presence, "HEARTBEAT_EVERY_S", 1.0)
    async with serving(world, settings) as running:
        yield running


@on_one_loop
async def incidents(service: Service, settings):
    client = urls.connect(settings.redis_url)
    stage = StageNow(client)
    stage.generation = 1
    truth = Truth(stage, str(service.world.schedules["ann"]))
    holders = [service.world.accounts[name] for name in ("ann", "rolf", "rita")]
    yield Incidents(stage, truth, holders)
    await client.aclose()


async def test_a_page_with_a_bad_line_ends_like_a_page_just_loaded(joins: Joins, incidents):
    rita, line = await joins(None, DESK), Line()
    await incidents.begins()
    await rita.page.route_web_socket("**/live", line.taken_up)
    await rita.signs_in("rita")
    await expect(rita.page.locator("live-freshness")).to_have_attribute("data-level", "live")
    fresh = await rita.context.new_page()
    random = Random(48)

    for _ in range(ROUNDS):
        for verb in random.choices([*INCIDENTS.elements()], k=MOVES):
            await incidents.happens(verb, random.randrange(999))
        await incidents.rebuild(NEEDED)
        await incidents.stage.due()

        async def is_the_same() -> bool:
            await fresh.goto(rita.page.url)
            return await rows_of(rita.page) == await rows_of(fresh)

        await until(is_the_same, SAME_WITHIN_S)

    assert min(line.fates[fate] for fate in FATES) > 0, line.fates
    assert len(await rows_of(fresh)) > 0
