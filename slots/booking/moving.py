"""move, with the patient's contact: sealed anew for the new booking, after the move is committed."""

from contextlib import suppress
from datetime import datetime

from slots.account import Account
from slots.appointment import Appointment
from slots.booking import appointments
from slots.booking.contacts import (
    SUBJECT,
    for_a_side,
    found_for,
    kept_until,
    opened,
    seal,
    terms_of,
)
from slots.database import Connection
from slots.desk import Desk
from slots.errors import AppointmentEnded, ContactsOff, ContactUnknown
from slots.ids import AppointmentId, HoldId
from slots.patient_contact import PatientContact
from slots.search import HOME
from slots.store import patient_contact as store
from slots.store.appointment import lock_appointment
from slots.store.audit import record
from slots.store.idempotency import Key
from slots.store.patient_contact import SealedContact
from slots.transaction import entered, retried


async def move(
    desk: Desk,
    account: Account,
    appointment_id: AppointmentId,
    hold_id: HoldId,
    key: Key,
    now: datetime,
    *,
    reason: str | None = None,
    urgency: str | None = None,
) -> Appointment:
    """Move a booking as `appointments.move` does, and its patient's contact along. Raises as that.

    Repeating it takes along what a first try had no time to.
    """
    moved = await appointments.move(
        desk, account, appointment_id, hold_id, key, now, reason=reason, urgency=urgency
    )
    await carry_along(desk, account, appointment_id, moved.id, now)
    return moved


async def carry_along(
    desk: Desk, account: Account, old_id: AppointmentId, new_id: AppointmentId, now: datetime
) -> bool:
    """Seal the old booking's contact for the new one, with the new one's end. False: there was none.

    Where the new territory takes none, or nothing is booked there any more, it is only taken away.
    An address stays behind where nobody goes to the patient's home any more.
    """

    async def attempt() -> bool:
        async with entered(desk.pool, account.id, account.reach) as conn:
            kept = await store.contact_of(conn, old_id, now)
            if kept is None:
                return False
            new = for_a_side(account, await lock_appointment(conn, new_id))
            old = await found_for(conn, account, old_id)
            if old.moved_to != new.id:
                return False
            with suppress(ContactUnknown, ContactsOff, AppointmentEnded):
                await _seal_anew(conn, desk, account, opened(desk, old, kept), kept, new, now)
            await store.erase_contact(conn, old.id)
            await record(conn, old.territory_id, account.id, "erase-contact", SUBJECT, [old.id])
            return True

    return await retried(attempt)


async def _seal_anew(
    conn: Connection,
    desk: Desk,
    account: Account,
    contact: PatientContact,
    kept: SealedContact,
    new: Appointment,
    now: datetime,
) -> None:
    """What of a contact the new booking has a use for, with the new booking's end."""
    terms = await terms_of(conn, new)
    until = kept_until(desk, new, terms, now)
    if terms.modality != HOME:
        contact = PatientContact(contact.name, contact.birth_year, contact.phone)
    if contact.is_empty:
        return
    await seal(conn, desk, new, contact, kept.written_at, until)
    await record(conn, new.territory_id, account.id, "carry-contact", SUBJECT, [new.id])
