"""Patients' contacts in the ledger, as they are sealed. Row level security shows each to its two sides."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from slots import queries
from slots.database import Connection
from slots.ids import AppointmentId, TerritoryId

QUERIES: Final = queries.load("patient_contact.sql")


@dataclass(frozen=True, slots=True)
class ContactTerms:
    """What decides whether a contact may be left. *kept_h*: hours after *ends_at*; None: not here."""

    ends_at: datetime
    modality: str | None  # None: of an overflow, which has no slot
    kept_h: int | None


@dataclass(frozen=True, slots=True)
class SealedContact:
    """A row of the table `patient_contact`."""

    sealed: bytes
    written_at: datetime
    purge_at: datetime


async def contact_terms(conn: Connection, appointment_id: AppointmentId) -> ContactTerms | None:
    """The terms of one appointment; None where it is behind a wall or unknown."""
    row = await QUERIES["contact_terms"].one(conn, appointment_id=appointment_id)
    return ContactTerms(row["ends_at"], row["modality"], row["contact_kept_h"]) if row else None


async def put_contact(
    conn: Connection, appointment_id: AppointmentId, territory_id: TerritoryId, one: SealedContact
) -> None:
    """The appointment's contact from now on."""
    await QUERIES["put_contact"].none(
        conn,
        appointment_id=appointment_id,
        territory_id=territory_id,
        sealed=one.sealed,
        written_at=one.written_at,
        purge_at=one.purge_at,
    )


async def contact_of(
    conn: Connection, appointment_id: AppointmentId, now: datetime
) -> SealedContact | None:
    """The contact that is kept at *now*; None where there is none for whoever has entered."""
    row = await QUERIES["contact_of"].one(conn, appointment_id=appointment_id, now=now)
    return SealedContact(**dict(row)) if row else None


async def contacts_kept(
    conn: Connection, appointment_ids: Iterable[AppointmentId], now: datetime
) -> frozenset[AppointmentId]:
    """Those of these appointments that have a contact for whoever has entered."""
    rows = await QUERIES["contacts_kept"].many(conn, appointment_ids=list(appointment_ids), now=now)
    return frozenset(AppointmentId(row["appointment_id"]) for row in rows)


async def erase_contact(conn: Connection, appointment_id: AppointmentId) -> bool:
    """Take it away. False where there was none."""
    return bool(await QUERIES["erase_contact"].value(conn, appointment_id=appointment_id))


async def purge_contacts(conn: Connection, now: datetime) -> int:
    """Take away what nobody may read any more, in all territories. Returns how many went."""
    return int(await QUERIES["purge_contacts"].value(conn, now=now))
