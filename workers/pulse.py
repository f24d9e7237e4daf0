"""Each worker's pulse: a key that says how its loops fare, and that goes when the worker dies.

They live on the queue's server. `chrono48 doctor` reads them.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from redis.exceptions import RedisError

from slots import redis_url
from slots.errors import BrokerUnavailable
from workers.loops import Loop

PULSE_KEYS: Final = "chrono48:worker:{}:pulse"  # by the name of the worker
SCANNED_AT_ONCE: Final = 1_000  # keys
BEAT_EVERY_S: Final = 5.0
PULSE_FOR_S: Final = 20  # without a beat for so long there is no worker


class LoopPulse(msgspec.Struct, frozen=True):
    """How one loop fares. *good_s_ago*: since its last good round; None before the first."""

    name: str
    every_s: float
    good_s_ago: float | None
    failing: str  # "" after a good round, or what went wrong


class Pulse(msgspec.Struct, frozen=True):
    """What a worker said of itself."""

    worker: str
    horizon_hours: int  # with which it works; all processes must agree
    loops: list[LoopPulse]


async def beat(
    redis: Any, worker: str, horizon_hours: int, loops: Sequence[Loop], now_s: float
) -> int:
    """Say that we live. Every BEAT_EVERY_S. *now_s*: the event loop's clock.

    Raises:
        BrokerUnavailable: Nobody could be told.
    """
    pulse = Pulse(
        worker,
        horizon_hours,
        [
            LoopPulse(
                loop.name,
                loop.every_s,
                None if loop.good_at is None else round(now_s - loop.good_at, 1),
                loop.failing,
            )
            for loop in loops
        ],
    )
    try:
        await redis.set(PULSE_KEYS.format(worker), msgspec.json.encode(pulse), ex=PULSE_FOR_S)
    except (RedisError, OSError, TimeoutError) as error:
        raise BrokerUnavailable from error
    return 0


async def pulses(url: str) -> list[Pulse]:
    """The pulses on the queue's server at *url*, by the workers' names; none where none lives.

    Raises:
        BrokerUnavailable: The server is dead, frozen or unreachable.
    """
    redis = redis_url.connect(url)
    try:
        every = redis.scan_iter(match=PULSE_KEYS.format("*"), count=SCANNED_AT_ONCE)
        found = [await redis.get(key) async for key in every]
    except (RedisError, OSError, TimeoutError) as error:
        raise BrokerUnavailable from error
    finally:
        await redis.aclose()
    living = [msgspec.json.decode(text, type=Pulse) for text in found if text]
    return sorted(living, key=lambda pulse: pulse.worker)
