"""Clients of a desk who remember what they asked and heard: the history of a test."""

import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

from slots.appointment import Appointment
from slots.booking import confirming, holding, offering
from slots.document import SlotDocument, decode_slot
from slots.errors import SlotError, Unavailable
from slots.ids import SlotId
from slots.slot import Hold
from slots.times import to_ms
from tests.booking.conftest import CHOICE, a_key
from tests.proof.history import DONE, Loss, Operation
from tests.proof.linearizability import Violation, violation


class Witness:
    """One slot, watched. Time passes when the test says so, for the broker and the history."""

    def __init__(self, desk: Any, world: Any, slot: SlotDocument) -> None:
        self.desk, self.world, self.slot = desk, world, slot
        self.territory = desk.territories.by_id[world.hauts]
        self.slot_id = SlotId(slot.id)
        self.ahead = timedelta()
        begun = self.instant()
        offered = {"capacity": slot.capacity, "audience": slot.audience}
        self.told = [Operation("ann", "offer", offered, begun, begun, {"word": DONE})]
        self.losses: list[Loss] = []

    def instant(self) -> float:
        return time.monotonic() + self.ahead.total_seconds()

    def pass_time(self, span: timedelta) -> None:
        self.ahead += span
        self.desk.broker.clock_ms = str(to_ms(datetime.now(UTC) + self.ahead))

    def verdict(self) -> Violation | None:
        return violation(str(self.slot_id), self.told, self.losses)

    async def hold(self, name: str) -> Hold | None:
        account = self.world.accounts[name]
        now = datetime.now(UTC) + self.ahead
        asked = holding.hold(self.desk, account, self.slot_id, a_key(), now)
        return await self._ask(name, "hold", asked, account=name)

    async def confirm(self, name: str, held: Hold) -> Appointment | None:
        account = self.world.accounts[name]
        now = datetime.now(UTC)
        asked = confirming.confirm(self.desk, account, held.id, CHOICE, a_key(), now)
        return await self._ask(name, "confirm", asked, account=name, hold=str(held.id))

    async def withdraw(self) -> SlotDocument | None:
        account = self.world.accounts["ann"]
        now = datetime.now(UTC)
        asked = offering.withdraw(
            self.desk, account, self.slot_id, a_key(), now, cancel_booked=False
        )
        return await self._ask("ann", "withdraw", asked, cancel_booked=False)

    async def look(self) -> None:
        """What the board shows."""
        await self._ask("wall", "read", self._board(), source="broker")

    async def _board(self) -> SlotDocument | None:
        snapshot = await self.desk.broker.snapshot(self.territory)
        documents = {one.id: one for one in map(decode_slot, snapshot.slots)}
        return documents.get(self.slot.id)

    async def _ask(self, client: str, verb: str, asked: Awaitable[Any], **arguments: Any) -> Any:
        called_at, answer, heard = self.instant(), None, None
        try:
            heard = await asked
            answer = {"word": DONE, **self._facts(verb, heard)}
        except Unavailable:
            pass
        except SlotError as error:
            answer = {"word": error.code}
        returned_at = None if answer is None else self.instant()
        self.told.append(Operation(client, verb, arguments, called_at, returned_at, answer))
        return heard

    def _facts(self, verb: str, heard: Any) -> dict[str, Any]:
        match verb, heard:
            case "hold", Hold():
                now = datetime.now(UTC) + self.ahead
                until = self.instant() + (heard.expires_at - now).total_seconds()
                return {"hold": str(heard.id), "seat": heard.seat, "until": until}
            case "confirm", Appointment():
                return {"appointment": str(heard.id), "seat": heard.seat}
            case "read", SlotDocument():
                return {"free": heard.free, "held": heard.held, "booked": heard.booked}
            case "read", None:
                return {"absent": True}
            case _:
                return {}
