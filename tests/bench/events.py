"""Real event frames, for the baselines: what the product has just sent, as it sent it."""

import asyncio

from msgspec import Raw

from slots.log import LogReader
from slots.settings import Settings
from tests.live.making import HAUTS
from web.live import frames

EVENTS = 200  # a round


async def a_turn() -> None:
    """Let whatever is ready run once."""
    loop = asyncio.get_running_loop()
    turned = loop.create_future()
    loop.call_soon(turned.set_result, None)
    await turned


async def latest_texts(settings: Settings) -> list[str]:
    reader = LogReader.connect(settings.redis_url)
    events = await reader.latest(HAUTS, EVENTS)
    await reader.close()
    return [
        frames.write(frames.Event(HAUTS.slug, event.at, event.prev, event.type, Raw(event.slot)))
        for event in events
    ]
