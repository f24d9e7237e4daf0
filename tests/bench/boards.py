"""What a screen waits for: news of a hold, and a whole board."""

import statistics
import time

from slots.broker import Snapshot
from tests.bench import client, sockets
from tests.bench.product import Product
from tests.bench.rows import ROUNDS, Row, at_most, reported
from tests.bench.stage import Stage
from tests.live.making import HAUTS as HAUTS_TERRITORY
from tests.world import HAUTS
from web.live.feed import Feed
from web.live.session import snapshot

SOCKETS = 200
EVENTS = 200
SNAPSHOT_SLOTS = 1_000
FAN_OUT_P99_GOAL_MS = 25.0
WARM_SNAPSHOT_GOAL_MS = 5.0


async def rows(stage: Stage) -> list[Row]:
    slots = await stage.more_slots(SNAPSHOT_SLOTS)
    product = Product(stage.web_port, stage.cookies, slots)
    return [*await _snapshot(product, stage), await _fan_out(product)]


async def _fan_out(product: Product) -> Row:
    """From the HTTP answer of a hold to the last of SOCKETS boards."""
    arrivals = sockets.Arrivals(SOCKETS)
    boards = await sockets.open_boards(product.port, next(product.cookies), arrivals)
    connection = await client.connect(product.port)
    delays_ms = []
    for cookie, slot_id in product.jobs(EVENTS):
        await product.hold(connection, (cookie, slot_id))
        answered_at = time.perf_counter()
        heard_at = await arrivals.last(str(slot_id).encode())
        delays_ms.append(max(0.0, heard_at - answered_at) * 1000)
    for board in boards:
        board.transport.close()
    p99 = statistics.quantiles(delays_ms, n=100)[98]
    detail = f"median {statistics.median(delays_ms):.2f} ms over {EVENTS} holds"
    what = f"HTTP answer to the last of {SOCKETS} sockets, p99"
    return at_most(what, p99, FAN_OUT_P99_GOAL_MS, "ms", detail)


def _warm(found: Snapshot, stage: Stage) -> Row:
    """The frame of a whole board, from a hub that follows the territory already."""
    feed, account = Feed(HAUTS_TERRITORY, {}), stage.ground.world.accounts["rolf"]
    feed.load(found.at, found.slots, [])
    times_ms = []
    for _ in range(ROUNDS * 3):
        began = time.perf_counter()
        frame = snapshot(account, feed, "json").encode()
        times_ms.append((time.perf_counter() - began) * 1000)
    assert frame.count(b'"starts_at"') == len(found.slots) == SNAPSHOT_SLOTS
    what = f"snapshot of {SNAPSHOT_SLOTS:,} slots to bytes, warm hub"
    detail = f"median; {len(frame):,} bytes"
    return at_most(what, statistics.median(times_ms), WARM_SNAPSHOT_GOAL_MS, "ms", detail)


async def _snapshot(product: Product, stage: Stage) -> list[Row]:
    """SNAPSHOT_SLOTS slots to JSON bytes: the script alone, and over HTTP from the hub."""
    territory = stage.desk.territories.by_id[HAUTS]
    script_ms, http_ms = [], []
    connection = await client.connect(product.port)
    path = f"/api/v1/slots?territory={territory.slug}&limit={SNAPSHOT_SLOTS}"
    for _ in range(ROUNDS * 3):
        began = time.perf_counter()
        found = await stage.desk.broker.snapshot(territory)
        body = b"[" + b",".join(found.slots) + b"]"
        script_ms.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        answer = await connection.get(path, [next(product.cookies)])
        http_ms.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, answer
    whole = f"snapshot of {len(found.slots)} slots to bytes, broker"
    page = f"GET /slots?limit={SNAPSHOT_SLOTS}"
    return [
        _warm(found, stage),
        reported(whole, statistics.median(script_ms), "ms", f"median; {len(body):,} bytes"),
        reported(page, statistics.median(http_ms), "ms", f"median; {len(answer.body):,} bytes"),
    ]
