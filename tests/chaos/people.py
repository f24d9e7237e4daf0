"""People at their screens: state machines that book, dither, give up, cancel, move, offer, withdraw.

What they ask and hear goes into the history. An answer that never came is unknown, and stays so.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from slots.audience import Role
from slots.ids import TerritoryId
from tests.bench.client import Answer
from tests.chaos.asking import Asker, passes, word_of
from tests.chaos.ground import CRENEAU, Ground, Place
from tests.proof.history import DONE, Recorder

CHOICE = {"reason": "pain", "urgency": "today"}
THINKS_S = 0.25  # between two deeds, on average
READS_S = 0.4  # what is on the screen, before it is confirmed, at most
BOOKINGS_KEPT = 12  # who has more cancels some
HOT_FOR_S = 2.0  # how long everybody wants the same slots of a territory
HOT_SLOTS = 3
WANTS_A_HOT_ONE = 0.35


@dataclass(frozen=True)
class Held:
    id: str
    place: Place


@dataclass(frozen=True)
class Booked:
    id: str
    place: Place


class Town:
    """What all of them share: the slots there are, the history, and what was confirmed to whom."""

    def __init__(self, ground: Ground, history: Recorder) -> None:
        self.ground, self.history = ground, history
        self.confirmed: list[dict[str, Any]] = []
        self.operations = 0  # commands whose outcome was heard
        self.by_id: dict[str, Place] = {}
        self.by_territory: defaultdict[TerritoryId, list[Place]] = defaultdict(list)
        for place in ground.places:
            self.know(place)

    def know(self, place: Place) -> None:
        self.by_id[place.id] = place
        self.by_territory[place.territory].append(place)


class Somebody:
    """What every kind of person can do: ask, and have it written down."""

    def __init__(self, town: Town, asker: Asker) -> None:
        self.town, self.asker, self.random = town, asker, asker.random
        self.me, self.history = asker.person, town.history

    async def live(self) -> None:
        while not self.asker.over.is_set():
            await self.act()
            await passes(self.random.expovariate(1 / THINKS_S), self.asker.over)

    async def act(self) -> None:
        raise NotImplementedError

    async def ask(
        self, verb: str, slot: str | None, path: str, body: Any = None, method: str = "POST", **told
    ) -> tuple[int, Answer | None]:
        """Ask, and note the question. Returns its number, for `heard`."""
        number = self.history.called(self.me.name, verb, slot, **told)
        return number, await self.asker.command(verb, method, path, body)

    def heard(self, number: int, answer: Answer | None, **facts: Any) -> bool:
        """Note the answer. Returns whether it was done."""
        word = None if answer is None else word_of(answer)
        if word is None:
            return False
        self.town.operations += 1
        self.history.returned(number, word, **(facts if word == DONE else {}))
        return word == DONE

    async def hold(self, place: Place) -> tuple[Held | None, Answer | None]:
        number, answer = await self.ask(
            *("hold", place.id, f"/api/v1/slots/{place.id}/holds"),
            account=str(self.me.id),
            hears=self.me.hears,
        )
        if answer is None or answer.status != 201:
            self.heard(number, answer)
            return None, answer
        hold = answer.json()
        until = self.history.instant(datetime.fromisoformat(hold["expires_at"]))
        self.heard(number, answer, hold=hold["id"], seat=hold["seat"], until=until)
        return Held(hold["id"], place), answer

    async def confirm(self, held: Held) -> Booked | None:
        told = {"account": str(self.me.id), "hold": held.id}
        number, answer = await self.ask(
            "confirm", held.place.id, f"/api/v1/holds/{held.id}/confirm", CHOICE, **told
        )
        return self._booked(number, answer, held)

    def _booked(self, number: int, answer: Answer | None, held: Held) -> Booked | None:
        if answer is None or answer.status not in (200, 201):
            self.heard(number, answer)
            return None
        appointment = answer.json()
        self.heard(number, answer, appointment=appointment["id"], seat=appointment["seat"])
        self.town.confirmed.append(
            {
                "appointment": appointment["id"],
                "slot": held.place.id,
                "seat": appointment["seat"],
                "hold": held.id,
                "to": self.me.name,
            }
        )
        return Booked(appointment["id"], held.place)

    async def cancel(self, booked: Booked) -> bool:
        path = f"/api/v1/appointments/{booked.id}/cancel"
        number, answer = await self.ask("cancel", booked.place.id, path, appointment=booked.id)
        return self.heard(number, answer)


class Referrer(Somebody):
    """A GP or a regulator: wants a seat now, and changes their mind."""

    def __init__(self, town: Town, asker: Asker) -> None:
        super().__init__(town, asker)
        self.abandoned: list[Held] = []
        self.bookings: list[Booked] = []

    async def act(self) -> None:
        dice = self.random.random()
        if len(self.bookings) > BOOKINGS_KEPT or (self.bookings and dice < 0.12):
            await self.cancel(self.bookings.pop(self.random.randrange(len(self.bookings))))
        elif self.bookings and dice < 0.20:
            await self.move()
        else:
            await self.book()

    def wanted(self) -> Place:
        """Mostly any slot; often one that everybody wants just now."""
        territory = self.random.choice(self.me.territories)
        places = self.town.by_territory[territory]
        if self.random.random() > WANTS_A_HOT_ONE:
            return self.random.choice(places)
        hot = int(time.monotonic() / HOT_FOR_S) * HOT_SLOTS * 7
        return places[(hot + self.random.randrange(HOT_SLOTS)) % len(places)]

    async def gets_a_seat(self) -> Held | None:
        held, answer = await self.hold(self.wanted())
        if held is None and answer is not None:
            word = word_of(answer)
            if word == "too-many-holds" and self.abandoned:
                await self.release(self.abandoned.pop())
            for place in self.alternatives(answer):
                held, _ = await self.hold(place)
                return held
        return held

    def alternatives(self, answer: Answer) -> Iterator[Place]:
        """The first that the refusal names and that we know."""
        for slot in answer.json().get("alternatives", []):
            if place := self.town.by_id.get(slot["id"]):
                yield place

    async def book(self) -> None:
        held = await self.gets_a_seat()
        if held is None:
            return
        await passes(self.random.random() * READS_S)
        dice = self.random.random()
        if dice < 0.05:
            self.abandoned.append(held)
        elif dice < 0.15:
            await self.release(held)
        else:
            if dice < 0.25:
                await self.renew(held)
            if booked := await self.confirm(held):
                self.bookings.append(booked)

    async def renew(self, held: Held) -> None:
        told = {"account": str(self.me.id), "hold": held.id}
        number, answer = await self.ask(
            "renew", held.place.id, f"/api/v1/holds/{held.id}/renew", **told
        )
        until = None
        if answer is not None and answer.status == 200:
            until = self.history.instant(datetime.fromisoformat(answer.json()["expires_at"]))
        self.heard(number, answer, until=until)

    async def release(self, held: Held) -> None:
        told = {"account": str(self.me.id), "hold": held.id}
        path = f"/api/v1/holds/{held.id}"
        number, answer = await self.ask("release", held.place.id, path, None, "DELETE", **told)
        self.heard(number, answer)

    async def move(self) -> None:
        """In the history a confirmation here and a cancellation there: each slot is judged alone."""
        old = self.bookings.pop(self.random.randrange(len(self.bookings)))
        held = await self.gets_a_seat()
        if held is None:
            return
        leaving = self.history.called(self.me.name, "cancel", old.place.id, appointment=old.id)
        told = {"account": str(self.me.id), "hold": held.id}
        number = self.history.called(self.me.name, "confirm", held.place.id, **told)
        path = f"/api/v1/appointments/{old.id}/move"
        answer = await self.asker.command("move", "POST", path, {"hold_id": held.id})
        if answer is not None and answer.status == 200:
            self.history.returned(leaving, DONE)
            self.bookings += [one for one in [self._booked(number, answer, held)] if one]
        elif answer is not None and answer.status < 500:
            # A refusal, its own or that of a try whose answer was lost, may lie in the other slot;
            # whatever it was, it has ended the hold.
            self.history.returned(number, "appointment-ended")


class Delegate(Somebody):
    """A secretary: offers, amends, withdraws, and cancels for the professional."""

    def __init__(self, town: Town, asker: Asker) -> None:
        super().__init__(town, asker)
        self.own = [
            p for p in town.by_territory[self.me.territories[0]] if p.schedule in self.me.schedules
        ]

    async def act(self) -> None:
        dice = self.random.random()
        if dice < 0.45:
            await self.offer()
        elif dice < 0.65:
            await self.amend(self.random.choice(self.own))
        elif dice < 0.85 and len(self.own) > 1:
            await self.withdraw(self.own.pop(self.random.randrange(len(self.own))))
        else:
            await self.tend()

    async def offer(self) -> None:
        starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(
            minutes=self.random.randrange(60, 2_700)
        )
        schedule, capacity = self.random.choice(self.me.schedules), self.random.choice((1, 1, 1, 2))
        slot = {
            "schedule_id": str(schedule),
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + CRENEAU).isoformat(),
            "capacity": capacity,
            "audience": ["CPTS", "SNP"],
        }
        number, answer = await self.ask(
            *("offer", None, "/api/v1/slots", {"slots": [slot]}),
            capacity=capacity,
            audience=slot["audience"],
        )
        made = answer.json()["slots"][0]["id"] if answer and answer.status == 201 else None
        if self.heard(number, answer, slot=made) and made is not None:
            place = Place(made, self.me.territories[0], capacity, ("CPTS", "SNP"), schedule)
            self.town.know(place)
            self.own.append(place)

    async def amend(self, place: Place) -> None:
        """A note is no matter of seats, hence not in the history; screens must show it."""
        note = self.random.choice(("Sonner deux fois", "Rez-de-chaussée", None))
        await self.asker.command("amend", "PATCH", f"/api/v1/slots/{place.id}", {"note": note})

    async def withdraw(self, place: Place) -> None:
        for cancel_booked in (False, True):
            query = "?cancel_booked=true" if cancel_booked else ""
            number, answer = await self.ask(
                *("withdraw", place.id, f"/api/v1/slots/{place.id}{query}", None, "DELETE"),
                cancel_booked=cancel_booked,
            )
            self.heard(number, answer)
            if answer is None or word_of(answer) != "seats-booked":
                return

    async def tend(self) -> None:
        """Look who comes; mark one seen, or cancel it."""
        path = "/api/v1/appointments?side=professional"
        answer = await self.asker.once("list", self.random.choice(self.asker.ways), "GET", path)
        if answer is None or answer.status != 200:
            return
        expected = [
            one
            for one in answer.json()["appointments"]
            if one["status"] == "booked" and one["slot_id"]
        ]
        if not expected:
            return
        one = self.random.choice(expected)
        place = self.town.by_id.get(one["slot_id"])
        if place is None or self.random.random() < 0.5:
            path = f"/api/v1/appointments/{one['id']}/seen"
            await self.asker.command("seen", "POST", path)
        else:
            await self.cancel(Booked(one["id"], place))


def person_of(town: Town, asker: Asker) -> Somebody:
    """Whoever it is behind the screen."""
    kind = Delegate if asker.person.role is Role.DELEGATE else Referrer
    return kind(town, asker)
