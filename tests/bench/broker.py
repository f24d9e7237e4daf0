"""The broker alone, without HTTP: what a hold costs, whether size tells, a board, a rebuild."""

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from slots.account import Account
from slots.broker import Broker
from slots.desk import Desk, look_for_territories
from slots.ids import HoldId, SlotId, TerritoryId, new_id
from slots.reconcile.rebuild import rebuild
from slots.slot import Slot
from slots.territory import Territory
from tests.bench import ground
from tests.bench.bare import SCRIPT
from tests.bench.rows import ROUNDS, Row, at_most, ratio
from tests.bench.stage import Stage
from tests.broker.stage import make_account, make_slot
from tests.waiting import until
from workers.duties import TERRITORIES_AT_ONCE

AT_ONCE = 64  # callers of one process, as the HTTP rows have clients
HOLDS_A_ROUND = 2_000
IN_A_ROW = 4  # of one account
HOLD_GOAL = 0.75
LATENCY_GOAL = 1.25
FEW_SLOTS, MANY_SLOTS, MANY_TERRITORIES = 100, 100_000, 1_000
BOARD_SLOTS = 1_000
COLD_SNAPSHOT_GOAL_MS = 30.0
REBUILT_TERRITORIES, REBUILT_SLOTS = 10, 5_000
REBUILD_GOAL_S = 2.0
HORIZON = timedelta(hours=48)
LEASE = timedelta(minutes=5)
FILLED_WITHIN_S = 60.0
FIRST_REBUILT = 1_000
FIRST_NUMBER = 9_000  # territories that only the broker knows

Job = tuple[Territory, Account, SlotId, HoldId, str]


async def rows(stage: Stage) -> list[Row]:
    broker = Broker.connect(stage.settings.redis_url)
    found = [
        await _hold(broker),
        await _cold_snapshot(broker),
        await _rebuild(stage),
        *await _sizes(broker),
    ]
    await broker.close()
    return found


async def _hold(broker: Broker) -> Row:
    """The whole of `broker.hold` against the least script, through the same client."""
    territory = await _territory(broker, FIRST_NUMBER)
    sha = await broker.redis.script_load(SCRIPT)
    rates: dict[str, list[float]] = defaultdict(list)

    async def bare(name: str) -> None:
        await broker.redis.evalsha(sha, 2, "{p0}:bare:holds", "{p0}:bare:log", name)

    for _ in range(ROUNDS):
        jobs = _jobs(territory, await _offer(broker, territory, HOLDS_A_ROUND))
        rates["hold"].append(await _per_second(jobs, lambda job: broker.hold(*job)))
        names = [uuid4().hex for _ in range(HOLDS_A_ROUND)]
        rates["bare"].append(await _per_second(names, bare))
    return ratio("broker.hold / bare script", rates["hold"], rates["bare"], HOLD_GOAL)


