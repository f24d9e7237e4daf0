"""One run: people, screens and faults at once; then the verdict's evidence."""

import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import asyncpg
import redis.asyncio

from slots.audience import Role
from tests.chaos import canaries, judging
from tests.chaos.asking import Asker, Told, passes
from tests.chaos.boards import Board
from tests.chaos.faults import KINDS, Kind, schedule, strike
from tests.chaos.ground import Ground, Person
from tests.chaos.healing import Healing, NeverHealed
from tests.chaos.people import Town, person_of
from tests.chaos.stage import Stage, open_stage
from tests.chaos.verdict import Evidence
from tests.proof import history

CALM_AT_MOST_S = 0.8  # between two faults
LINE_LENGTH_MAX = 300  # of a log, in the evidence
EVENT_LENGTH_MAX = 40
BOARDS_OF_ALL = 4  # regulators who watch every territory, beside the coordinator
STRANGE_IN_A_LOG = (b"Traceback", b'"level":"error"', b"PANIC", b"FATAL:  could not")
# uvicorn on a socket that was refused with an answer; arq on a job whose marks were flushed.
# And a web process that starts while no ledger answers: whoever started it tries again.
NOT_STRANGE = (
    b"without completing handshake",
    b"KeyError: 'send_mails'",
    b"in lifespan",
    b"Application startup failed",
)
# redis-py on a pipeline of arq's that a stopping worker cancels: its socket ends with the process.
NOT_STRANGE_AT_THE_END = b"Unclosed Pipeline client"
STOPPING, READY = b'"worker.stopping"', b'"worker.ready"'


async def nothing_removed(owner: asyncpg.Connection) -> None:
    """All guards stand."""


@dataclass(frozen=True)
class Plan:
    """*removing*: takes a guard away, so that a control run may show what it stops."""

    seconds: float
    seed: int
    kinds: Sequence[Kind] = field(default_factory=lambda: KINDS)
    postgres_settings: Mapping[str, str] = field(default_factory=dict)
    removing: Callable[[asyncpg.Connection], Awaitable[None]] = nothing_removed


