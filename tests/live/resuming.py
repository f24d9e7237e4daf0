"""People with screens, incidents, cuts: one story told by a list of moves, and what must hold."""

import copy
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import cycle

import pytest

from slots import redis_url as urls
from slots.broker import Broker
from slots.clock import MACHINES_CLOCK, Clock
from slots.settings import Settings
from tests.broker.stage import START, Stage
from tests.live.incidents import NEEDED, Incidents
from tests.live.processes import WebProcess, web_processes
from tests.live.screen import Screen
from tests.live.truth import HEARS, Truth
from tests.live.viewer import Viewer, together
from tests.world import World
from web.live import feed, follower, presence

RING_MAX = 40  # changes that a process keeps: so few that stories are longer
PROBE_EVERY_S = 0.05
NEVER_S = 3_600.0  # only subscriptions are answered by a heartbeat
HOLDERS = ("ann", "rolf", "rita")
# How often what happens, in a hundred and some moves.
INCIDENTS = (
    Counter(offer=10, hold=14, release=4, seal=3, confirm=4, amend_audience=8, withdraw=2, note=4)
    + Counter(cancel=2, shift=3, passes=5, sweep=3, trim=1, lose_last=1, run_ahead=1, copy=1)
    + Counter(fail_over=1, rebuild=5)
)
PEOPLES = Counter(reads=14, cut=8, resumes=10, goes_back=4, asks_again=2, invents=1, starts=1)
VERBS = tuple((INCIDENTS + PEOPLES + Counter(agrees=1, restarts=1)).elements())
Move = tuple[str, int]


class Theatre:
    """An installation with web processes and people who have signed in: for many stories."""

    def __init__(
        self,
        stage: Stage,
        world: World,
        processes: Sequence[WebProcess],
        people: list[Viewer],
        within_s: float = 3.0,
    ) -> None:
        self.stage = stage
        self.world = world
        self.processes = processes
        self.people = people
        self.tally: Counter[str] = Counter()
        self.within_s = within_s

    async def plays(self, moves: Sequence[Move]) -> None:
        """One story on an empty board. Fails where a screen shows what is not so."""
        story = Story(self)
        try:
            await story.runs(moves)
        finally:
            story.ends()


class StageNow(Stage):
    """By everybody's real clock: other processes cannot be told what time it is."""

    def at(self, now: datetime) -> None:
        self.now = datetime.now(UTC)
        self.broker.clock_ms = ""


