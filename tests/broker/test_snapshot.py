"""Last snapshot + events = fresh snapshot, at any moment and whatever happened between."""

import contextlib
import itertools
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slots.broker import DUE_BATCH_MAX, HoldEnded
from slots.document import decode_slot
from slots.errors import SlotError
from slots.events import Event, Position
from slots.ids import SlotId, TerritoryId
from slots.log import LOG_STARTED
from slots.slot import HOLD_FOR
from slots.territory import Territory
from tests.broker.stage import START, Stage, booked, changed, make_account, make_slot, moved

_numbers = itertools.count(100)


async def test_a_board_shows_its_slots_by_start_and_where_the_log_stands(stage: Stage):
    late = await stage.offer(starts_at=START + timedelta(hours=9))
    soon = await stage.offer(starts_at=START + timedelta(hours=1))
    await stage.offer(starts_at=START + timedelta(days=5))

    snapshot = await stage.broker.snapshot(stage.territory)

    assert [decode_slot(raw).id for raw in snapshot.slots] == [soon.id, late.id]
    assert snapshot.at == (await stage.events())[-1].at
    assert snapshot.at == await stage.broker.position(stage.territory)


async def test_an_empty_board_stands_at_the_start_of_its_log(stage: Stage):
    snapshot = await stage.broker.snapshot(stage.territory)

    events = await stage.events()
    assert [event.type for event in events] == [LOG_STARTED]
    assert (snapshot.at, snapshot.slots) == (events[0].at, [])


async def test_it_first_emits_all_that_is_due_however_much_that_is(stage: Stage):
    later = START + timedelta(days=3)
    slots = [make_slot(starts_at=later) for _ in range(DUE_BATCH_MAX + 1)]
    for slot in slots:
        await stage.put(slot)
    stage.at(later - timedelta(hours=48))

    assert len(await stage.board()) == len(slots)

    assert stage.tap.heard[-2:] == [("snapshot", "settling"), ("snapshot", "snapshot")]
    assert len(await stage.types()) == len(slots)


async def test_territories_do_not_see_each_other(stage: Stage):
    other = Stage(stage.tap.redis, Territory(TerritoryId(2), "thau", "Thau", "34", 0))
    await other.rebuild()
    slot = await stage.offer()

    assert list(await stage.board()) == [slot.id]
    assert await other.board() == {}
    assert [event.type for event in await other.events()] == [LOG_STARTED]


async def test_one_read_brings_the_news_of_several_territories(stage: Stage):
    other = Stage(stage.tap.redis, Territory(TerritoryId(2), "thau", "Thau", "34", 0))
    await other.rebuild()
    after = {one.territory: (await one.events())[-1].at for one in (stage, other)}
    await stage.offer()
    await other.offer()

    news = await stage.reader.read(after, block_ms=1)

    assert {number: [event.type for event in events] for number, events in news.items()} == {
        1: ["slot.offered"],
        2: ["slot.offered"],
    }


class Reader:
    """A screen: a snapshot once, then only events."""

    def __init__(self, at: Position, board: dict[SlotId, bytes]) -> None:
        self.at = at
        self.board = board

    @classmethod
    async def start(cls, stage: Stage) -> "Reader":
        snapshot = await stage.broker.snapshot(stage.territory)
        return cls(snapshot.at, {SlotId(decode_slot(raw).id): raw for raw in snapshot.slots})

    async def agrees(self, stage: Stage) -> None:
        """What it shows after the events is what a fresh snapshot shows."""
        fresh = await stage.board()
        self.follow(await stage.events())
        assert self.board == fresh

    def follow(self, events: Sequence[Event]) -> None:
        """Apply what follows *at*: replace the slot, or take it away. Never a hole."""
        following = itertools.dropwhile(lambda event: event.at != self.at, events)
        assert next(following).at == self.at
        for event in following:
            assert event.prev == self.at
            self.at = event.at
            if event.live:
                self.board[event.slot_id] = event.slot
            else:
                self.board.pop(event.slot_id, None)


