"""Real event frames, for the baselines: what the product has just sent, as it sent it."""

import asyncio

from msgspec import Raw

from slots.log import LogReader
from slots.settings import Settings
from tests.live.making import HAUTS
from web.live import frames

EVENTS = 200  # a round
EVENTS_PER_S = 50  # where a pace is kept


async def a_turn() -> None:
    """Let whatever is ready run once."""
    loop = asyncio.get_running_loop()
    turned = loop.create_future()
    loop.call_soon(turned.set_result, None)
    await turned


async def until_time(at: float) -> None:
    """Wait for a moment of the loop's clock."""
    loop = asyncio.get_running_loop()
    moment = asyncio.Event()
    loop.call_at(at, moment.set)
    await moment.wait()


async def latest_texts(settings: Settings) -> list[str]:
    reader = LogReader.connect(settings.redis_url)
    events = await reader.latest(HAUTS, EVENTS)
    await reader.close()
    return [
        frames.write(frames.Event(HAUTS.slug, event.at, event.prev, event.type, Raw(event.slot)))
        for event in events
    ]
