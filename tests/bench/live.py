"""The live view under a crowd: how many frames a second, how soon, and what an open board costs."""

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from uuid import uuid4

import psutil

from slots.ids import HoldId, SlotId, new_id
from tests.bench import client
from tests.bench.events import EVENTS, EVENTS_PER_S, until_time
from tests.bench.product import Product
from tests.bench.readers import Readers
from tests.bench.rows import ROUNDS, Row, at_most, ratio, reported
from tests.bench.stage import Stage, free_port, process, until_ready
from tests.live.making import HAUTS
from tests.live.waiting import until

SOCKETS = 1_000
OPENED_AT_ONCE = SOCKETS // ROUNDS
DELAY_SOCKETS = 300
BOOKINGS_A_ROUND = 100
EVENTS_A_BOOKING = 3  # held, sealed, confirmed

NAIVE_GOAL = 4.5
LIMIT_GOAL = 0.8
MEMORY_GOAL_KIB = 30.0
DELAY_P50_GOAL_MS = 4.0
DELAY_P99_GOAL_MS = 12.0

CONNECTIONS = 4
HEARD_WITHIN_S = 60.0
# By `track_commit_timestamp`: taken before the commit reaches the disk, let alone the client.
COMMITTED = """
SELECT slot_id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8
FROM appointment WHERE slot_id = ANY ($1)
"""


