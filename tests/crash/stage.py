"""A moment that can be lived through again and again: its database, its Redis, its screen."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass

from slots.errors import Rebuilding
from slots.settings import Settings
from slots.territory import Territory
from tests.api.conftest import make_boards_ready
from tests.crash.cases import Case, Moment
from tests.crash.ground import Ground, Remains, owning
from tests.crash.process import Process, started
from tests.crash.scene import Scene, make_people
from tests.crash.state import Screen, Words, broker_keys, ledger_rows


@dataclass(frozen=True)
class Stage:
    ground: Ground
    moment: Moment
    start: Remains
    territory: Territory
    screen: Screen | None  # None: Redis has nothing to show
    words: Words

    @asynccontextmanager
    async def again(self, remains: Remains) -> AsyncIterator[Settings]:
        """A copy of the *start*, or of what a death has left of it."""
        async with self.ground.database(remains.database) as settings:
            await self.ground.put_back(remains.keys)
            self.ground.post.received[:] = remains.mails
            yield settings


@asynccontextmanager
async def staged(ground: Ground, case: Case) -> AsyncIterator[Stage]:
    """Set the scene of *case*."""
    async with ground.database() as settings:
        await ground.put_back({})
        async with owning(settings) as owner:
            world = await make_people(owner)
            async with started(settings) as process:
                await make_boards_ready(process.desk)
                moment = await case(Scene(ground, world, owner, process))
                territory = process.territory
                screen = await _screen(process)
            known = [repr(world), json.dumps(asdict(moment.deed), default=str)]
            known += [*await ledger_rows(owner), *await broker_keys(ground.redis)]
        start = await ground.remains(settings)
        yield Stage(ground, moment, start, territory, screen, Words(*known))


async def _screen(process: Process) -> Screen | None:
    with suppress(Rebuilding):
        snapshot = await process.desk.broker.snapshot(process.territory)
        return Screen(snapshot.at, snapshot.slots)
    return None
