"""Slot: what may happen to a place in time. A newcomer reads this first.

A slot is a span `[starts_at, ends_at)` of a schedule with `capacity` seats. One seat makes it a
*créneau* (ROUTINE), more a *plage* (WALKIN). The ledger (PostgreSQL) says what exists and what is
booked; the broker (Redis) says what is held. Both speak FHIR's status words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from slots.audience import Audience
from slots.document import SlotCard, SlotDocument
from slots.ids import HoldId, PractitionerId, ScheduleId, SlotId, TerritoryId

HORIZON_DEFAULT: Final = timedelta(hours=48)  # slots that start within it are live
STARTED_GRACE: Final = timedelta(
    minutes=5
)  # a créneau may still be given this long after its start
OFFER_AHEAD_MAX: Final = timedelta(days=14)
DURATION_MAX: Final = timedelta(hours=24)
CAPACITY_MAX: Final = 50
NOTE_LENGTH_MAX: Final = 80

HOLD_FOR: Final = timedelta(minutes=3)  # where the territory has set nothing else
HOLDS_PER_ACCOUNT_MAX: Final = 5  # at a time, in one territory; the same
SEAL_FOR: Final = timedelta(seconds=30)  # an older seal belongs to a dead process: it is revoked


class SlotStatus(StrEnum):
    """FHIR's words (R4 SlotStatus), stored as they are."""

    FREE = "free"
    HELD = "busy-tentative"
    BUSY = "busy"
    UNAVAILABLE = "busy-unavailable"


# What each verb makes of a slot with one seat. What is not here is refused, in Lua as well:
# a test walks every pair of status and verb.
TRANSITIONS: Final = {
    (SlotStatus.FREE, "hold"): SlotStatus.HELD,
    (SlotStatus.HELD, "renew"): SlotStatus.HELD,
    (SlotStatus.HELD, "seal"): SlotStatus.HELD,
    (SlotStatus.HELD, "release"): SlotStatus.FREE,
    (SlotStatus.HELD, "expire"): SlotStatus.FREE,
    (SlotStatus.HELD, "confirm"): SlotStatus.BUSY,
    (SlotStatus.BUSY, "cancel"): SlotStatus.FREE,
    (SlotStatus.FREE, "withdraw"): SlotStatus.UNAVAILABLE,
    (SlotStatus.HELD, "withdraw"): SlotStatus.UNAVAILABLE,
    (SlotStatus.BUSY, "withdraw"): SlotStatus.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot as the ledger has it, with the seats that are booked (seat → the hold it came from).

    *horizon*: its territory's at this version; None: the installation's. Another horizon is another
    version of every slot that it moves, so that the newest wins here as well.
    """

    id: SlotId
    territory_id: TerritoryId
    schedule_id: ScheduleId
    practitioner_id: PractitionerId | None
    starts_at: datetime
    ends_at: datetime
    capacity: int
    modality: str
    audience: frozenset[Audience]
    version: int
    terms: int
    withdrawn: bool
    daily_cap: int | None
    seats: Mapping[int, HoldId | None]
    card: SlotCard
    horizon: timedelta | None = None

    @property
    def over_at(self) -> datetime:
        """When it can no longer be booked and leaves every board."""
        if self.capacity > 1:
            return self.ends_at
        return min(self.ends_at, self.starts_at + STARTED_GRACE)

    def live_from(self, usual: timedelta) -> datetime:
        """When it crosses the horizon and appears on the boards; *usual*: the installation's."""
        return self.starts_at - (self.horizon or usual)

    def is_live(self, now: datetime, usual: timedelta) -> bool:
        """Whether it is on the boards at *now*."""
        return not self.withdrawn and self.live_from(usual) <= now < self.over_at

    def free_seat(self) -> int | None:
        """The lowest seat without an appointment; None where as many are booked as there are."""
        if len(self.seats) >= self.capacity:
            return None
        return next(seat for seat in range(1, self.capacity + 1) if seat not in self.seats)

    def with_booking(self, seat: int, hold_id: HoldId) -> "Slot":
        """The slot one version later, when nothing but this booking has happened to it."""
        seats = dict(sorted({**self.seats, seat: hold_id}.items()))
        return replace(self, version=self.version + 1, seats=seats)

    def document(self) -> SlotDocument:
        """What the ledger alone can say in public: without the holds, which only Redis knows."""
        booked = len(self.seats)
        free = 0 if self.withdrawn else max(0, self.capacity - booked)
        return SlotDocument(
            **{name: getattr(self.card, name) for name in SlotCard.__struct_fields__},
            capacity=self.capacity,
            free=free,
            held=0,
            booked=booked,
            held_until=None,
            status=status(withdrawn=self.withdrawn, free=free, held=0),
            version=self.version,
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """A claim on one seat by one account until `expires_at`."""

    id: HoldId
    slot_id: SlotId
    seat: int
    expires_at: datetime


def status(*, withdrawn: bool, free: int, held: int) -> SlotStatus:
    """The one word for a slot with these counters."""
    if withdrawn:
        return SlotStatus.UNAVAILABLE
    if free > 0:
        return SlotStatus.FREE
    return SlotStatus.HELD if held > 0 else SlotStatus.BUSY