async def _sizes(broker: Broker) -> list[Row]:
    """One hold after the other, in turns: in a small territory, in a large one, and in a crowd."""
    small = await _territory(broker, FIRST_NUMBER + 1)
    large = await _territory(broker, FIRST_NUMBER + 2)
    few = [(small, slot) for slot in await _offer(broker, small, FEW_SLOTS)]
    many = [(large, slot) for slot in await _offer(broker, large, MANY_SLOTS)]
    crowd = [await _territory(broker, FIRST_NUMBER + 3 + i) for i in range(MANY_TERRITORIES)]
    each = [(one, slot) for one in crowd for slot in await _offer(broker, one, 1)]
    places = [few, many[:: MANY_SLOTS // FEW_SLOTS], each[:: MANY_TERRITORIES // FEW_SLOTS]]
    times_us: tuple[list[float], ...] = ([], [], [])
    for _ in range(ROUNDS):
        for in_turn in zip(*places, strict=True):
            for (territory, slot), times in zip(in_turn, times_us, strict=True):
                times.append(await _latency_us(broker, territory, slot))
    alone_us, among_slots_us, among_territories_us = map(statistics.median, times_us)
    return [
        _slower(f"{MANY_SLOTS:,} live slots", among_slots_us, alone_us),
        _slower(f"{MANY_TERRITORIES:,} territories", among_territories_us, alone_us),
    ]


async def _latency_us(broker: Broker, territory: Territory, slot: Slot) -> float:
    """How long one hold takes; the seat is given back."""
    [job] = _jobs(territory, [slot])
    began = time.perf_counter()
    hold = await broker.hold(*job)
    took = time.perf_counter() - began
    await broker.release(territory, job[1].id, hold.id)
    return took * 1e6


def _slower(what: str, found_us: float, alone_us: float) -> Row:
    name = f"hold latency, {what} / one territory with {FEW_SLOTS}"
    detail = f"medians {found_us:.0f} us against {alone_us:.0f} us"
    return at_most(name, found_us / alone_us, LATENCY_GOAL, "x", detail)


async def _cold_snapshot(broker: Broker) -> Row:
    """A board to bytes from Redis, as a hub does that has just started."""
    territory = await _territory(broker, FIRST_NUMBER - 1)
    await _offer(broker, territory, BOARD_SLOTS)
    times_ms = []
    for _ in range(ROUNDS * 3):
        began = time.perf_counter()
        snapshot = await broker.snapshot(territory)
        body = b"[" + b",".join(snapshot.slots) + b"]"
        times_ms.append((time.perf_counter() - began) * 1000)
    assert len(snapshot.slots) == BOARD_SLOTS
    what = f"snapshot of {BOARD_SLOTS:,} slots to bytes, cold"
    detail = f"median; {len(body):,} bytes"
    return at_most(what, statistics.median(times_ms), COLD_SNAPSHOT_GOAL_MS, "ms", detail)


async def _rebuild(stage: Stage) -> Row:
    """Every territory's ledger under a new generation, as many at once as a worker takes."""
    for number in range(REBUILT_TERRITORIES):
        place = await ground.make_territory(stage.owner, stage.ground, FIRST_REBUILT + number)
        count = REBUILT_SLOTS // REBUILT_TERRITORIES
        await ground.make_slots(stage.owner, stage.ground, count, place=place)
    await look_for_territories(stage.desk)
    by_id = stage.desk.territories.by_id
    mine = [by_id[TerritoryId(FIRST_REBUILT + number)] for number in range(REBUILT_TERRITORIES)]
    await _filled(stage.desk, mine)
    times_s = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        gate = asyncio.Semaphore(TERRITORIES_AT_ONCE)
        read = await asyncio.gather(*(_rebuilt(stage.desk, territory, gate) for territory in mine))
        times_s.append(time.perf_counter() - began)
        assert sum(read) == REBUILT_SLOTS, read
    what = f"rebuild of {len(mine)} territories, {REBUILT_SLOTS:,} slots"
    detail = f"median; {min(times_s):.2f} to {max(times_s):.2f}"
    return at_most(what, statistics.median(times_s), REBUILD_GOAL_S, "s", detail)


async def _filled(desk: Desk, territories: list[Territory]) -> None:
    """Wait until the worker, which fills what is new, is done: of two who rebuild, one gives way."""

    async def all_are_trusted() -> bool:
        return all([await desk.broker.is_trusted(territory) for territory in territories])

    await until(all_are_trusted, FILLED_WITHIN_S)


async def _rebuilt(desk: Desk, territory: Territory, gate: asyncio.Semaphore) -> int:
    async with gate:
        return await rebuild(desk, territory, "bench", datetime.now(UTC))


async def _territory(broker: Broker, number: int) -> Territory:
    """One that only the broker knows, ready and empty."""
    territory = Territory(TerritoryId(number), f"bench-{number}", "Bench", "34", 0)
    await broker.begin(territory, 1, "bench", LEASE)
    await broker.ready(territory, 1, "bench")
    return territory


async def _offer(broker: Broker, territory: Territory, count: int) -> list[Slot]:
    """*count* live slots of one place."""
    now = datetime.now(UTC)
    like = make_slot(territory=territory)
    slots = []
    for number in range(count):
        slot_id = SlotId(new_id(territory.id))
        starts_at = now + timedelta(minutes=60 + number % 2_000)
        times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=20)}
        card = msgspec.structs.replace(like.card, id=slot_id, **times)
        slots.append(replace(like, id=slot_id, card=card, **times))
    await _per_second(
        slots,
        lambda slot: broker.put(territory, slot, "slot.offered", generation="1", horizon=HORIZON),
    )
    return slots


def _jobs(territory: Territory, slots: list[Slot]) -> list[Job]:
    """What to hold, and who: each person a few in a row."""
    people = [make_account(territory=territory) for _ in range(-(-len(slots) // IN_A_ROW))]
    return [
        (territory, people[i // IN_A_ROW], slot.id, HoldId(new_id(territory.id)), str(uuid4()))
        for i, slot in enumerate(slots)
    ]


async def _per_second(jobs: Iterable[Any], work: Callable[[Any], Awaitable[object]]) -> float:
    """How many *jobs* a second AT_ONCE callers get done, each one after the other."""
    waiting = list(jobs)
    count = len(waiting)

    async def caller() -> None:
        while waiting:
            await work(waiting.pop())

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - began)
