"""All pairs of status and verb, against Lua: what the table does not have is refused."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from slots.account import Account
from slots.broker import HoldEnded
from slots.errors import SlotError
from slots.slot import HOLD_FOR, TRANSITIONS, Hold, Slot, SlotStatus
from tests.broker.stage import Stage, booked, changed, make_account


@dataclass
class Player:
    """One créneau, as its ledger has it, and whoever held it last."""

    stage: Stage
    slot: Slot
    account: Account = field(default_factory=make_account)
    latest: Hold | None = None

    async def ledger(self, slot: Slot, event: str) -> None:
        """A transaction of the ledger and its put."""
        self.slot = slot
        await self.stage.put(slot, event)

    async def hold(self) -> None:
        self.latest = await self.stage.hold(self.slot, self.account)

    async def renew(self) -> None:
        if self.latest:
            await self.stage.renew(self.account, self.latest)

    async def seal(self) -> None:
        if self.latest:
            await self.stage.seal(self.account, self.latest)

    async def release(self) -> None:
        if self.latest:
            await self.stage.release(self.account, self.latest)

    async def expire(self) -> None:
        self.stage.pass_time(HOLD_FOR)
        await self.stage.due()

    async def confirm(self) -> None:
        """Only a hold that could be sealed becomes an appointment."""
        if self.latest:
            await self.stage.seal(self.account, self.latest)
            await self.ledger(booked(self.slot, self.latest), "slot.confirmed")

    async def cancel(self) -> None:
        """Without an appointment the ledger has nothing to change; the relay puts what it has."""
        if self.slot.seats:
            await self.ledger(changed(self.slot, seats={}), "slot.cancelled")
        else:
            assert await self.stage.put(self.slot, "slot.cancelled") == "same"

    async def withdraw(self) -> None:
        if self.slot.withdrawn:
            assert await self.stage.put(self.slot, "slot.withdrawn") == "same"
        else:
            await self.ledger(changed(self.slot, withdrawn=True, seats={}), "slot.withdrawn")

    async def status(self) -> SlotStatus:
        """What the last event of the slot says; the board agrees, where it is on it."""
        event = [event for event in await self.stage.events() if event.slot_id == self.slot.id][-1]
        shown = (await self.stage.board()).get(self.slot.id)
        assert shown == (event.slot if event.live else None)
        word = event.slot.partition(b'"status":"')[2].partition(b'"')[0]
        return SlotStatus(word.decode())


Play = Callable[[Player], Awaitable[None]]
VERBS: dict[str, Play] = {
    "hold": Player.hold,
    "renew": Player.renew,
    "seal": Player.seal,
    "release": Player.release,
    "expire": Player.expire,
    "confirm": Player.confirm,
    "cancel": Player.cancel,
    "withdraw": Player.withdraw,
}


async def never_held(_player: Player) -> None: ...


async def given_back(player: Player) -> None:
    await player.hold()
    await player.release()


async def held(player: Player) -> None:
    await player.hold()


async def taken(player: Player) -> None:
    await player.hold()
    await player.confirm()


async def withdrawn(player: Player) -> None:
    await player.withdraw()


async def withdrawn_while_held(player: Player) -> None:
    await player.hold()
    await player.withdraw()


async def withdrawn_while_taken(player: Player) -> None:
    await taken(player)
    await player.withdraw()


WAYS_INTO: dict[SlotStatus, list[Play]] = {
    SlotStatus.FREE: [never_held, given_back],
    SlotStatus.HELD: [held],
    SlotStatus.BUSY: [taken],
    SlotStatus.UNAVAILABLE: [withdrawn, withdrawn_while_held, withdrawn_while_taken],
}
PAIRS = [
    pytest.param(status, way, verb, id=f"{status}-{way.__name__}-{verb}")
    for status, ways in WAYS_INTO.items()
    for way in ways
    for verb in VERBS
]


def test_the_walk_knows_every_status_and_every_verb_of_the_table():
    assert set(WAYS_INTO) == set(SlotStatus)
    assert set(VERBS) == {verb for _, verb in TRANSITIONS}


@pytest.mark.parametrize(("status", "way", "verb"), PAIRS)
async def test_a_verb_makes_of_a_status_what_the_table_says_and_else_nothing(
    stage: Stage, status: SlotStatus, way: Play, verb: str
):
    player = Player(stage, await stage.offer())
    await way(player)
    assert await player.status() is status
    before = await stage.broker.position(stage.territory)

    with suppress(SlotError, HoldEnded):
        await VERBS[verb](player)

    after = TRANSITIONS.get((status, verb), status)
    assert await player.status() is after
    is_in_the_table = (status, verb) in TRANSITIONS
    assert (await stage.broker.position(stage.territory) != before) is is_in_the_table


@pytest.mark.parametrize("verb", ["renew", "release", "expire"])
async def test_a_sealed_hold_is_left_alone_by_all_but_the_ledger(stage: Stage, verb: str):
    player = Player(stage, await stage.offer())
    await player.hold()
    await player.seal()
    before = await stage.broker.position(stage.territory)

    with suppress(SlotError, HoldEnded):
        await VERBS[verb](player)

    assert await player.status() is SlotStatus.HELD
    assert await stage.broker.position(stage.territory) == before