class Story:
    """Every move names who and what by one number."""

    def __init__(self, theatre: Theatre) -> None:
        self.theatre = theatre
        self.stage = theatre.stage
        self.truth = Truth(self.stage, str(theatre.world.schedules["ann"]))
        holders = [theatre.world.accounts[name] for name in HOLDERS]
        self.incidents = Incidents(self.stage, self.truth, holders)
        self.screens = [self._screen(viewer) for viewer in theatre.people]

    async def runs(self, moves: Sequence[Move]) -> None:
        self.stage.at(START)
        await self.incidents.begins()
        for index, screen in enumerate(self.screens):
            await self._comes(screen, index)
        for verb, which in moves:
            if verb in INCIDENTS:
                await self.incidents.happens(verb, which)
            else:
                await getattr(self, verb)(self.screens[which % len(self.screens)], which // 6)
        await self.incidents.rebuild(NEEDED)
        for index, screen in enumerate(self.screens):
            await self.resumes(screen, index)
        await self.agrees()

    def ends(self) -> None:
        """Everybody leaves."""
        for screen in self.screens:
            screen.cut()

    # What people do, and what becomes of their lines.

    async def reads(self, screen: Screen, which: int) -> None:
        """A few frames; the others wait in the line, and are lost with it."""
        if screen.is_open and not self.incidents.is_lost:
            await screen.reads(1 + which % 4)

    async def cut(self, screen: Screen, which: int) -> None:
        screen.cut()

    async def resumes(self, screen: Screen, which: int) -> None:
        """From where it stands, on this process or the other."""
        if not screen.is_open:
            await self._comes(screen, which)

    async def goes_back(self, screen: Screen, which: int) -> None:
        """A tab that slept longer, or a page out of the browser's memory."""
        screen.cut()
        screen.goes_back(which % 16)
        await self._comes(screen, which)

    async def invents(self, screen: Screen, which: int) -> None:
        """A place in no log: it must never be taken for one."""
        screen.cut()
        screen.forgets()
        generation, _, entry = self.truth.last.partition(".")
        number = int(generation)
        places = (f"{number}.", f"{number - 1}.{entry}", f"{number + 1}.{entry}", entry, "0-0")
        others = (f"{number}.{entry}1", f"{number}.0-1", f"{number}.{entry} ", "nonsense")
        await self._comes(screen, which, (*places, *others)[which % 9])

    async def starts(self, screen: Screen, which: int) -> None:
        """A page that shows nothing yet."""
        screen.cut()
        screen.forgets()
        await self._comes(screen, which)

    async def asks_again(self, screen: Screen, which: int) -> None:
        """On the open line, from an earlier place: another part of the page has come."""
        if screen.is_open and not self.incidents.is_lost:
            await screen.reads()
            screen.goes_back(which % 16)
            await screen.subscribes(screen.at)

    async def restarts(self, screen: Screen, which: int) -> None:
        """A web process ends, with all its lines, and another takes its place: a cold one."""
        process = self.theatre.processes[which % 2]
        lost = [other for other in self.screens if other.viewer.url == process.url]
        await process.restart()
        for other in lost:
            other.cut()

    async def agrees(self, screen: Screen | None = None, which: int = 0) -> None:
        """Every open screen shows what a fresh page of the same person shows, and may show."""
        if self.incidents.is_lost:
            return
        fresh = await self.stage.broker.snapshot(self.stage.territory)
        await self.truth.reads_on()
        self.truth.stands(fresh)
        urls_in_turn = cycle(self._urls)
        for each in self.screens:
            if not each.is_open:
                continue
            page = self._screen(each.viewer)
            await page.comes(next(urls_in_turn))
            await page.subscribes(None)
            await together(page.reads(), each.reads())
            page.cut()
            expected = self.truth.shown_to(each.viewer.name, self.truth.boards[fresh.at])
            assert each.shown == page.shown == expected

    @property
    def _urls(self) -> list[str]:
        return [process.url for process in self.theatre.processes]

    async def _comes(self, screen: Screen, which: int, after: str | None = None) -> None:
        await screen.comes(self._urls[which % 2])
        await screen.subscribes(after or screen.at, "html" if which % 3 == 0 else "json")

    def _screen(self, viewer: Viewer) -> Screen:
        return Screen(copy.copy(viewer), self.truth, self.theatre.tally, self.theatre.within_s)


@asynccontextmanager
async def theatre_of(settings: Settings, world: World) -> AsyncIterator[Theatre]:
    """Two web processes whose brokers go by the stage's clock, and six people, one of each role."""
    client = urls.connect(settings.redis_url)
    stage = Stage(client)

    def connect(url: str, _: Clock = MACHINES_CLOCK) -> Broker:
        broker = Broker(urls.connect(url))
        broker.clock_ms = stage.broker.clock_ms
        return broker

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Broker, "connect", connect)
        patch.setattr(feed, "RING_MAX", RING_MAX)
        patch.setattr(follower, "RING_MAX", RING_MAX)
        patch.setattr(follower, "PROBE_EVERY_S", PROBE_EVERY_S)
        patch.setattr(presence, "HEARTBEAT_EVERY_S", NEVER_S)
        async with (
            web_processes(settings, 2) as processes,
            signed_in(processes[0].url, world) as people,
        ):
            yield Theatre(stage, world, processes, people)
    await client.aclose()


@asynccontextmanager
async def signed_in(url: str, world: World) -> AsyncIterator[list[Viewer]]:
    """One person of each role."""
    people = [Viewer(url, world, name) for name in HEARS]
    for viewer in people:
        await viewer.signs_in()
    yield people
    for viewer in people:
        await viewer.leaves()
