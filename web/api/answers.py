"""What the API answers, beside the slot documents of `slots.document`. These shapes bind."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from slots.account import Account
from slots.appointment import Appointment
from slots.audience import Role
from slots.document import LocationDocument, ScheduleDocument, SlotDocument
from slots.patient_contact import KeptContact
from slots.publishing import Publishing
from slots.second_factor import Factor
from slots.slot import Hold
from slots.store.appointment import AppointmentView
from slots.territory import Territories


class Answer(msgspec.Struct, frozen=True):
    """An object whose fields are all there, always."""


class AccountAnswer(Answer, frozen=True):
    """Who is signed in."""

    id: UUID
    name: str


class RoleAnswer(Answer, frozen=True):
    """One role in one territory, and the schedules that it acts for there."""

    role: str
    territory: str
    schedule_ids: list[UUID]


class SessionAnswer(Answer, frozen=True):
    """Who is signed in, as what. *territories*: all that can be read, one's own first."""

    account: AccountAnswer
    roles: list[RoleAnswer]
    territories: list[str]


class FactorsAnswer(Answer, frozen=True):
    """The password was right; one of *factors* is due, with the ticket, before *expires_at*.

    Where there are none, the account has no second factor yet: a person adds one on the page
    /connexion.
    """

    ticket: str
    factors: list[Factor]
    expires_at: datetime


class PasskeyAnswer(Answer, frozen=True):
    """What to ask the passkey for: *options* is what `navigator.credentials.get` takes, as JSON."""

    ticket: str
    options: dict[str, Any]


class LockAnswer(Answer, frozen=True):
    """Whether a PC's session is locked, and else in how many seconds, if nobody is there.

    *opened_by*: what its owner has; where there is nothing, they sign in again.
    """

    account: AccountAnswer
    locked: bool
    locks_in_s: int
    opened_by: list[Literal["pin", "passkey"]]


class SlotsAnswer(Answer, frozen=True):
    """Slots that were made."""

    slots: list[SlotDocument]


class FoundSlot(SlotDocument, frozen=True, kw_only=True):
    """A slot that was found. *distance_km*, as the crow flies, where a place was given.

    It is null for what happens at a distance anyway.
    """

    distance_km: float | msgspec.UnsetType | None = msgspec.UNSET


class FoundAnswer(Answer, frozen=True):
    """What was found, and where each territory's log stood. *ledger*: without the live holds."""

    at: dict[str, str]
    source: Literal["broker", "ledger"]
    slots: list[FoundSlot]


class RawFoundAnswer(Answer, frozen=True):
    """The same, from documents that are JSON already."""

    at: dict[str, str]
    source: Literal["broker", "ledger"]
    slots: list[msgspec.Raw]


class HoldAnswer(Answer, frozen=True):
    """A seat that waits for its confirmation until *expires_at*."""

    id: UUID
    slot_id: UUID
    seat: int
    expires_at: datetime


class BookedByAnswer(Answer, frozen=True):
    """Whom to call about a booking."""

    name: str
    organisation: str
    phone: str


class AppointmentAnswer(Answer, frozen=True):
    """One booking, with nothing about the patient. *reference* is to be spoken."""

    id: UUID
    reference: str
    territory: str
    schedule_id: UUID
    slot_id: UUID | None
    seat: int | None
    starts_at: datetime
    status: str
    origin: str
    reason: str
    urgency: str
    overflow: bool
    booked_by: BookedByAnswer
    booked_at: datetime
    seen_at: datetime | None
    cancelled_at: datetime | None
    patient_to_tell: bool
    patient_told_at: datetime | None
    moved_to: UUID | None


class ListedAppointment(AppointmentAnswer, frozen=True, kw_only=True):
    """A booking in a list, with whom and where."""

    schedule: ScheduleDocument
    ends_at: datetime | None


class AppointmentsAnswer(Answer, frozen=True):
    """Bookings, by start."""

    appointments: list[ListedAppointment]


class ContactAnswer(Answer, frozen=True):
    """A patient's contact, kept until *purge_at*; what was left out is empty, or null."""

    name: str
    birth_year: int | None
    phone: str
    address: str
    written_at: datetime
    purge_at: datetime


class PlaceAnswer(Answer, frozen=True):
    """Where somebody works, with the schedule that a booking there goes to; null is not known.

    *schedule_id* is null for those whose time cannot be booked here. *publishing*: free, there are
    *free* places now; none, publishes and has no free place; silent, could publish and does not;
    unknown, nobody here can say.
    """

    schedule_id: UUID | None
    territory: str
    location: LocationDocument
    address: str
    access: str
    step_free: bool | None
    parking: bool | None
    new_patients: bool | None
    referral: str
    acts: list[str]
    accepts_overflow: bool
    publishing: Publishing
    free: int
    distance_km: float | None


