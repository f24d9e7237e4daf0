"""The scenes of the demo's day, each played by one account through the public API."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from slots.times import rfc3339
from workers.demo import catalogue, plot
from workers.demo.cast import Cast, Diary, Player
from workers.demo.client import Refused
from workers.demo.plot import Scene

OTHER_TIMES_MAX: Final = 8  # tries to find a time that is still free in a diary
OTHER_SLOTS_MAX: Final = 5  # slots that one booker tries before giving up
FIRST_RESULTS: Final = 12  # people choose among the first ones
SEARCH_LIMIT: Final = 60
IDLE_HOLDS_MAX: Final = 1  # per account and territory, of the five that are allowed
THINK_S: Final = (15, 80)  # simulated seconds between choosing and confirming
THINK_MAX_S: Final = 60.0  # real seconds: a hold lives three minutes
NOBODY_OFFERS: Final = "ct-scan"
DELAYS_H: Final = (4, 8, 12, 24, 48)
ASKED_ACTS: Final = (
    *("consultation", "consultation", "consultation", "complex-dressing", "radiography"),
    *("ultrasound", "rehabilitation", "teleconsultation", "home-visit", "blood-sample"),
)


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment of this day, and who made it."""

    player: Player
    appointment_id: str


@dataclass(slots=True)
class Tally:
    """What has happened so far. *refusals* are counted by their code."""

    offers: int = 0
    bookings: int = 0
    abandoned_holds: int = 0
    cancellations: int = 0
    unmet_searches: int = 0
    withdrawals: int = 0
    renewals: int = 0
    seen: int = 0
    refusals: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Stage:
    """Plays scenes. *speed* is simulated seconds a second; 0 waits for nothing."""

    cast: Cast
    chance: random.Random
    speed: float
    communes: dict[str, list[str]]  # INSEE codes by territory
    tally: Tally = field(default_factory=Tally)
    offered: list[tuple[Diary, str]] = field(default_factory=list)
    booked: list[Booking] = field(default_factory=list)

    async def play(self, scene: Scene) -> None:
        """Play one scene. Being refused belongs to a day; it is counted."""
        acts: dict[Scene, Callable[[], Awaitable[None]]] = {
            Scene.OFFER: self._offer,
            Scene.WITHDRAW: self._withdraw,
            Scene.BOOK: self._book,
            Scene.ABANDON: self._abandon,
            Scene.CANCEL: self._cancel,
            Scene.MISS: self._miss,
            Scene.LOOK: self._look,
        }
        try:
            await acts[scene]()
        except Refused as refusal:
            self.tally.refusals[refusal.code] += 1

    async def _offer(self) -> None:
        diary = self.chance.choice(self.cast.diaries)
        wanted = self.chance.choice((1, 1, 2, 2, 3))
        for _ in range(OTHER_TIMES_MAX):
            now = datetime.now(UTC)
            visits = diary.player.is_professional
            slots = [
                plot.offer(self.chance, diary.schedule_id, now, visits=visits)
                for _ in range(wanted)
            ]
            try:
                answer = await diary.player.client.command("POST", "/slots", {"slots": slots})
            except Refused as refusal:
                if refusal.status != 409:
                    raise
                # The diary is taken then, by another run perhaps: ask for less, elsewhere.
                self.tally.refusals[refusal.code] += 1
                wanted = 1
                continue
            self.tally.offers += len(answer["slots"])
            self.offered += [(diary, slot["id"]) for slot in answer["slots"]]
            return

    async def _withdraw(self) -> None:
        if not self.offered:
            return
        diary, slot_id = self.offered.pop(self.chance.randrange(len(self.offered)))
        # With somebody in it the service asks first; then this one changes its mind.
        await diary.player.client.command("DELETE", f"/slots/{slot_id}")
        self.tally.withdrawals += 1

    async def _book(self) -> None:
        for _ in range(OTHER_SLOTS_MAX):
            player = self.chance.choice(self.cast.bookers)
            held = await self._hold(player)
            if held is None:
                continue
            hold, slot = held
            await self._think()
            try:
                if self.chance.random() < 0.1:
                    await player.client.command("POST", f"/holds/{hold['id']}/renew")
                    self.tally.renewals += 1
                appointment = await player.client.command(
                    "POST", f"/holds/{hold['id']}/confirm", self._why(slot)
                )
            except Refused as refusal:
                self.tally.refusals[refusal.code] += 1
                # What cannot be confirmed goes back at once; it may have ended by itself.
                with suppress(Refused):
                    await player.client.command("DELETE", f"/holds/{hold['id']}")
                continue
            self.tally.bookings += 1
            self.booked.append(Booking(player, appointment["id"]))
            return

    async def _abandon(self) -> None:
        for _ in range(OTHER_SLOTS_MAX):
            player = self.chance.choice(self.cast.bookers)
            if held := await self._hold(player):
                break
        else:
            return
        hold, slot = held
        self.tally.abandoned_holds += 1
        left = player.idle_holds.get(slot["territory"], 0)
        if left < IDLE_HOLDS_MAX and self.chance.random() < 0.3:
            player.idle_holds[slot["territory"]] = left + 1
            return  # it runs out by itself
        await self._think()
        await player.client.command("DELETE", f"/holds/{hold['id']}")

    async def _cancel(self) -> None:
        if not self.booked:
            return
        booking = self.booked.pop(self.chance.randrange(len(self.booked)))
        path = f"/appointments/{booking.appointment_id}/cancel"
        await booking.player.client.command("POST", path, {})
        self.tally.cancellations += 1

    async def _miss(self) -> None:
        player = self.chance.choice(self.cast.bookers)
        territory = self.chance.choice(player.books_in)
        before = datetime.now(UTC) + timedelta(hours=self.chance.choice(DELAYS_H))
        found = await player.client.get(
            "/slots",
            territory=territory,
            act=NOBODY_OFFERS,
            commune=self.chance.choice(self.communes[territory]),
            starts_before=rfc3339(before.replace(microsecond=0)),
        )
        self.tally.unmet_searches += not found["slots"]

    async def _look(self) -> None:
        """A professional opens the day: what is booked there counts as seen."""
        diary = self.chance.choice(self.cast.diaries)
        found = await diary.player.client.get("/appointments", side="professional")
        for appointment in found["appointments"]:
            if appointment["seen_at"] is None and appointment["status"] == "booked":
                await diary.player.client.command("POST", f"/appointments/{appointment['id']}/seen")
                self.tally.seen += 1

    async def _hold(self, player: Player) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Search and hold one of the first results; None where there is none, or one is late."""
        filters = {
            "territory": self.chance.choice(player.books_in),
            "status": "free",
            "limit": str(SEARCH_LIMIT),
        }
        if self.chance.random() < 0.4:
            filters["act"] = self.chance.choice(ASKED_ACTS)
        found = await player.client.get("/slots", **filters)
        own = set(player.diaries)
        free = [slot for slot in found["slots"] if slot["schedule"]["id"] not in own]
        if not free:
            self.tally.unmet_searches += not found["slots"]
            return None
        slot = self.chance.choice(free[:FIRST_RESULTS])
        try:
            hold = await player.client.command("POST", f"/slots/{slot['id']}/holds", {})
        except Refused as refusal:
            self.tally.refusals[refusal.code] += 1
            return None
        return hold, slot

    def _why(self, slot: dict[str, Any]) -> dict[str, str]:
        reason = self.chance.choice(list(catalogue.REASONS))
        if {"radiography", "ultrasound"} & set(slot["acts"]):
            reason = "imaging"
        hours = (datetime.fromisoformat(slot["starts_at"]) - datetime.now(UTC)) / timedelta(hours=1)
        urgency = "today" if hours < 8 else "within-24h" if hours < 24 else "within-48h"
        return {"reason": reason, "urgency": urgency}

    async def _think(self) -> None:
        if self.speed > 0:
            seconds = self.chance.uniform(*THINK_S) / self.speed
            await asyncio.sleep(min(seconds, THINK_MAX_S))
