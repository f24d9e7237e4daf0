"""Holds and bookings through HTTP, against the least that such an endpoint can do."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from tests.bench import client
from tests.bench.product import Product
from tests.bench.rows import Row, ratio
from tests.bench.stage import Stage

# Many short rounds: each has its own ratio, and the machine changes its pace by the second.
ROUNDS = 11
HOLDS_A_ROUND = 1_000
BOOKINGS_A_ROUND = 300
HOLD_GOAL = 0.55
BOOKING_GOAL = 0.16


async def rows(stage: Stage) -> list[Row]:
    slots = await stage.more_slots(ROUNDS * (HOLDS_A_ROUND + BOOKINGS_A_ROUND))
    product = Product(stage.web_port, stage.cookies, slots)
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        jobs = await product.people(HOLDS_A_ROUND)
        rates["hold"].append(await client.per_second(product.port, jobs, product.hold))
        blank = range(HOLDS_A_ROUND)
        rates["bare hold"].append(await client.per_second(stage.bare_port, blank, bare("/hold")))
        jobs = await product.people(BOOKINGS_A_ROUND)
        rates["book"].append(await client.per_second(product.port, jobs, product.book))
        blank = range(BOOKINGS_A_ROUND * 2)
        rates["bare book"].append(await client.per_second(stage.bare_port, blank, bare("/book")))
    return [
        ratio("HTTP hold / bare EVALSHA", rates["hold"], rates["bare hold"], HOLD_GOAL),
        ratio("bookings / bare guarded INSERT", rates["book"], rates["bare book"], BOOKING_GOAL),
    ]


def bare(path: str) -> Callable[[client.Connection, Any], Awaitable[None]]:
    async def ask(connection: client.Connection, job: Any) -> None:
        answer = await connection.post(path)
        assert answer.status == 201, answer

    return ask