@dataclass(frozen=True, eq=False)
class Server:
    """A process that sends to open boards."""

    port: int
    process: psutil.Process

    @property
    def rss_kib(self) -> float:
        return self.process.memory_info().rss / 1024

    @property
    def cpu_s(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system


async def rows(stage: Stage) -> list[Row]:
    slots = iter(await stage.more_slots(1 + 2 * ROUNDS * BOOKINGS_A_ROUND))
    cookies = list(itertools.islice(stage.cookies, SOCKETS))
    with (
        running("web", stage) as web,
        running("tests.bench.naive", stage) as naive,
        running("tests.bench.limit", stage) as limit,
    ):
        for server in (web, naive, limit):
            await until_ready(server.port)
        one_p50, _ = await delays(stage, web, cookies[:1], slots)
        p50, p99 = await delays(stage, web, cookies[:DELAY_SOCKETS], slots)
        bare_p50, bare_p99 = await bare_delays(limit, cookies[:DELAY_SOCKETS])
        crowd = Readers()
        memory = await idle(web, crowd, cookies)
        many = await fan_out(stage, (web, naive, limit), crowd, cookies, next(slots))
        crowd.close()
    what = f"commit to the last of {DELAY_SOCKETS} sockets, {EVENTS_PER_S} events/s"
    detail = f"median of {ROUNDS} times {BOOKINGS_A_ROUND} bookings"
    return [
        *many,
        at_most(f"{what}, p50", p50, DELAY_P50_GOAL_MS, "ms", detail),
        at_most(f"{what}, p99", p99, DELAY_P99_GOAL_MS, "ms", detail),
        reported("commit to a single socket, p50", one_p50, "ms", detail),
        reported(
            f"first write to the last of {DELAY_SOCKETS} bare transports, p50",
            bare_p50,
            "ms",
            f"the same events at the same pace, nothing else at work; p99 {bare_p99:.2f} ms",
        ),
        memory,
    ]


@contextlib.contextmanager
def running(module: str, stage: Stage) -> Iterator[Server]:
    port = free_port()
    log = stage.directory / f"{module}-{port}.log"
    with process(module, stage.settings, port, log) as child:
        yield Server(port, psutil.Process(child.pid))


async def idle(web: Server, crowd: Readers, cookies: list[str]) -> Row:
    """What a board costs the web process while nothing happens. The boards stay open."""
    costs = []
    for number in range(0, SOCKETS, OPENED_AT_ONCE):
        before = web.rss_kib
        some = cookies[number : number + OPENED_AT_ONCE]
        await asyncio.to_thread(crowd.open, web.port, some, b'"heartbeat"')
        costs.append((web.rss_kib - before) / len(some))
    detail = f"of RSS; median of {len(costs)} times {OPENED_AT_ONCE} sockets more"
    return at_most("memory of an idle socket", median(costs), MEMORY_GOAL_KIB, "KiB", detail)


async def fan_out(
    stage: Stage, servers: tuple[Server, ...], crowd: Readers, cookies: list[str], slot: SlotId
) -> list[Row]:
    """Deliveries a second to SOCKETS boards, of the product and of both baselines, interleaved."""
    web, naive, limit = servers
    at_naive, at_limit = Readers(), Readers()
    await asyncio.to_thread(at_naive.open, naive.port, cookies)
    await asyncio.to_thread(at_limit.open, limit.port, cookies)
    rates: dict[Server, list[float]] = {server: [] for server in servers}
    costs_us: dict[Server, list[float]] = {server: [] for server in servers}
    for _ in range(ROUNDS):
        for server, readers, work in (
            (web, crowd, hold_and_release(stage, slot)),
            (naive, at_naive, go(naive)),
            (limit, at_limit, go(limit)),
        ):
            before, began, spent = readers.events, time.time(), server.cpu_s
            await work
            await until_heard(readers, before + EVENTS * SOCKETS)
            rates[server].append(EVENTS * SOCKETS / (readers.last_at - began))
            costs_us[server].append((server.cpu_s - spent) * 1e6 / (EVENTS * SOCKETS))
    at_naive.close()
    at_limit.close()
    spent = ", ".join(f"{median(costs_us[server]):.2f}" for server in servers)
    what = f"fan-out to {SOCKETS} sockets"
    pairs = zip(rates[limit], rates[naive], strict=True)
    return [
        ratio(f"{what} / naive Starlette loop", rates[web], rates[naive], NAIVE_GOAL),
        reported(
            f"{what}, bare transports / naive Starlette loop",
            *(
                median(bare / loop for bare, loop in pairs),
                "x",
                "the most that the row above can be",
            ),
        ),
        ratio(f"{what} / bare transports", rates[web], rates[limit], LIMIT_GOAL),
        reported(
            f"{what}, CPU", median(costs_us[web]), "µs", f"a delivery; web, naive, bare {spent}"
        ),
    ]


async def hold_and_release(stage: Stage, slot: SlotId) -> None:
    """EVENTS events, by the broker's own scripts."""
    account, territory = stage.ground.world.accounts["rolf"], HAUTS
    for _ in range(EVENTS // 2):
        hold_id = HoldId(new_id(territory.id))
        await stage.desk.broker.hold(territory, account, slot, hold_id, str(uuid4()))
        await stage.desk.broker.release(territory, account.id, hold_id)


async def go(server: Server) -> None:
    """A baseline sends what the product has just sent."""
    await (await client.connect(server.port)).post("/go")


async def delays(
    stage: Stage, web: Server, cookies: list[str], slots: Iterator[SlotId]
) -> tuple[float, float]:
    """From the commit of a booking, by PostgreSQL's clock, to the last board of *cookies*: p50 and
    p99, in ms.
    """
    readers = Readers()
    await asyncio.to_thread(readers.open, web.port, cookies, b'"heartbeat"')
    product = Product(web.port, stage.cookies, slots)
    p50s, p99s = [], []
    for round_ in range(ROUNDS):
        jobs = await product.people(BOOKINGS_A_ROUND)
        booked = [slot for _, slot in jobs]
        await paced(product, jobs)
        await until_heard(
            readers, EVENTS_A_BOOKING * BOOKINGS_A_ROUND * (round_ + 1) * len(readers)
        )
        committed = await stage.owner.fetch(COMMITTED, booked)
        delays_ms = [(readers.heard_at[str(slot).encode()] - at) * 1000 for slot, at in committed]
        assert len(delays_ms) == BOOKINGS_A_ROUND
        p50s.append(median(delays_ms))
        p99s.append(statistics.quantiles(delays_ms, n=100)[98])
    readers.close()
    return median(p50s), median(p99s)


async def bare_delays(limit: Server, cookies: list[str]) -> tuple[float, float]:
    """What the writes and the readers alone take: the same events at the same pace, made beforehand,
    with no broker, no ledger and no client at work. Bookings' p50 and p99, in ms.
    """
    p50s, p99s = [], []
    for _ in range(ROUNDS):
        readers = Readers()
        await asyncio.to_thread(readers.open, limit.port, cookies)
        sent_at = (await (await client.connect(limit.port)).post("/paced")).json()
        await until_heard(readers, EVENTS * len(readers))
        delays_ms = [(readers.heard_at[slot.encode()] - at) * 1000 for slot, at in sent_at.items()]
        assert len(delays_ms) >= EVENTS // (EVENTS_A_BOOKING + 1)
        p50s.append(median(delays_ms))
        p99s.append(statistics.quantiles(delays_ms, n=100)[98])
        readers.close()
    return median(p50s), median(p99s)


async def paced(product: Product, jobs: list) -> None:
    """Book at a steady pace, whatever the answers take."""
    every_s = EVENTS_A_BOOKING / EVENTS_PER_S
    loop = asyncio.get_running_loop()
    connections = [await client.connect(product.port) for _ in range(CONNECTIONS)]
    began = loop.time()

    async def book(number: int) -> None:
        connection = connections[number]
        for turn in range(number, len(jobs), CONNECTIONS):
            await until_time(began + turn * every_s)
            await product.book(connection, jobs[turn])

    await asyncio.gather(*map(book, range(CONNECTIONS)))
    for connection in connections:
        connection.writer.close()


async def until_heard(readers: Readers, events: int) -> None:
    """Wait until the readers have had so many in all: on a busy machine a baseline takes its time."""
    try:
        await until(lambda: readers.events >= events, HEARD_WITHIN_S)
    except TimeoutError:
        raise AssertionError(events - readers.events, "events are missing") from None
    assert readers.events == events, (readers.events - events, "too many")
