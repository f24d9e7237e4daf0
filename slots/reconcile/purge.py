"""Takes away the patients' contacts that nobody may read any more."""

from datetime import datetime

from slots.desk import Desk
from slots.store.patient_contact import purge_contacts
from slots.transaction import deciding


async def purge(desk: Desk, now: datetime) -> int:
    """Purge late contacts, those of ended bookings, and those of territories that keep none any more.

    In all territories at once; the audit has a row for each that went, and its chain goes on. No
    reading waits for it: what is late at *now* is told to nobody already. Returns how many went.

    Raises:
        LedgerUnavailable, OutcomeUnknown: The next round takes the same and more.
    """
    async with deciding(desk.pool) as conn:
        return await purge_contacts(conn, now)
