"""The page's half of the promise: whatever becomes of its line, it ends like a page just loaded."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from random import Random

import pytest
from playwright.async_api import Page, Route, WebSocketRoute, expect

from slots import redis_url as urls
from tests.browser import DESK, Joins, Person, Service, chromium, joins, on_one_loop, serving, world
from tests.live.incidents import NEEDED, Incidents
from tests.live.resuming import INCIDENTS, StageNow
from tests.live.truth import Truth
from tests.waiting import until
from web.live import presence

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.prove]
__all__ = ["chromium", "joins", "world"]

ROUNDS = 12
MOVES = 15  # incidents a round, each a frame or more
COMES_BACK = 4002  # a close code after which the page comes back
SAME_WITHIN_S = 8.0
# What may become of an event on its way to the page; everything else arrives.
FATES = Counter(arrives=30, is_lost=2, comes_twice=2, cuts=2)
# What makes a page ask anew: a change that does not follow, a heartbeat from elsewhere.
GUARDS = (
    "if (prev !== standsAt) return this.#again(territory)",
    "if (standsAt && standsAt !== position) this.#again(territory)",
)
CHANGES = {"event", "gone", "skip"}
# Rows that leave keep their place for a while, and say why; distances, and what is news to whom,
# are the page's own.
ROWS = """(rows) => Object.fromEntries(rows
  .filter(({ dataset }) => ["free", "busy-tentative"].includes(dataset.status))
  .map((row) => {
    const { news, ...said } = row.dataset
    return [row.id, { ...said, words: row.querySelector(".state").textContent }]
  }))"""


class Line:
    """The page's sockets, frame by frame, through unsafe hands. `fates` counts what was done."""

    def __init__(self, often: Counter[str]) -> None:
        self.often = often
        self.random = Random(48)
        self.fates: Counter[str] = Counter()
        self._cuts: set[asyncio.Task[None]] = set()

    def taken_up(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        server.on_message(lambda frame: self._carry(server, page, frame))

    def _carry(self, server: WebSocketRoute, page: WebSocketRoute, frame: str | bytes) -> None:
        fate = "arrives"
        if json.loads(frame)["t"] in CHANGES:
            (fate,) = self.random.choices([*self.often.elements()])
        self.fates[fate] += 1
        if fate != "is_lost":
            page.send(frame)
        if fate == "comes_twice":
            page.send(frame)
        if fate == "cuts":
            for side in (page, server):
                self._cuts.add(asyncio.create_task(side.close(code=COMES_BACK)))


async def rows_of(page: Page) -> dict[str, dict[str, str]]:
    return await page.locator(".slot").evaluate_all(ROWS)


@on_one_loop
async def service(world, settings, monkeypatch):
    """Its heartbeats come each second: by them a page finds out that the last frame was lost."""
    monkeypatch.setattr(presence, "HEARTBEAT_EVERY_S", 1.0)
    async with serving(world, settings) as running:
        yield running


@on_one_loop
async def incidents(service: Service, settings) -> AsyncIterator[Incidents]:
    """On the boards of the service, by the real clock."""
    client = urls.connect(settings.redis_url)
    stage = StageNow(client)
    stage.generation = 1
    truth = Truth(stage, str(service.world.schedules["ann"]))
    holders = [service.world.accounts[name] for name in ("ann", "rolf", "rita")]
    yield Incidents(stage, truth, holders)
    await client.aclose()


@on_one_loop
async def rita(joins: Joins, incidents) -> Person:
    """Not signed in yet: the line must be there first."""
    await incidents.begins()
    return await joins(None, DESK)


async def test_a_page_with_a_bad_line_ends_like_a_page_just_loaded(rita: Person, incidents):
    line = Line(FATES)
    await rita.page.route_web_socket("**/live", line.taken_up)

    await ends_each_round_like_a_fresh_page(rita, incidents)

    assert min(line.fates[fate] for fate in FATES) > 0, line.fates


async def test_a_page_that_does_not_compare_positions_would_show_a_hole(rita: Person, incidents):
    """The control: the page's script without its guards."""
    await rita.page.route_web_socket("**/live", Line(Counter(arrives=1, is_lost=1)).taken_up)
    await rita.page.route(re.compile(r"/live\.js"), without(GUARDS))

    with pytest.raises(TimeoutError):
        await ends_each_round_like_a_fresh_page(rita, incidents)


def without(guards: Sequence[str]):
    async def fulfil(route: Route) -> None:
        answer = await route.fetch()
        text = await answer.text()
        for guard in guards:
            assert guard in text
            text = text.replace(guard, "")
        await route.fulfill(response=answer, body=text)

    return fulfil


async def ends_each_round_like_a_fresh_page(rita: Person, incidents: Incidents) -> None:
    await rita.signs_in("rita")
    await expect(rita.page.locator("live-freshness")).to_have_attribute("data-level", "live")
    fresh = await rita.context.new_page()
    random = Random(48)

    async def is_the_same() -> bool:
        await fresh.goto(rita.page.url)
        return await rows_of(rita.page) == await rows_of(fresh) != {}

    for _ in range(ROUNDS):
        for verb in random.choices([*INCIDENTS.elements()], k=MOVES):
            await incidents.happens(verb, random.randrange(999))
        await incidents.rebuild(NEEDED)
        await incidents.offer(6)
        await incidents.stage.due()
        await until(is_the_same, SAME_WITHIN_S)
