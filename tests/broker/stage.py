"""A broker on a real Valkey whose clock the test moves, and the ledger's slots as a test wants them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from slots import keys, scripts
from slots.account import Account
from slots.audience import Audience, Role
from slots.broker import Broker
from slots.document import (
    LocationDocument,
    PractitionerDocument,
    ScheduleDocument,
    SlotCard,
    SlotDocument,
    decode_slot,
)
from slots.errors import Rebuilding
from slots.events import Event
from slots.ids import (
    AccountId,
    HoldId,
    OrganisationId,
    PractitionerId,
    ScheduleId,
    SlotId,
    TerritoryId,
    new_id,
)
from slots.lane import lane_to
from slots.log import LogReader
from slots.slot import Hold, Slot
from slots.territory import Territory
from slots.times import to_ms

START = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
HORIZON = timedelta(hours=48)
LEASE = timedelta(seconds=15)
HAUTS = Territory(TerritoryId(1), "hauts-cantons-et-vignobles", "Hauts Cantons", "34", 0)
OWNER = "the-rebuilder"
LOG_MAX = 20_000


class Tap:
    """The client, remembering each script's word: which answers a test has really provoked."""

    def __init__(self, redis: Any) -> None:
        self.redis, self.lane = redis, lane_to(redis)
        self.heard: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.redis, name)

    async def evalsha(self, sha: str, *arguments: Any) -> Any:
        answer = await self.lane.evalsha(sha, *arguments)
        name = next(name for name in scripts.SCRIPT_NAMES if scripts.load(name).sha == sha)
        self.heard.append((name, answer[0].decode()))
        return answer

    async def eval(self, text: str, *arguments: Any) -> Any:
        answer = await self.lane.eval(text, *arguments)
        name = next(name for name in scripts.SCRIPT_NAMES if scripts.load(name).text == text)
        self.heard.append((name, answer[0].decode()))
        return answer


class Stage:
    """One territory on a Valkey, at an hour that the test decides."""

    def __init__(self, redis: Any, territory: Territory = HAUTS, now: datetime = START) -> None:
        self.tap = Tap(redis)
        self.broker = Broker(redis, lane=self.tap)
        self.reader = LogReader(redis)
        self.territory = territory
        self.generation = 0
        self.now = now
        self.at(now)

    def at(self, now: datetime) -> None:
        """It is *now*."""
        self.now = now
        self.broker.clock_ms = str(to_ms(now))

    def pass_time(self, span: timedelta) -> None:
        """*span* later."""
        self.at(self.now + span)

    async def rebuild(self, *slots: Slot, owner: str = OWNER) -> int | None:
        """Bring this ledger under a new generation."""
        await self.begin(owner=owner)
        for slot in slots:
            await self.put(slot, "slot.mended")
        return await self.ready(owner=owner)

    async def begin(self, *, owner: str = OWNER) -> str:
        word, _ = await self.broker.begin(self.territory, self.generation + 1, owner, LEASE)
        self.generation += word == "begun"
        return word

    async def ready(self, *, owner: str = OWNER) -> int | None:
        return await self.broker.ready(self.territory, self.generation, owner)

    async def put(
        self, slot: Slot, event: str = "slot.amended", *, generation: int | None = None
    ) -> str:
        return await self.broker.put(
            self.territory,
            slot,
            event,
            generation=str(generation or self.generation),
            horizon=HORIZON,
        )

    async def offer(self, **fields: Any) -> Slot:
        """A slot that the ledger has just got, put; see make_slot."""
        slot = make_slot(territory=self.territory, **fields)
        assert await self.put(slot, "slot.offered") == "put"
        return slot

    async def hold(
        self,
        slot: Slot,
        account: Account | None = None,
        *,
        key: str = "",
        hold_id: HoldId | None = None,
    ) -> Hold:
        return await self.broker.hold(
            self.territory,
            account or make_account(),
            slot.id,
            hold_id or HoldId(new_id(self.territory.id)),
            key or str(uuid4()),
        )

    async def renew(self, account: Account, hold: Hold, *, key: str = "") -> Hold:
        return await self.broker.renew(self.territory, account.id, hold.id, key or str(uuid4()))

    async def release(self, account: Account, hold: Hold) -> None:
        await self.broker.release(self.territory, account.id, hold.id)

    async def seal(self, account: Account, hold: Hold) -> Any:
        return await self.broker.seal(self.territory, account.id, hold.id)

    async def unseal(self, slot: Slot, hold: Hold, event: str = "slot.revoked") -> None:
        await self.broker.unseal(self.territory, slot.id, hold.id, event)

    async def due(self) -> int:
        return await self.broker.due(self.territory)

    async def events(self) -> list[Event]:
        """The whole log, oldest first."""
        return await self.reader.latest(self.territory, LOG_MAX)

    async def types(self) -> list[str]:
        """What happened, without `log.started`."""
        return [event.type for event in await self.events()][1:]

    async def board(self) -> dict[SlotId, bytes]:
        """What a fresh snapshot shows."""
        snapshot = await self.broker.snapshot(self.territory)
        return {SlotId(decode_slot(raw).id): raw for raw in snapshot.slots}

    async def document(self, slot: Slot) -> SlotDocument:
        """The slot as everybody sees it on the board."""
        return decode_slot((await self.board())[slot.id])

    async def lose_the_tail(self) -> None:
        """What a restart or a promotion looks like to the scripts."""
        await self.tap.hset(keys.named(self.territory, "meta"), "replid", "0" * 40)

    async def distrusts(self) -> bool:
        """Whether the scripts answer that they are rebuilding."""
        try:
            await self.due()
        except Rebuilding:
            return True
        return False