class PractitionerAnswer(Answer, frozen=True):
    """One line of the directory."""

    id: UUID
    name: str
    profession: str
    specialty: str | None
    skills: list[str]
    languages: list[str]
    places: list[PlaceAnswer]


class PractitionersAnswer(Answer, frozen=True):
    """By name; the likest first where words are given, the nearest where a place is.

    *exact*: false where nothing has every word that was given, and these only come near.
    """

    exact: bool
    practitioners: list[PractitionerAnswer]


class ServiceAnswer(Answer, frozen=True):
    """A healthcare service, such as a radiology department."""

    id: UUID
    name: str
    profession: str | None
    specialty: str | None
    place: PlaceAnswer


class ServicesAnswer(Answer, frozen=True):
    """In the order of PractitionersAnswer."""

    exact: bool
    services: list[ServiceAnswer]


class ActAnswer(Answer, frozen=True):
    """What can be offered in a territory, and what the patient must bring."""

    territory: str
    code: str
    label: str
    preparation: str
    prescription_required: bool


class CodeAnswer(Answer, frozen=True):
    """A coded word of a territory and its French label."""

    territory: str
    code: str
    label: str


class CatalogueAnswer(Answer, frozen=True):
    """The coded words of territories, in the order in which to show them."""

    acts: list[ActAnswer]
    reasons: list[CodeAnswer]
    urgencies: list[CodeAnswer]


class CommuneAnswer(Answer, frozen=True):
    """A commune; *lat* and *lon* in degrees, WGS 84."""

    insee: str
    name: str
    postcodes: list[str]
    lat: float
    lon: float


class CommunesAnswer(Answer, frozen=True):
    """By name."""

    communes: list[CommuneAnswer]


class HealthAnswer(Answer, frozen=True):
    """*missing*: what does not answer, of postgresql and redis."""

    status: Literal["ok", "degraded", "unavailable"]
    missing: list[str]


def session_answer(account: Account, territories: Territories) -> SessionAnswer:
    """Who is signed in, as what."""
    own = sorted(account.roles)
    return SessionAnswer(
        account=AccountAnswer(account.id, account.name),
        roles=[
            RoleAnswer(
                role,
                territories.by_id[territory_id].slug,
                _schedules(account, role, territory_id),
            )
            for territory_id in own
            for role in sorted(account.roles[territory_id])
        ],
        territories=[
            territories.by_id[territory_id].slug
            for territory_id in [*own, *sorted(account.neighbours - set(own))]
        ],
    )


def hold_answer(hold: Hold) -> HoldAnswer:
    """A hold as the API says it."""
    return HoldAnswer(hold.id, hold.slot_id, hold.seat, hold.expires_at)


def appointment_answer(appointment: Appointment, territories: Territories) -> AppointmentAnswer:
    """A booking as the API says it."""
    return AppointmentAnswer(**_fields(appointment, territories))


def contact_answer(kept: KeptContact) -> ContactAnswer:
    """A contact as the API says it."""
    contact = kept.contact
    return ContactAnswer(
        contact.name,
        contact.birth_year,
        contact.phone,
        contact.address,
        kept.written_at,
        kept.purge_at,
    )


def listed_appointment(view: AppointmentView, territories: Territories) -> ListedAppointment:
    """A booking as lists say it."""
    return ListedAppointment(
        **_fields(view.appointment, territories),
        schedule=view.schedule,
        ends_at=view.slot.ends_at if view.slot else None,
    )


def _fields(appointment: Appointment, territories: Territories) -> dict[str, Any]:
    booked_by = appointment.booked_by
    same = {
        name: getattr(appointment, name)
        for name in AppointmentAnswer.__struct_fields__
        if name not in ("territory", "booked_by")
    }
    return same | {
        "territory": territories.by_id[appointment.territory_id].slug,
        "booked_by": BookedByAnswer(booked_by.name, booked_by.organisation, booked_by.phone),
    }


def _schedules(account: Account, role: Role, territory_id: int) -> list[UUID]:
    if role not in (Role.PROFESSIONAL, Role.DELEGATE):
        return []
    return sorted(
        schedule_id for schedule_id, lies_in in account.schedules.items() if lies_in == territory_id
    )
