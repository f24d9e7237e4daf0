"""Measure and say PASS or MISS. Rules: at least 5 interleaved rounds, the median of each row.

A benchmark, not a timed test: the machine's other work shows in the numbers, and in both sides
of every ratio alike.
"""

import asyncio
import contextlib
import http.client
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from slots.desk import Desk, close_desk, open_desk
from slots.migration import APP_ROLE, migrate
from slots.reconcile.rebuild import rebuild
from slots.settings import Settings
from tests.bench import client, ground, sockets
from tests.conftest import at_database, running
from tests.live.waiting import until
from tests.world import HAUTS
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices
from workers.embedded.postgres import DATABASE, Postgres
from workers.embedded.valkey import Valkey

ROUNDS = 5
HOLDS_A_ROUND = 2_000
BOOKINGS_A_ROUND = 400
IN_A_ROW = 4
SOCKETS = 200
EVENTS = 200
SNAPSHOT_SLOTS = 1_000
READY_WITHIN_S = 60.0

HOLD_GOAL = 0.45
BOOKING_GOAL = 0.12
FAN_OUT_P99_GOAL_MS = 25.0

Ask = Callable[[client.Connection, Any], Any]


class Product:
    """The service as a client meets it: cookie, guards, key, walls, audit, outbox, log."""

    def __init__(self, port: int, cookies: Iterator[str], slots: list) -> None:
        self.port, self.cookies, self.slots = port, cookies, iter(slots)

    def headers(self, cookie: str) -> list[str]:
        return [
            cookie,
            f"Origin: http://127.0.0.1:{self.port}",
            "Sec-Fetch-Site: same-origin",
            f"Idempotency-Key: {uuid4()}",
        ]

    async def hold(self, connection: client.Connection, job: tuple[str, Any]) -> dict[str, Any]:
        cookie, slot_id = job
        answer = await connection.post(f"/api/v1/slots/{slot_id}/holds", self.headers(cookie))
        assert answer.status == 201, answer
        return answer.json()

    async def book(self, connection: client.Connection, job: tuple[str, Any]) -> None:
        held = await self.hold(connection, job)
        body = b'{"reason":"pain","urgency":"today"}'
        path = f"/api/v1/holds/{held['id']}/confirm"
        answer = await connection.post(path, self.headers(job[0]), body)
        assert answer.status == 201, answer

    def jobs(self, count: int) -> list[tuple[str, Any]]:
        """Each person asks for a few slots in a row, then the next one comes."""
        jobs = []
        for cookie in itertools.islice(self.cookies, -(-count // IN_A_ROW)):
            jobs += [(cookie, next(self.slots)) for _ in range(min(IN_A_ROW, count - len(jobs)))]
        return jobs

    async def people(self, count: int) -> list[tuple[str, Any]]:
        """Jobs of people who, as everybody does, have looked at a page before they book."""
        jobs = self.jobs(count)

        async def look(connection: client.Connection, cookie: str) -> None:
            answer = await connection.get("/api/v1/session", [cookie])
            assert answer.status == 200, answer

        await client.per_second(self.port, sorted({cookie for cookie, _ in jobs}), look)
        return jobs


def bare(path: str) -> Ask:
    async def ask(connection: client.Connection, job: Any) -> None:
        answer = await connection.post(path)
        assert answer.status == 201, answer

    return ask


async def throughput(product: Product, bare_port: int) -> list[dict[str, Any]]:
    """Rounds of product and baseline, interleaved."""
    rates: dict[str, list[float]] = {"hold": [], "bare hold": [], "book": [], "bare book": []}
    for _ in range(ROUNDS):
        jobs = await product.people(HOLDS_A_ROUND)
        rates["hold"].append(await client.per_second(product.port, jobs, product.hold))
        blank = range(HOLDS_A_ROUND)
        rates["bare hold"].append(await client.per_second(bare_port, blank, bare("/hold")))
        jobs = await product.people(BOOKINGS_A_ROUND)
        rates["book"].append(await client.per_second(product.port, jobs, product.book))
        blank = range(BOOKINGS_A_ROUND * 2)
        rates["bare book"].append(await client.per_second(bare_port, blank, bare("/book")))
    median = {name: statistics.median(found) for name, found in rates.items()}
    return [
        ratio("HTTP hold / bare EVALSHA", median["hold"], median["bare hold"], HOLD_GOAL),
        ratio("bookings / bare guarded INSERT", median["book"], median["bare book"], BOOKING_GOAL),
    ]


def ratio(what: str, ours: float, theirs: float, goal: float) -> dict[str, Any]:
    found = ours / theirs
    return {
        "what": what,
        "found": round(found, 3),
        "goal": f">= {goal}",
        "pass": found >= goal,
        "detail": f"{ours:.0f}/s against {theirs:.0f}/s",
    }


async def fan_out(product: Product) -> dict[str, Any]:
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
    return {
        "what": f"HTTP answer to the last of {SOCKETS} sockets, p99",
        "found": round(p99, 2),
        "goal": f"<= {FAN_OUT_P99_GOAL_MS} ms",
        "pass": p99 <= FAN_OUT_P99_GOAL_MS,
        "detail": f"median {statistics.median(delays_ms):.2f} ms over {EVENTS} holds",
    }


async def snapshot(product: Product, desk: Desk) -> list[dict[str, Any]]:
    """SNAPSHOT_SLOTS slots to JSON bytes: the script alone, and over HTTP from the hub."""
    territory = desk.territories.by_id[HAUTS]
    script_ms, http_ms = [], []
    connection = await client.connect(product.port)
    path = f"/api/v1/slots?territory={territory.slug}&limit={SNAPSHOT_SLOTS}"
    for _ in range(ROUNDS * 3):
        began = time.perf_counter()
        found = await desk.broker.snapshot(territory)
        body = b"[" + b",".join(found.slots) + b"]"
        script_ms.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        answer = await connection.get(path, [next(product.cookies)])
        http_ms.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, answer
    return [
        {
            "what": f"snapshot of {len(found.slots)} slots to bytes, broker",
            "found": round(statistics.median(script_ms), 2),
            "goal": "reported",
            "pass": True,
            "detail": f"ms, median; {len(body):,} bytes",
        },
        {
            "what": f"GET /slots?limit={SNAPSHOT_SLOTS}",
            "found": round(statistics.median(http_ms), 2),
            "goal": "reported",
            "pass": True,
            "detail": f"ms, median; {len(answer.body):,} bytes",
        },
    ]


@contextlib.asynccontextmanager
async def servers(directory: Path) -> AsyncIterator[tuple[Postgres, Valkey]]:
    """PostgreSQL and Valkey exactly as `make run` starts them: fsync, AOF on every write."""
    account = servers_account()
    choices = Choices.make().with_free_ports()
    postgres = Postgres(directory / "postgres", directory / "postgres.log", account, choices)
    valkey = Valkey(directory / "valkey", directory / "valkey.log", account, choices)
    postgres.prepare()
    valkey.prepare()
    with running(postgres.program()), running(valkey.program()):
        await valkey.wait_ready(READY_WITHIN_S)
        await postgres.wait_ready(READY_WITHIN_S)
        yield postgres, valkey


@contextlib.contextmanager
def process(module: str, settings: Settings, port: int, log: Path):
    """One of our processes, as the Procfile starts it."""
    environ = os.environ | {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "DATA_DIR": str(settings.data_dir),
        "PORT": str(port),
        "LOG_FORMAT": "json",  # as an installation whose logs a machine reads
    }
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [sys.executable, "-m", module], env=environ, stdout=output, stderr=output
        ) as child,
    ):
        try:
            yield
        finally:
            child.terminate()


