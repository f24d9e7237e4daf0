"""The patient's contact of a booking: leave, read and erase it. `moving` takes it along.

Beside the bookings, never in their way: each has a transaction of its own, after theirs. Writing
and reading leave an audit row each, with ids only; what was read is told after that is committed.
Where a booking is cancelled nobody reads its contact any more, and a worker takes it away; but
whoever must still tell the patient of it may.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

import structlog

from slots.account import Account
from slots.appointment import Appointment, AppointmentStatus
from slots.booking import appointments
from slots.database import Connection
from slots.desk import Desk
from slots.errors import (
    AppointmentEnded,
    AppointmentUnknown,
    ContactsOff,
    ContactUnknown,
    Invalid,
    SlotError,
)
from slots.ids import AppointmentId
from slots.patient_contact import (
    KeptContact,
    PatientContact,
    as_bytes,
    field_errors,
    from_bytes,
    place_of,
    purge_instant,
    tidied,
)
from slots.rights import Action
from slots.sealing import Unsealable
from slots.search import HOME
from slots.store import patient_contact as store
from slots.store.appointment import appointments as appointments_by_id
from slots.store.appointment import lock_appointment
from slots.store.audit import record
from slots.store.idempotency import Key
from slots.store.patient_contact import ContactTerms, SealedContact
from slots.transaction import entered, retried

SUBJECT: Final = "appointment"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ContactState:
    """What a page may say of a booking's contact without opening it.

    *until*: when one that is left now would go; None: none may be left. *kept*: one is there.
    """

    until: datetime | None
    kept: SealedContact | None


async def write(
    desk: Desk,
    account: Account,
    appointment_id: AppointmentId,
    contact: PatientContact,
    now: datetime,
) -> KeptContact:
    """Leave this contact, instead of what was there. Safe to repeat.

    Raises:
        ContactsOff: The territory takes none, or the installation has no key to seal it with.
        AppointmentEnded: It is not booked any more, or its contact would be purged already.
        Invalid: Some of it cannot be accepted.
        AppointmentUnknown: There is none, or it concerns others.
    """
    contact = tidied(contact)

    async def attempt() -> KeptContact:
        async with entered(desk.pool, account.id, account.reach) as conn:
            # Nobody cancels it meanwhile: nothing is left on what has ended.
            found = for_a_side(account, await lock_appointment(conn, appointment_id))
            terms = await terms_of(conn, found)
            until = kept_until(desk, found, terms, now)
            if errors := field_errors(contact, terms.modality, now):
                raise Invalid(errors)
            await seal(conn, desk, found, contact, now, until)
            await record(conn, found.territory_id, account.id, "write-contact", SUBJECT, [found.id])
        return KeptContact(contact, now, until)

    return await retried(attempt)


async def read(
    desk: Desk, account: Account, appointment_id: AppointmentId, now: datetime
) -> KeptContact:
    """The contact that was left. Whoever goes to the patient's home knows the address then.

    Raises:
        ContactUnknown: There is none, or not any more.
        AppointmentEnded: The booking was cancelled, and nobody is left to tell.
        AppointmentUnknown: There is none, or it concerns others.
        OutcomeUnknown: Nobody knows whether the reading was written down; nothing is told.
    """
    async with entered(desk.pool, account.id, account.reach) as conn:
        found = await found_for(conn, account, appointment_id)
        if not is_readable(found):
            raise AppointmentEnded
        kept = await store.contact_of(conn, found.id, now)
        if kept is None:
            raise ContactUnknown
        modality = (await terms_of(conn, found)).modality
        await record(conn, found.territory_id, account.id, "read-contact", SUBJECT, [found.id])
    contact = opened(desk, found, kept)
    goes_there = modality == HOME and account.acts_for(found.schedule_id)
    if contact.address and goes_there and _is_address_due(found):
        with suppress(SlotError):  # what was read and written down is told in any case
            await appointments.address_told(desk, account, found.id, Key(str(uuid4()), b""), now)
    return KeptContact(contact, kept.written_at, kept.purge_at)


async def erase(desk: Desk, account: Account, appointment_id: AppointmentId, now: datetime) -> None:
    """Take the contact away, whatever became of the booking. Safe to repeat.

    Raises:
        AppointmentUnknown: There is none, or it concerns others.
    """
    async with entered(desk.pool, account.id, account.reach) as conn:
        found = await found_for(conn, account, appointment_id)
        if await store.erase_contact(conn, found.id):
            await record(conn, found.territory_id, account.id, "erase-contact", SUBJECT, [found.id])


async def state(
    conn: Connection, desk: Desk, account: Account, found: Appointment, now: datetime
) -> ContactState:
    """What a page says of a booking that is already known to be the account's business."""
    kept = await store.contact_of(conn, found.id, now) if is_readable(found) else None
    try:
        return ContactState(kept_until(desk, found, await terms_of(conn, found), now), kept)
    except (ContactsOff, AppointmentEnded):
        return ContactState(None, kept)


