"""The worker's pulse: a key that says how the loops fare, and that goes when the worker dies.

It lives on the queue's server. `chrono48 doctor` reads it.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from redis.exceptions import RedisError

from slots import redis_url
from slots.errors import BrokerUnavailable
from workers.loops import Loop

PULSE_KEY: Final = "chrono48:worker:pulse"
BEAT_EVERY_S: Final = 5.0
PULSE_FOR_S: Final = 20  # without a beat for so long there is no worker


class LoopPulse(msgspec.Struct, frozen=True):
    """How one loop fares. *good_s_ago*: since its last good round; None before the first."""

    name: str
    every_s: float
    good_s_ago: float | None
    failing: str  # "" after a good round, or what went wrong


class Pulse(msgspec.Struct, frozen=True):
    """What the last worker to beat said of itself."""

    worker: str
    loops: list[LoopPulse]


async def beat(redis: Any, worker: str, loops: Sequence[Loop], now_s: float) -> int:
    """Say that we live. Every BEAT_EVERY_S. *now_s*: the event loop's clock.

    Raises:
        BrokerUnavailable: Nobody could be told.
    """
    pulse = Pulse(
        worker,
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
        await redis.set(PULSE_KEY, msgspec.json.encode(pulse), ex=PULSE_FOR_S)
    except (RedisError, OSError, TimeoutError) as error:
        raise BrokerUnavailable from error
    return 0


async def last_pulse(url: str) -> Pulse | None:
    """The pulse on the queue's server at *url*; None where no worker lives.

    Raises:
        BrokerUnavailable: The server is dead, frozen or unreachable.
    """
    redis = redis_url.connect(url)
    try:
        found = await redis.get(PULSE_KEY)
    except (RedisError, OSError, TimeoutError) as error:
        raise BrokerUnavailable from error
    finally:
        await redis.aclose()
    return msgspec.json.decode(found, type=Pulse) if found else None
