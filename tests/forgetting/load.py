"""People who hold, book and cancel without pause, as patient as a real client, and remember all."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from slots.account import Account
from slots.appointment import Appointment
from slots.booking import appointments, confirming, holding
from slots.desk import Desk
from slots.document import SlotDocument
from slots.errors import Conflict, Unavailable
from slots.ids import AppointmentId, SlotId
from slots.slot import Hold
from slots.store.idempotency import Key
from tests.booking.conftest import CHOICE, a_key
from tests.waiting import pause
from tests.world import World

BOOKERS = ("rolf", "rosa", "emma", "rita", "nina", "bob")
KEEPS_ONE_IN = 10  # seats enough for the whole of a test
Answer = TypeVar("Answer")


class Load:
    """*confirmed* and *cancelled*: what was acknowledged. *unanswered*: what had to be repeated."""

    def __init__(self, desk: Desk, world: World) -> None:
        self.desk = desk
        self.world = world
        self.slots: list[SlotDocument] = []
        self.confirmed: dict[AppointmentId, Appointment] = {}
        self.cancelled: set[AppointmentId] = set()
        self.refused: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()
        self._stopping = asyncio.Event()
        self._dice = random.Random(48)
        self._tasks: list[asyncio.Task[None]] = []

    def starts(self) -> None:
        self._tasks = [asyncio.create_task(self._goes_on(name)) for name in BOOKERS]

    async def ends(self) -> None:
        """Everybody finishes what they have begun."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)

    def breaks_off(self) -> None:
        """Whatever they are at: the test is over, perhaps because it failed."""
        self._stopping.set()  # for whoever does not hear of the cancellation
        for task in self._tasks:
            task.cancel()

    async def persists(self, ask: Callable[[Key], Awaitable[Answer]]) -> Answer:
        """Ask under one key until there is an answer."""
        key = a_key()
        while True:
            try:
                return await ask(key)
            except Unavailable as error:
                self.unanswered[error.code] += 1
                await pause()

    async def holds(self, account: Account, slot: SlotDocument) -> Hold:
        return await self.persists(
            lambda key: holding.hold(self.desk, account, SlotId(slot.id), key, datetime.now(UTC))
        )

    async def confirms(self, account: Account, hold: Hold) -> Appointment:
        booked = await self.persists(
            lambda key: confirming.confirm(
                self.desk, account, hold.id, CHOICE, key, datetime.now(UTC)
            )
        )
        self.confirmed[booked.id] = booked
        return booked

    async def books(self, account: Account, slot: SlotDocument) -> Appointment:
        return await self.confirms(account, await self.holds(account, slot))

    async def cancels(self, account: Account, booked: Appointment) -> None:
        await self.persists(
            lambda key: appointments.cancel(self.desk, account, booked.id, key, datetime.now(UTC))
        )
        self.cancelled.add(booked.id)

    async def _goes_on(self, name: str) -> None:
        account = self.world.accounts[name]
        while not self._stopping.is_set():
            slot = self._dice.choice(self.slots)
            try:
                booked = await self.books(account, slot)
            except Conflict as error:  # somebody was quicker, or Redis has forgotten the hold
                self.refused[error.code] += 1
            else:
                if self._dice.randrange(KEEPS_ONE_IN) > 0:
                    await self.cancels(account, booked)