def is_readable(found: Appointment) -> bool:
    """Whether a contact of this booking still serves somebody."""
    return found.status is not AppointmentStatus.CANCELLED or found.patient_to_tell


async def found_for(
    conn: Connection, account: Account, appointment_id: AppointmentId
) -> Appointment:
    """The booking, for one of its two sides.

    Raises:
        AppointmentUnknown: There is none, or it concerns others.
    """
    found = (await appointments_by_id(conn, [appointment_id])).get(appointment_id)
    return for_a_side(account, found)


def for_a_side(account: Account, found: Appointment | None) -> Appointment:
    """What was found, if the matrix says so; row level security says the same once more.

    Raises:
        AppointmentUnknown: There is none, or it concerns others.
    """
    if found is None:
        raise AppointmentUnknown
    is_side = account.is_side_of(found)
    if not account.may(Action.CONTACT, found.territory_id, is_own=is_side):
        raise AppointmentUnknown
    return found


async def terms_of(conn: Connection, found: Appointment) -> ContactTerms:
    """What decides whether this booking takes a contact."""
    terms = await store.contact_terms(conn, found.id)
    assert terms is not None, "it was found a moment ago"
    return terms


def kept_until(desk: Desk, found: Appointment, terms: ContactTerms, now: datetime) -> datetime:
    """When a contact that is left at *now* goes.

    Raises:
        ContactsOff, AppointmentEnded: None may be left.
    """
    if terms.kept_h is None or not desk.sealer.is_able:
        raise ContactsOff
    until = purge_instant(terms.ends_at, terms.kept_h)
    if found.status is not AppointmentStatus.BOOKED or until <= now:
        raise AppointmentEnded
    return until


async def seal(
    conn: Connection,
    desk: Desk,
    found: Appointment,
    contact: PatientContact,
    written_at: datetime,
    until: datetime,
) -> None:
    """Keep it for this booking, and for no other row."""
    sealed = desk.sealer.seal(as_bytes(contact), place_of(found.id, found.territory_id))
    one = SealedContact(sealed, written_at, until)
    await store.put_contact(conn, found.id, found.territory_id, one)


def opened(desk: Desk, found: Appointment, kept: SealedContact) -> PatientContact:
    """What was sealed.

    Raises:
        ContactUnknown: No key of ours opens it.
    """
    try:
        return from_bytes(desk.sealer.open(kept.sealed, place_of(found.id, found.territory_id)))
    except Unsealable as error:
        # Its key was taken out of SECRET_KEYS too soon: the operator must learn of it.
        log.exception("contact.unsealable", appointment_id=str(found.id))
        raise ContactUnknown from error


def _is_address_due(found: Appointment) -> bool:
    return found.status is AppointmentStatus.BOOKED and found.address_told_at is None
