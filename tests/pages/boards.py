"""What tests of boards have in common: places to fill them with, and what one waits for."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from playwright.async_api import Locator, expect

from tests.browser import WITHIN_MS, Person

A_BATCH = 50  # slots in one request
APART = timedelta(minutes=25)
LONG = timedelta(minutes=20)


async def offers(
    person: Person,
    name: str,
    count: int,
    *,
    after: timedelta = timedelta(minutes=30),
    lasting: timedelta = LONG,
    **fields,
) -> datetime:
    """*count* places of *name*, one every APART, through the API. Returns when the first begins."""
    first = datetime.now(UTC).replace(second=0, microsecond=0) + after
    moments = [first + number * APART for number in range(count)]
    for start in range(0, count, A_BATCH):
        slots = [
            {
                "schedule_id": str(person.service.world.schedules[name]),
                "starts_at": at.isoformat(),
                "ends_at": (at + lasting).isoformat(),
                **fields,
            }
            for at in moments[start : start + A_BATCH]
        ]
        answer = await person.context.request.post(
            person.service.url + "/api/v1/slots",
            data={"slots": slots},
            headers={"Idempotency-Key": str(uuid4())},
        )
        assert answer.status == 201, await answer.text()
    return first


async def is_live(person: Person, timeout_ms: int = WITHIN_MS) -> None:
    """Wait until the page says that its data is current."""
    freshness = person.page.locator("live-freshness")
    await expect(freshness).to_have_attribute("data-level", "live", timeout=timeout_ms)


def rows(person: Person) -> Locator:
    """Every row of the board that somebody looks at."""
    return person.page.locator(".slot")
