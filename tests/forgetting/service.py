"""The whole service in this process, under load, and what must hold after whatever Redis forgot."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec import json

from slots.booking import holding, offering
from slots.booking.offers import OfferedSlot
from slots.desk import Desk
from slots.document import SlotDocument
from slots.errors import Unavailable
from slots.ids import SlotId
from slots.settings import Settings
from slots.slot import Hold
from tests.booking.conftest import a_key
from tests.browser import serving
from tests.forgetting.load import Load
from tests.forgetting.screen import Screen
from tests.forgetting.waiting import until
from tests.live.viewer import Viewer
from tests.world import World
from workers.duties import duties
from workers.loops import Loop
from workers.post import post_of
from workers.workshop import Workshop

HEALS_WITHIN_S = 5.0  # after the promotion, or after the servers are back
AGREES_WITHIN_S = 10.0  # all of PostgreSQL, Redis and the screens, once nobody acts any more
CAPACITY = 40
PROFESSIONALS = ("ann", "bob", "nina", "carl")
APPOINTMENTS = "SELECT id, slot_id, seat, status FROM appointment"


class Service:
    """A web process, a worker's duties, a screen and a load, on one desk."""

    def __init__(
        self,
        desk: Desk,
        world: World,
        screen: Screen,
        loops: Mapping[str, Loop],
        owner_url: str,
    ) -> None:
        self.desk = desk
        self.world = world
        self.screen = screen
        self.loops = loops
        self.load = Load(desk, world)
        self._owner_url = owner_url

    async def offer(self, who: str, *, hours: int = 3, capacity: int = CAPACITY) -> SlotDocument:
        """A span of an hour on *who*'s schedule, for everybody."""
        now = datetime.now(UTC)
        starts_at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
        offered = OfferedSlot(
            self.world.schedules[who],
            starts_at,
            ends_at=starts_at + timedelta(hours=1),
            capacity=capacity,
            audience=("PRO",),
        )
        account = self.world.accounts[who]
        return (await offering.offer(self.desk, account, [offered], a_key(), now))[0]

    async def is_busy(self, confirms: int = 20) -> None:
        """Wait until that many more bookings were confirmed."""
        enough = len(self.load.confirmed) + confirms
        await until(lambda: self._has_confirmed(enough))

    async def serves(self) -> bool:
        """Whether a seat may be held and PostgreSQL asked."""
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            await self._appointments()
            return await self._may_hold(self.load.slots[0])
        return False

    async def is_relayed(self, slot: SlotDocument) -> bool:
        """Whether the outbox has forgotten the slot, because the broker knows."""
        return not await self._asked("SELECT FROM outbox WHERE slot_id = $1", slot.id)

    async def has_failed(self, duty: str, times: int) -> bool:
        """Whether a duty of the worker has failed that often in a row."""
        return self.loops[duty].failures >= times

    async def has_forgotten(self, hold: Hold) -> bool:
        """Whether the broker has never heard of the hold."""
        territory = self.desk.territory(hold.id)
        return await self.desk.broker.slot_of_hold(territory, hold.id) is None

    async def heals(self, slot: SlotDocument, generation: int) -> dict[str, float]:
        """Seconds from now until a seat of *slot* may be held, and until the screen shows a log
        later than *generation*.
        """
        holds, screen = await asyncio.gather(
            until(lambda: self._may_hold(slot)),
            until(lambda: self._shows_later_than(generation, slot.territory)),
        )
        return {"holds": holds, "screen": screen}

    async def all_agree(self) -> None:
        """Nobody acts any more: PostgreSQL, Redis and the screen come to say the same, and what
        was promised is there.
        """
        await self.load.ends()
        await self.agrees(AGREES_WITHIN_S)
        kept = {row["id"]: row for row in await self._appointments()}
        for booked in self.load.confirmed.values():
            status = "cancelled" if booked.id in self.load.cancelled else "booked"
            row = kept[booked.id]
            assert (row["slot_id"], row["seat"], row["status"]) == (
                booked.slot_id,
                booked.seat,
                status,
            )
        seats = Counter(
            (row["slot_id"], row["seat"]) for row in kept.values() if row["status"] == "booked"
        )
        assert set(seats.values()) <= {1}
        assert self.screen.holes == []

    async def agrees(self, within_s: float) -> float:
        """Wait until PostgreSQL, Redis and the screen say the same; the seconds that it took."""
        try:
            return await until(self._agree, within_s)
        except TimeoutError:
            pytest.fail(f"in disagreement: {await self._disagreements()}")

    async def _agree(self) -> bool:
        with contextlib.suppress(OSError, asyncpg.PostgresError):  # it may be starting
            return not await self._disagreements()
        return False

    async def _disagreements(self) -> list[str]:
        found = []
        rows = await self._appointments()
        booked = Counter(str(row["slot_id"]) for row in rows if row["status"] == "booked")
        for territory in self.desk.territories.by_id.values():
            with contextlib.suppress(Unavailable):
                snapshot = await self.desk.broker.snapshot(territory)
                board = {slot["id"]: slot for slot in map(json.decode, snapshot.slots)}
                found += [
                    f"{slot_id}: {slot['booked']} booked on the board, {booked[slot_id]} in the ledger"
                    for slot_id, slot in board.items()
                    if slot["booked"] != booked[slot_id]
                ]
                if self.screen.slots[territory.slug] != board:
                    found.append(f"the screen of {territory.slug} at {self.screen.at}")
                continue
            found.append(f"{territory.slug} is not served")
        return found

    async def _appointments(self) -> list[asyncpg.Record]:
        return await self._asked(APPOINTMENTS)

    async def _asked(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        conn = await asyncpg.connect(self._owner_url)
        try:
            return await conn.fetch(query, *arguments)
        finally:
            await conn.close()

    async def _has_confirmed(self, enough: int) -> bool:
        return len(self.load.confirmed) >= enough

    async def _may_hold(self, slot: SlotDocument) -> bool:
        rita, now = self.world.accounts["rita"], datetime.now(UTC)
        with contextlib.suppress(Unavailable):
            held = await holding.hold(self.desk, rita, SlotId(slot.id), a_key(), now)
            await holding.release(self.desk, rita, held.id, now)
            return True
        return False

    async def _shows_later_than(self, generation: int, slug: str) -> bool:
        return self.screen.generation(slug) > generation


@contextlib.asynccontextmanager
async def in_service(world: World, settings: Settings) -> AsyncIterator[Service]:
    """Everything runs, with a span of each professional on the boards and the load on."""
    async with serving(world, settings) as web, contextlib.AsyncExitStack() as ends:
        workshop = Workshop(web.desk, post_of(settings), None)
        stopping = asyncio.Event()
        loops = {loop.name: loop for loop in duties(workshop)}
        work = [asyncio.create_task(loop.run(stopping)) for loop in loops.values()]
        ends.push_async_callback(asyncio.gather, *work)
        ends.callback(stopping.set)
        screen = Screen(await Viewer(web.url, world, "rita").signs_in())
        await screen.opens()
        ends.push_async_callback(screen.leaves)
        service = Service(web.desk, world, screen, loops, settings.owner_database_url)
        service.load.slots = [await service.offer(who) for who in PROFESSIONALS]
        service.load.starts()
        ends.callback(service.load.breaks_off)
        yield service
