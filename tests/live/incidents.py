"""What may happen to a territory: to its slots, to its hours, and to the Redis that keeps its log."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import msgspec

from slots import keys
from slots.account import Account
from slots.audience import Audience
from slots.broker import HoldEnded
from slots.errors import SlotError
from slots.ids import ScheduleId
from slots.slot import Hold, Slot
from tests.broker.stage import Stage, booked, changed, make_slot, moved
from tests.live.truth import Truth

AUDIENCES = (["CPTS", "SNP"], ["CPTS"], ["SNP"], ["PRO"], ["PUBLIC", "SNP"])
STARTS_IN = tuple(timedelta(minutes=minutes) for minutes in (-4, 1, 90, 48 * 60 + 2))
STEPS = tuple(timedelta(seconds=seconds) for seconds in (1, 59, 180, 301))
AHEAD_MS = 3_600_000  # how far the clock of a primary may run before the next one's
NEEDED = 1  # a rebuild that happens only where Redis may have lost something
LOST = 1_000_000  # added to an entry's number: an entry that no log has


class Incidents:
    """One territory; each verb takes a number that decides who, what and how."""

    def __init__(self, stage: Stage, truth: Truth, people: list[Account]) -> None:
        self.stage = stage
        self.truth = truth
        self.people = people
        self.slots: list[Slot] = []
        self.holds: list[tuple[int, Account, Hold]] = []
        self.is_lost = False  # Redis may have lost something: nothing is trusted until a rebuild
        self._copy: dict[str, bytes | None] | None = None

    async def happens(self, verb: str, which: int) -> None:
        """One incident; a refusal is one too."""
        with contextlib.suppress(SlotError, HoldEnded):
            await getattr(self, verb)(which)

    async def begins(self) -> None:
        """An empty board under a new generation, then a few slots."""
        await self.rebuild()
        for which in range(8):
            await self.offer(which)

    # The ledger's verbs.

    async def offer(self, which: int) -> None:
        slot = make_slot(
            territory=self.stage.territory,
            starts_at=self.stage.now + STARTS_IN[which % 4],
            lasts=timedelta(minutes=(2, 20)[which % 2]),
            capacity=1 + which % 3,
        )
        if which % 2:
            slot = of_schedule(slot, self.truth.anns_schedule)
        self.slots.append(for_audience(slot, which // 4))
        await self.stage.put(self.slots[-1], "slot.offered")

    async def amend_audience(self, which: int) -> None:
        await self._amend(which, lambda slot: for_audience(changed(slot), which // 7))

    async def withdraw(self, which: int) -> None:
        await self._amend(which, lambda slot: changed(slot, withdrawn=True))

    async def note(self, which: int) -> None:
        await self._amend(which, lambda slot: changed(slot, note=f"note {which}"))

    async def cancel(self, which: int) -> None:
        await self._amend(
            which, lambda slot: changed(slot, seats=dict(list(slot.seats.items())[1:]))
        )

    async def shift(self, which: int) -> None:
        by = timedelta(minutes=(-30, 30, 49 * 60)[which % 3])
        await self._amend(which, lambda slot: moved(slot, by))

    async def _amend(self, which: int, into) -> None:
        if self.slots:
            index = which % len(self.slots)
            self.slots[index] = into(self.slots[index])
            await self.stage.put(self.slots[index])

    # The broker's verbs.

    async def hold(self, which: int) -> None:
        if self.slots:
            index = which % len(self.slots)
            account = self.people[which // len(self.slots) % len(self.people)]
            hold = await self.stage.hold(self.slots[index], account)
            self.holds.append((index, account, hold))

    async def release(self, which: int) -> None:
        if self.holds:
            _, account, hold = self.holds[which % len(self.holds)]
            await self.stage.release(account, hold)

    async def seal(self, which: int) -> None:
        if self.holds:
            _, account, hold = self.holds[which % len(self.holds)]
            await self.stage.seal(account, hold)

    async def confirm(self, which: int) -> None:
        if self.holds:
            index, account, hold = self.holds[which % len(self.holds)]
            seal = await self.stage.seal(account, hold)
            slot = self.slots[index]
            if not slot.withdrawn and seal.terms == slot.terms and seal.seat not in slot.seats:
                self.slots[index] = booked(slot, hold)
                await self.stage.put(self.slots[index], "slot.confirmed")

    # Time.

    async def passes(self, which: int) -> None:
        """Nobody is told: what time has changed waits for the next script."""
        self.stage.pass_time(STEPS[which % len(STEPS)])

    async def sweep(self, which: int) -> None:
        await self.stage.due()

    # What becomes of Redis.

    async def trim(self, which: int) -> None:
        """The log keeps only its last few entries. What is due is told before, and remembered."""
        await self.stage.due()
        await self.truth.reads_on()
        await self._redis.xtrim(self._key("log"), maxlen=which % 4)

    async def lose_last(self, which: int) -> None:
        """The state has moved on by an event that is not in the log."""
        await self.stage.due()
        entry = (await self.truth.at()).partition(".")[2]
        milliseconds, _, number = entry.partition("-")
        lost = f"{milliseconds}-{int(number) + LOST}"
        await self._redis.hset(self._key("meta"), "last", lost)
        self.truth.stands(await self.stage.broker.snapshot(self.stage.territory))

    async def run_ahead(self, which: int) -> None:
        """The server's clock is before everybody's; after the next rebuild ids run behind."""
        last = (await self._redis.xinfo_stream(self._key("log")))["last-generated-id"]
        ahead_ms = int(last.partition(b"-")[0]) + AHEAD_MS
        await self._redis.execute_command("XSETID", self._key("log"), f"{ahead_ms}-0")

    async def copy(self, which: int) -> None:
        """A replica has heard all that was written until now."""
        if not self.is_lost:
            names = keys.TERRITORY_KEYS
            async with self._redis.pipeline() as pipeline:
                for name in names:
                    pipeline.dump(self._key(name))
                self._copy = dict(zip(names, await pipeline.execute(), strict=True))

    async def fail_over(self, which: int) -> None:
        """The replica is promoted: what it had not heard is lost, acknowledged or not."""
        await self.truth.reads_on()
        async with self._redis.pipeline(transaction=True) as pipeline:
            for name, dumped in (self._copy or {}).items():
                pipeline.delete(self._key(name))
                if dumped is not None:
                    pipeline.restore(self._key(name), 0, dumped)
            pipeline.hset(self._key("meta"), "replid", "0" * 40)
            await pipeline.execute()
        self._copy, self.is_lost = None, True

    async def rebuild(self, which: int = 0) -> None:
        """A new generation from the ledger, another log: where it is needed, and now and then."""
        if which % 16 and not self.is_lost:
            return
        await self.truth.reads_on()
        await self.stage.rebuild(*self.slots)
        self._copy, self.is_lost = None, False
        self.truth.stands(await self.stage.broker.snapshot(self.stage.territory))

    @property
    def _redis(self):
        return self.stage.tap.redis

    def _key(self, name: str) -> str:
        return keys.named(self.stage.territory, name)


def for_audience(slot: Slot, which: int) -> Slot:
    """The slot, offered to others."""
    words = AUDIENCES[which % len(AUDIENCES)]
    card = msgspec.structs.replace(slot.card, audience=words)
    return replace(slot, audience=frozenset(map(Audience, words)), card=card)


def of_schedule(slot: Slot, schedule_id: str) -> Slot:
    """The slot, in somebody's own schedule."""
    schedule = msgspec.structs.replace(slot.card.schedule, id=ScheduleId(schedule_id))
    card = msgspec.structs.replace(slot.card, schedule=schedule)
    return replace(slot, schedule_id=ScheduleId(schedule_id), card=card)