async def until_ready(port: int) -> None:
    """Wait until something answers there, whatever it says."""

    def answers() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/healthz")
            return connection.getresponse().status > 0
        return False

    await until(answers)


async def main() -> int:
    directory = Path(tempfile.mkdtemp(prefix="chrono48-bench-"))
    directory.chmod(0o711)
    async with servers(directory) as (postgres, valkey):
        await migrate(postgres.owner_url, APP_ROLE, postgres.choices.app_password)
        owner = await asyncpg.connect(postgres.owner_url)
        rows = await measure(directory, owner, postgres, valkey)
        await owner.close()
    shutil.rmtree(directory)  # where something failed, its logs stay
    target = Settings.from_environ({**os.environ, "DATABASE_URL": "-", "REDIS_URL": "-"}).data_dir
    target.mkdir(parents=True, exist_ok=True)
    result = {"at": datetime.now(UTC).isoformat(), "rounds": ROUNDS, "rows": rows}
    (target / "bench.json").write_text(json.dumps(result, indent=2))
    for row in rows:
        word = "PASS" if row["pass"] else "MISS"
        print(f"{word}  {row['what']}: {row['found']} ({row['goal']}; {row['detail']})")
    return 0 if all(row["pass"] for row in rows) else 1


async def measure(
    directory: Path, owner: asyncpg.Connection, postgres: Postgres, valkey: Valkey
) -> list[dict[str, Any]]:
    environ = {
        "DATABASE_URL": at_database(postgres.app_url, DATABASE),
        "REDIS_URL": valkey.url,
        "DATA_DIR": str(directory),
    }
    settings = replace(Settings.from_environ(environ), owner_database_url=postgres.owner_url)
    web_port, bare_port = (Choices.make().with_free_ports().valkey_port for _ in range(2))
    made = await ground.make_ground(owner)
    # First the boards, on a territory of SNAPSHOT_SLOTS slots; then the throughput.
    for_boards = await ground.make_slots(owner, made, SNAPSHOT_SLOTS)
    desk = await open_desk(settings)
    for territory in desk.territories.by_id.values():
        await rebuild(desk, territory, "bench", datetime.now(UTC))
    with (
        process("web", settings, web_port, directory / "web.log"),
        process("workers", settings, web_port, directory / "worker.log"),
        process("tests.bench.bare", settings, bare_port, directory / "bare.log"),
    ):
        await until_ready(web_port)
        await until_ready(bare_port)
        cookies = iter(made.cookies)
        boards = Product(web_port, cookies, for_boards)
        rows = [*await snapshot(boards, desk), await fan_out(boards)]
        count = ROUNDS * (HOLDS_A_ROUND + BOOKINGS_A_ROUND)
        more = await ground.make_slots(owner, made, count)
        await rebuild(desk, desk.territories.by_id[HAUTS], "bench", datetime.now(UTC))
        product = Product(web_port, cookies, more)
        rows = [*await throughput(product, bare_port), *rows]
    await close_desk(desk)
    return rows


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