class Run:
    """Everything that lives during one run. *home*: where its history and its logs are kept."""

    def __init__(self, plan: Plan, stage: Stage, home: Path) -> None:
        self.plan, self.stage, self.home = plan, stage, home
        self.random = Random(plan.seed)
        self.history = history.Recorder(home / "history.jsonl")
        self.town = Town(stage.ground, self.history)
        self.told, self.over = Told(), asyncio.Event()
        self.askers: list[Asker] = []
        self.frames_with_mark: list[str] = []
        self.faults: Counter[str] = Counter()
        self.healed_s: dict[str, float] = {}
        regulators = stage.ground.of(Role.REGULATOR)
        self.careless = canaries.Careless(stage.ground, self._asker(regulators[-3]))
        acting = [
            *regulators[:-3],
            *stage.ground.of(Role.REFERRER),
            *stage.ground.of(Role.DELEGATE),
        ]
        self.people = [person_of(self.town, self._asker(person)) for person in acting]
        self.boards = [self._board(person) for person in watching(stage.ground)]
        self.healing = Healing(self.town, stage.ways, self.boards, self.told, self._random())

    def _random(self) -> Random:
        return Random(self.random.getrandbits(64))

    def _asker(self, person: Person) -> Asker:
        asker = Asker(person, self.stage.ways, self.told, self._random(), self.over)
        self.askers.append(asker)
        return asker

    def _board(self, person: Person) -> Board:
        slugs = [self.stage.ground.slugs[number] for number in person.territories]
        return Board(person, slugs, self.stage.ways, self._random(), self._reads)

    def _reads(self, text: str) -> None:
        if canaries.MARK in text:
            self.frames_with_mark.append(f"frame: {text[:200]}")

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Inside, all boards watch, and who ends by itself is started again."""
        tasks = [asyncio.create_task(board.watch()) for board in self.boards]
        tasks.append(asyncio.create_task(self.stage.supervise()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for asker in (*self.askers, *(prober.asker for prober in self.healing.probers)):
                asker.leave()
            self.history.close()

    async def play(self) -> None:
        """Faults, until time is up and each kind was there."""
        await self.healing.seconds()
        for board in self.boards:
            board.stays = False
        living = [asyncio.create_task(one.live()) for one in (*self.people, self.careless)]
        await self._strike_until_the_end()
        self.over.set()
        for board in self.boards:
            board.stays = True
        await asyncio.gather(*living)

    async def _strike_until_the_end(self) -> None:
        began_at = time.monotonic()
        with (self.home / "faults.jsonl").open("a") as log:
            for blows in schedule(self.random, self.plan.kinds):
                missing = any(not self.faults[str(kind)] for kind in self.plan.kinds)
                if time.monotonic() - began_at > self.plan.seconds and not missing:
                    return
                await passes(self.random.uniform(0, CALM_AT_MOST_S))
                at = time.monotonic()
                felt = await asyncio.gather(
                    *(strike(self.stage, self.history, blow) for blow in blows)
                )
                lasted_s = time.monotonic() - at
                names = [str(blow.kind) for blow in blows]
                try:
                    healed_s = await self.healing.seconds()
                except NeverHealed:
                    healed_s = float("inf")
                self.faults.update(name for name, was in zip(names, felt, strict=True) if was)
                what = names[0] if len(names) == 1 else "two at once"
                self.healed_s[what] = max(healed_s, self.healed_s.get(what, 0.0))
                told = {"at": at, "what": names, "felt": felt, "lasted_s": lasted_s}
                log.write(json.dumps(told | {"healed_s": healed_s}) + "\n")
                log.flush()
                if healed_s == float("inf"):
                    return


async def evidence(run: Run, seconds: float) -> Evidence:
    """What is left when everybody has gone. The processes still run."""
    stage, town = run.stage, run.town
    owner = await asyncpg.connect(stage.postgres.owner_url)
    await judging.settled(owner)
    differing = [
        found
        for board in run.boards
        for found in await judging.differing_from_fresh(board, stage.ways)
    ]
    coordinator = run.boards[0].person
    slots = [dict(row) for row in await owner.fetch(judging.SLOTS)]
    shown = await judging.look(coordinator, stage.ways[0], list(stage.ground.slugs.values()))
    everything = {slot: facts for _, one in shown.values() for slot, facts in one.items()}
    differing += judging.differing_from_ledger(slots, everything, datetime.now(UTC))
    appointments = [dict(row) for row in await owner.fetch(judging.APPOINTMENTS)]
    await owner.close()
    run.history.close()
    told = history.read([run.home / "history.jsonl"])
    capacities = {row["id"]: row["capacity"] for row in slots}
    planted, found = await seek_canaries(run)
    return Evidence(
        seed=run.plan.seed,
        seconds=seconds,
        operations=town.operations,
        confirms=len(town.confirmed),
        frames=sum(board.frames.total() for board in run.boards),
        faults=run.faults,
        healed_s=run.healed_s,
        double_bookings=judging.double_bookings(appointments, told, capacities),
        lost=judging.lost(appointments, capacities, town.confirmed, told),
        violations=await asyncio.to_thread(judging.violations, told, slots),
        holes=[hole for board in run.boards for hole in board.holes],
        differing=differing,
        nonsense=[*strange_lines(run.home), *run.told.nonsense],
        canaries_sent=run.careless.sent,
        canaries=found,
        planted=planted,
    )


async def seek_canaries(run: Run) -> tuple[list[str], list[str]]:
    """Plant one in each place, then look everywhere. Returns where it was found, and the others."""
    planted = f"{canaries.PLANTED} {canaries.MARK}"
    for path in (run.home / "planted.log", run.home / "mail" / "planted.eml"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"Subject: planted\n\n{planted}\n")
    run._reads(planted)  # as a board would
    async with redis.asyncio.from_url(run.stage.valkey.url) as client:
        await client.set("planted", planted)
        found = await canaries.found_in_redis(client)
    found += canaries.found_in_files("aof", run.stage.valkey.directory.rglob("*.aof"))
    found += canaries.found_in_files("log", run.home.glob("*.log"))
    found += canaries.found_in_mails((run.home / "mail").glob("*.eml"))
    found += run.frames_with_mark
    ours = [one for one in found if canaries.PLANTED in one]
    return [one.partition(":")[0] for one in ours], [one for one in found if one not in ours]


def strange_lines(home: Path) -> list[str]:
    """What the service itself calls an error."""
    found = []
    for path in sorted(home.glob("*.log")):
        stopping = False
        for line in path.read_bytes().splitlines():
            stopping = STOPPING in line or (stopping and READY not in line)
            explained = NOT_STRANGE if not stopping else (*NOT_STRANGE, NOT_STRANGE_AT_THE_END)
            if any(word in line for word in STRANGE_IN_A_LOG) and not any(
                word in line for word in explained
            ):
                found.append(f"{path.name}: {_told_in(line)}")
    return found


def _told_in(line: bytes) -> str:
    """The end of a traceback, which says what happened; or the line's beginning."""
    try:
        told = json.loads(line)
        last = told.get("exception", told["event"]).rstrip().rpartition("\n")[2]
    except (ValueError, KeyError, TypeError, AttributeError):
        return line[:LINE_LENGTH_MAX].decode(errors="replace")
    return f"{told['event'][:EVENT_LENGTH_MAX]}: {last}"[:LINE_LENGTH_MAX]


def watching(ground: Ground) -> list[Person]:
    """Who has a board: some see all territories, others one; the coordinator first."""
    near = [
        next(person for person in ground.of(role) if number in person.territories)
        for number in ground.slugs
        for role in (Role.REFERRER, Role.DELEGATE)
    ]
    return [*ground.of(Role.COORDINATOR), *ground.of(Role.REGULATOR)[:BOARDS_OF_ALL], *near]


async def chaos(plan: Plan, home: Path) -> Evidence:
    """Play *plan* and gather what it leaves behind; in *home* the history, the faults, the logs."""
    servers = Path(tempfile.mkdtemp(prefix="chrono48-chaos-"))
    servers.chmod(0o711)
    try:
        async with open_stage(servers, home, plan.postgres_settings) as stage:
            owner = await asyncpg.connect(stage.postgres.owner_url)
            await plan.removing(owner)
            await owner.close()
            run = Run(plan, stage, home)
            began_at = time.monotonic()
            async with run.watched():
                await run.play()
                return await evidence(run, time.monotonic() - began_at)
    finally:
        shutil.rmtree(servers)