def make_slot(
    *,
    territory: Territory = HAUTS,
    starts_at: datetime = START + timedelta(hours=2),
    lasts: timedelta = timedelta(minutes=20),
    capacity: int = 1,
    audience: tuple[str, ...] = ("CPTS", "SNP"),
    seats: Mapping[int, HoldId | None] | None = None,
    note: str | None = None,
    horizon: timedelta | None = None,
) -> Slot:
    """A slot as the ledger has it, at version 1."""
    slot_id = SlotId(new_id(territory.id))
    practitioner = PractitionerDocument(uuid4(), "Ann Martin", "10", "SM54")
    location = LocationDocument(uuid4(), "Maison", "Bédarieux", "34028", 43.6, 3.2, "0400000001")
    schedule = ScheduleDocument(uuid4(), practitioner, None, location)
    card = SlotCard(
        id=slot_id,
        territory=territory.slug,
        schedule=schedule,
        starts_at=starts_at,
        ends_at=starts_at + lasts,
        modality="AMB",
        area=None,
        acts=["consultation"],
        audience=list(audience),
        note=note,
    )
    return Slot(
        id=slot_id,
        territory_id=territory.id,
        schedule_id=ScheduleId(schedule.id),
        practitioner_id=PractitionerId(practitioner.id),
        starts_at=starts_at,
        ends_at=starts_at + lasts,
        capacity=capacity,
        modality="AMB",
        audience=frozenset(Audience(word) for word in audience),
        version=1,
        terms=1,
        withdrawn=False,
        daily_cap=None,
        seats=seats or {},
        card=card,
        horizon=horizon,
    )


def changed(slot: Slot, **fields: Any) -> Slot:
    """The slot after one more transaction of the ledger; *note* and times reach its card."""
    on_card = {
        name: fields[name]
        for name in ("note", "starts_at", "ends_at", "modality")
        if name in fields
    }
    card_fields = {name: getattr(slot.card, name) for name in SlotCard.__struct_fields__}
    fields = {name: value for name, value in fields.items() if name != "note"}
    fields.setdefault("version", slot.version + 1)
    return replace(slot, card=SlotCard(**card_fields | on_card), **fields)


def moved(slot: Slot, by: timedelta) -> Slot:
    """The slot after the professional has amended its time: other terms."""
    times = {"starts_at": slot.starts_at + by, "ends_at": slot.ends_at + by}
    return changed(slot, terms=slot.terms + 1, **times)


def booked(slot: Slot, hold: Hold) -> Slot:
    """The slot after the hold has become an appointment."""
    return changed(slot, seats={**slot.seats, hold.seat: hold.id})


def make_account(
    *roles: Role, territory: Territory = HAUTS, neighbours: frozenset[TerritoryId] = frozenset()
) -> Account:
    """A referrer of the territory, unless *roles* or *neighbours* say otherwise."""
    held = frozenset(roles or (() if neighbours else (Role.REFERRER,)))
    return Account(
        id=AccountId(uuid4()),
        name="Rolf Garcia",
        email="rolf@example.test",
        phone="0600000001",
        organisation_id=OrganisationId(uuid4()),
        organisation="Cabinet des Rosiers",
        organisation_kind="practice",
        practitioner_id=None,
        roles={territory.id: held} if held else {},
        schedules={},
        neighbours=neighbours,
    )
