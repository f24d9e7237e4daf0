"""A desk on real servers: a world in PostgreSQL, a broker that is ready, and people who act."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from slots.account import Account
from slots.booking import confirming, holding, offering
from slots.booking.choice import Choice
from slots.booking.offers import OfferedSlot
from slots.desk import Desk, close_desk, open_desk
from slots.document import SlotDocument
from slots.ids import SlotId
from slots.settings import Settings
from slots.slot import Hold
from slots.store.idempotency import Key
from tests.forgetting.kinds import pytest_generate_tests
from tests.world import World, make_world

__all__ = ["pytest_generate_tests"]

LEASE = timedelta(seconds=30)
GENERATION = 1


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def world(owner: asyncpg.Connection) -> World:
    return await make_world(owner)


@pytest.fixture
async def desk(world: World, settings: Settings) -> AsyncIterator[Desk]:
    """A desk whose broker stands at generation 1 of each territory, empty."""
    desk = await open_desk(settings)
    for territory in desk.territories.by_id.values():
        await desk.broker.begin(territory, GENERATION, "test", LEASE)
        await desk.broker.ready(territory, GENERATION, "test")
    yield desk
    await close_desk(desk)


def a_key(value: str = "", body: bytes = b"body") -> Key:
    return Key(value or str(uuid4()), body)


CHOICE = Choice(reason="pain", urgency="today")

Offer = Callable[..., Awaitable[SlotDocument]]
Take = Callable[[Account, SlotDocument], Awaitable[Hold]]


@pytest.fixture
def offer(desk: Desk, world: World, now: datetime) -> Offer:
    """Publish one slot: ann's créneau in two hours unless said otherwise."""

    async def make(who: str = "ann", *, after: timedelta = timedelta(hours=2), **fields):
        schedule = fields.pop("schedule", who)
        starts_at = now + after
        fields.setdefault("ends_at", starts_at + timedelta(minutes=20))
        fields.setdefault("audience", ("CPTS", "SNP"))
        offered = OfferedSlot(world.schedules[schedule], starts_at, **fields)
        return (await offering.offer(desk, world.accounts[who], [offered], a_key(), now))[0]

    return make


@pytest.fixture
def hold(desk: Desk, now: datetime) -> Take:
    async def take(account: Account, slot: SlotDocument) -> Hold:
        return await holding.hold(desk, account, SlotId(slot.id), a_key(), now)

    return take


@pytest.fixture
def book(desk: Desk, hold: Take, now: datetime):
    """Hold and confirm in one go."""

    async def make(account: Account, slot: SlotDocument):
        held = await hold(account, slot)
        return await confirming.confirm(desk, account, held.id, CHOICE, a_key(), now)

    return make