class Play:
    """Random people on one territory; each move is what a caller would do, allowed or not."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.accounts = [make_account(territory=stage.territory) for _ in range(3)]
        self.slots: list = []
        self.holds: list = []

    async def move(self, verb: str, which: int) -> None:
        """One move; who, what and how are *which*, in turn."""
        slot_index = which % len(self.slots) if self.slots else None
        if verb == "offer":
            starts_at = self.stage.now + timedelta(minutes=(-4, 1, 90, 48 * 60 + 2)[which % 4])
            capacity = (1, 2, 3)[which % 3]
            lasts = timedelta(minutes=(2, 20)[which % 2])
            self.slots.append(
                make_slot(
                    territory=self.stage.territory,
                    starts_at=starts_at,
                    lasts=lasts,
                    capacity=capacity,
                )
            )
            await self.stage.put(self.slots[-1], "slot.offered")
        elif verb == "pass":
            self.stage.pass_time(timedelta(seconds=(1, 59, 180, 301)[which % 4]))
        elif verb == "due":
            await self.stage.due()
        elif slot_index is None:
            return
        elif verb in {"hold", "renew", "release", "seal", "unseal", "confirm"}:
            await self._hold_or_more(verb, which, slot_index)
        else:
            await self._amend(verb, which, slot_index)

    async def _hold_or_more(self, verb: str, which: int, slot_index: int) -> None:
        stage = self.stage
        if verb == "hold" or not self.holds:
            account = self.accounts[which % 3]
            hold = await stage.hold(self.slots[slot_index], account, key=str(which // 7))
            self.holds.append((slot_index, account, hold))
            return
        slot_index, account, hold = self.holds[which % len(self.holds)]
        match verb:
            case "renew":
                await stage.renew(account, hold)
            case "release":
                await stage.release(account, hold)
            case "seal":
                await stage.seal(account, hold)
            case "unseal":
                await stage.unseal(self.slots[slot_index], hold)
            case "confirm":
                seal = await stage.seal(account, hold)
                slot = self.slots[slot_index]
                if not slot.withdrawn and seal.terms == slot.terms and seal.seat not in slot.seats:
                    self.slots[slot_index] = booked(slot, hold)
                    await stage.put(self.slots[slot_index], "slot.confirmed")

    async def _amend(self, verb: str, which: int, slot_index: int) -> None:
        slot = self.slots[slot_index]
        match verb:
            case "withdraw":
                slot = changed(slot, withdrawn=True)
            case "cancel":
                slot = changed(slot, seats=dict(list(slot.seats.items())[1:]))
            case "shift":
                slot = moved(slot, timedelta(minutes=(-30, 30, 49 * 60)[which % 3]))
            case "resize":
                slot = changed(slot, capacity=max(1, *slot.seats, which % 4))
            case "note":
                slot = changed(slot, note=f"note {which}")
            case "late":  # an applier of long ago
                await self.stage.put(changed(slot, version=1))
                return
        self.slots[slot_index] = slot
        await self.stage.put(slot, f"slot.{verb}")


VERBS = (
    *("offer", "offer", "hold", "hold", "hold", "pass", "pass", "renew", "release", "seal"),
    *("unseal", "confirm", "confirm", "withdraw", "cancel", "shift", "resize", "note", "late"),
    "due",
)
MOVES = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 99)), min_size=15, max_size=50)


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=MOVES, rebuild_at=st.integers(0, 80))
async def test_snapshot_and_events_make_the_next_snapshot(empty_stage: Stage, moves, rebuild_at):
    number = TerritoryId(next(_numbers))
    stage = Stage(empty_stage.tap.redis, Territory(number, f"t{number}", "T", "34", 0))
    await stage.rebuild()
    play = Play(stage)
    reader = await Reader.start(stage)

    for index, (verb, which) in enumerate(moves):
        # A refusal changes nothing that is not told.
        with contextlib.suppress(SlotError, HoldEnded):
            await play.move(verb, which)
        if index == rebuild_at:
            await stage.rebuild(*play.slots)
            reader = await Reader.start(stage)  # a new log starts with a snapshot
        if which % 3 == 0:
            await reader.agrees(stage)

    stage.pass_time(HOLD_FOR)
    await reader.agrees(stage)
    events = await stage.events()
    assert reader.at == await stage.broker.position(stage.territory)
    assert [event.prev for event in events[1:]] == [event.at for event in events[:-1]]
