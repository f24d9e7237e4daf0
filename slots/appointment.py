"""Appointment: a seat made true in PostgreSQL, and what may become of it."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from slots.ids import AccountId, AppointmentId, OrganisationId, ScheduleId, SlotId, TerritoryId

# Letters and digits that cannot be mistaken for one another on the phone (no 0/O, 1/I).
REFERENCE_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
REFERENCE_LENGTH: Final = 6
OUTCOME_AHEAD: Final = timedelta(minutes=15)  # patients may be early, and seen early
CALL_AFTER: Final = timedelta(minutes=10)  # a patient still not told: say whom to call
# NGAP 14.1.3: the SNP supplement is paid for 20 patients a week and doctor at most. Whoever is sent
# one more is seen all the same: a warning, never a refusal.
REGULATED_A_WEEK_MAX: Final = 20


class AppointmentStatus(StrEnum):
    """FHIR's words (R4 AppointmentStatus), stored as they are."""

    BOOKED = "booked"
    FULFILLED = "fulfilled"
    NOSHOW = "noshow"
    CANCELLED = "cancelled"


class Origin(StrEnum):
    """Who sent the patient; derived from the acting role."""

    REFERRER = "referrer"
    REGULATION = "regulation"
    EMERGENCY = "emergency"
    SELF = "self"


class Side(StrEnum):
    """Which side cancelled. The professional's side leaves a patient to tell."""

    REFERRER = "referrer"
    PROFESSIONAL = "professional"
    MOVE = "move"


# The table is the documentation: what is not in it is refused.
TRANSITIONS: Final = {
    (AppointmentStatus.BOOKED, "cancel"): AppointmentStatus.CANCELLED,
    (AppointmentStatus.BOOKED, "fulfil"): AppointmentStatus.FULFILLED,
    (AppointmentStatus.BOOKED, "noshow"): AppointmentStatus.NOSHOW,
    (AppointmentStatus.FULFILLED, "noshow"): AppointmentStatus.NOSHOW,  # a slip of the thumb
    (AppointmentStatus.NOSHOW, "fulfil"): AppointmentStatus.FULFILLED,
}


@dataclass(frozen=True, slots=True)
class BookedBy:
    """Whom to call about this booking."""

    name: str
    organisation: str
    phone: str


@dataclass(frozen=True, slots=True)
class Appointment:
    """One booking, with the people to call about it and nothing about the patient."""

    id: AppointmentId
    territory_id: TerritoryId
    schedule_id: ScheduleId
    slot_id: SlotId | None
    seat: int | None
    reference: str
    status: AppointmentStatus
    origin: Origin
    reason: str
    urgency: str
    starts_at: datetime
    booked_by: BookedBy
    booked_by_account_id: AccountId
    booked_by_organisation_id: OrganisationId
    booked_at: datetime
    seen_at: datetime | None
    outcome_at: datetime | None
    cancelled_at: datetime | None
    cancelled_by_side: Side | None
    patient_told_at: datetime | None
    moved_to: AppointmentId | None
    address_told_at: datetime | None = None

    @property
    def overflow(self) -> bool:
        """Whether it is a surnuméraire: without a seat, traced as such."""
        return self.slot_id is None

    @property
    def outcome_from(self) -> datetime:
        """When it may first be said whether the patient came."""
        return self.starts_at - OUTCOME_AHEAD

    @property
    def patient_to_tell(self) -> bool:
        """Whether the referrer's organisation still has a patient to tell (design, §6.7)."""
        return (
            self.status is AppointmentStatus.CANCELLED
            and self.cancelled_by_side is Side.PROFESSIONAL
            and self.patient_told_at is None
        )


def new_reference() -> str:
    """Six characters to be spoken on the phone; unique per territory by a constraint."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))
