"""A board of two thousand live slots on which fifty things happen each second stays smooth."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from uuid import UUID, uuid4

import pytest
from playwright.async_api import expect

from slots.booking import holding
from slots.ids import SlotId
from slots.store.idempotency import Key
from tests.browser import Joins, Service

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.prove]

PEOPLE = ("ann", "bob", "nina", "carl")
SLOTS_EACH = 500
SLOTS = SLOTS_EACH * len(PEOPLE)
A_BATCH = 50  # slots in one request
SHORT = timedelta(minutes=5)
FIRST_ROWS = 100
EVENTS_A_SECOND = 50
SECONDS = 10
ROUNDS = 3
TASK_MAX_MS = 100
ALL_ROWS_WITHIN_MS = 60_000
LONG_TASKS = """
window.longTasks = []
const seen = (all) => window.longTasks.push(...all.getEntries().map(({ duration }) => duration))
new PerformanceObserver(seen).observe({ type: "longtask" })
"""
SCROLL_TO_MORE = "document.querySelector('.more')?.scrollIntoView()"


async def publish_thousands(joins: Joins) -> list[SlotId]:
    """SLOTS of five minutes each, from an hour ahead on."""
    first = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=1)
    known: list[SlotId] = []
    for name in PEOPLE:
        person = await joins(name)
        for begin in range(0, SLOTS_EACH, A_BATCH):
            starts = [first + number * SHORT for number in range(begin, begin + A_BATCH)]
            slots = [
                {
                    "schedule_id": str(person.service.world.schedules[name]),
                    "starts_at": at.isoformat(),
                    "ends_at": (at + SHORT).isoformat(),
                    "audience": ["CPTS", "SNP"],
                    "note": f"Sonner deux fois, porte {at.minute}",
                }
                for at in starts
            ]
            answer = await person.context.request.post(
                person.service.url + "/api/v1/slots",
                data={"slots": slots},
                headers={"Idempotency-Key": str(uuid4())},
            )
            assert answer.status == 201, await answer.text()
            known += [SlotId(UUID(one["id"])) for one in (await answer.json())["slots"]]
    return known


async def much_happens(service: Service, slot_ids: Sequence[SlotId]) -> None:
    """Holds and releases, EVENTS_A_SECOND of them, for SECONDS."""
    rolf, chance = service.world.accounts["rolf"], random.Random(48)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(SECONDS * EVENTS_A_SECOND // 2):
        now, slot_id = datetime.now(UTC), chance.choice(slot_ids)
        held = await holding.hold(service.desk, rolf, slot_id, Key(str(uuid4()), b""), now)
        await holding.release(service.desk, rolf, held.id, now)
        next_turn = asyncio.Event()
        loop.call_at(begun + (number + 1) * 2 / EVENTS_A_SECOND, next_turn.set)
        await next_turn.wait()


@pytest.mark.parametrize("rows", [FIRST_ROWS, SLOTS])
async def test_no_task_of_the_page_is_long(joins: Joins, service: Service, rows: int):
    slot_ids = await publish_thousands(joins)
    rita = await joins(None)
    await rita.context.add_init_script(LONG_TASKS)
    await rita.signs_in("rita")
    page = rita.page
    await expect(page.locator("live-freshness")).to_have_attribute("data-level", "live")
    await expect(page.locator(".slot")).to_have_count(FIRST_ROWS)
    while rows == SLOTS and await page.locator(".more").count():
        await page.evaluate(SCROLL_TO_MORE)
    await expect(page.locator(".slot")).to_have_count(rows, timeout=ALL_ROWS_WITHIN_MS)
    while_loading = await page.evaluate("longTasks.splice(0)")

    # What else the machine does makes tasks longer too: the quietest round is the page's own.
    longest = []
    while len(longest) < ROUNDS and min(longest, default=inf) > TASK_MAX_MS:
        await much_happens(service, slot_ids[:-SLOTS_EACH])  # carl's are another territory's
        longest.append(max(await page.evaluate("longTasks.splice(0)"), default=0))

    print(
        f"{rows:,} of {SLOTS:,} rows: while loading {sorted(while_loading)[-3:]} ms,"
        f" then with {EVENTS_A_SECOND} events/s, longest of each round {longest} ms"
    )
    assert min(longest) <= TASK_MAX_MS
    await expect(page.locator("live-freshness")).to_have_attribute("data-level", "live")
