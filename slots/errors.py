"""Errors are answers: the class says why, `code` says it to machines, the docstring to people.

Losing a race is normal. `web/errors.py` has the only table from these classes to statuses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from slots.document import SlotDocument


class SlotError(Exception):
    """The request cannot be done."""

    code: ClassVar[str]

    def __init__(self, message: str = "") -> None:
        """Say *message*, or what the class says."""
        super().__init__(message or (self.__doc__ or "").strip())


# What the caller sent is wrong.


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to mend in what was sent: `slots[0].ends_at`, and a French sentence."""

    field: str
    message: str


class Invalid(SlotError):
    """Some fields cannot be accepted."""

    code = "invalid"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        """Name each field that is wrong."""
        super().__init__()
        self.errors = list(errors)


class IdempotencyMismatch(SlotError):
    """This key was used for another request."""

    code = "idempotency-mismatch"


# Who asks may not.


class NotAllowed(SlotError):
    """Your role does not allow this here."""

    code = "not-allowed"


class OriginNotYours(SlotError):
    """The origin of a booking follows from your role."""

    code = "origin-not-yours"


class HoldNotYours(SlotError):
    """Somebody else holds this seat."""

    code = "hold-not-yours"


# What is asked for is not there.


class SlotUnknown(SlotError):
    """There is no such slot."""

    code = "slot-unknown"


class ScheduleUnknown(SlotError):
    """There is no such schedule."""

    code = "schedule-unknown"


class AppointmentUnknown(SlotError):
    """There is no such appointment."""

    code = "appointment-unknown"


class ContactUnknown(SlotError):
    """No contact of the patient is kept for this appointment, or not any more."""

    code = "contact-unknown"


# The race was lost, or the world has changed: each may name other free slots.


class Conflict(SlotError):
    """The state of the slot does not allow this any more."""

    code = "conflict"

    def __init__(self, message: str = "", alternatives: Sequence[SlotDocument] = ()) -> None:
        """Name the next best free slots, where there are any."""
        super().__init__(message)
        self.alternatives = list(alternatives)


class SlotTaken(Conflict):
    """Somebody else was first."""

    code = "slot-taken"


class SlotWithdrawn(Conflict):
    """The professional has withdrawn this slot."""

    code = "slot-withdrawn"


class SlotChanged(Conflict):
    """The time, the place or the kind of care has changed since you held it."""

    code = "slot-changed"


class SlotNotLive(Conflict):
    """This slot cannot be booked now: it is over, or not yet open."""

    code = "slot-not-live"


class DailyCap(Conflict):
    """The professional takes no more patients that day."""

    code = "daily-cap"


class HoldExpired(Conflict):
    """The hold has ended; the seat may have gone to somebody else."""

    code = "hold-expired"


class HoldRenewed(Conflict):
    """A hold is renewed once only."""

    code = "hold-renewed"


class TooManyHolds(Conflict):
    """You hold as many seats as one account may."""

    code = "too-many-holds"


@dataclass(frozen=True, slots=True)
class OtherSlot:
    """What stands in the way: when, and at which place."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    place: str


class SlotOverlap(Conflict):
    """The practitioner has another slot at that time, or the service no free room."""

    code = "slot-overlap"

    def __init__(self, message: str = "", other: OtherSlot | None = None) -> None:
        """Name the slot that stands in the way, where it is a single one."""
        super().__init__(message)
        self.other = other


class SlotInUse(Conflict):
    """A seat of this slot is held or booked."""

    code = "slot-in-use"


class CapacityBelowTaken(Conflict):
    """More seats are taken than that."""

    code = "capacity-below-taken"


class SeatsBooked(Conflict):
    """Patients are expected in this slot: say that their bookings are to be cancelled."""

    code = "seats-booked"


class OverflowRefused(Conflict):
    """The professional takes no patients beyond the published slots."""

    code = "overflow-refused"


class AppointmentEnded(Conflict):
    """The appointment is no longer in a state that allows this."""

    code = "appointment-ended"


class ContactsOff(Conflict):
    """This territory keeps no contacts of patients."""

    code = "contacts-off"


class TooEarly(Conflict):
    """Nobody can know yet whether the patient comes."""

    code = "too-early"


# We cannot tell now: nothing is half done; ask again.


class Unavailable(SlotError):
    """The service cannot answer for the moment."""

    code = "unavailable"
    retry_after_s: ClassVar[int] = 2


class BrokerUnavailable(Unavailable):
    """The broker cannot be reached; nothing can be held or confirmed for the moment."""

    code = "broker-unavailable"


class Rebuilding(Unavailable):
    """The board is being rebuilt; ask again in a moment."""

    code = "rebuilding"


class LedgerUnavailable(Unavailable):
    """The database cannot be reached."""

    code = "ledger-unavailable"


class OutcomeUnknown(Unavailable):
    """The answer was lost on the way: repeat with the same key to learn what became of it."""

    code = "outcome-unknown"
