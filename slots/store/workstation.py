"""The workstations of regulation rooms in the ledger. Of a link and of a cookie only hashes are kept.

The ledger asks by itself whether whoever has entered administers the installation, and whether a
workstation counts for whoever signs in there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from slots import queries
from slots.database import Connection
from slots.ids import AccountId, OrganisationId
from slots.secret_id import hash_of, new_secret_id
from slots.store.session import SESSION_FOR

WORKSTATION_FOR: Final = timedelta(days=365)  # then an administrator looks at it again
LINK_FOR: Final = timedelta(hours=24)  # to walk to the PC
SHIFT_FOR: Final = SESSION_FOR  # what a password opens there; nothing makes it longer

QUERIES: Final = queries.load("workstation.sql")


@dataclass(frozen=True, slots=True)
class Workstation:
    """One that is registered, as an administrator sees it. Not confirmed: its link was not used yet."""

    id: UUID
    name: str
    organisation: str
    is_confirmed: bool
    registered_by: str
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Offered:
    """What a link makes of the PC where it is opened."""

    id: UUID
    name: str
    organisation: str
    expires_at: datetime


async def regulation_organisations(conn: Connection) -> dict[OrganisationId, str]:
    """The organisations that may have workstations, by name."""
    rows = await QUERIES["regulation_organisations"].many(conn)
    return {OrganisationId(row["id"]): row["name"] for row in rows}


async def add(
    conn: Connection, organisation_id: OrganisationId, name: str, now: datetime
) -> tuple[UUID, str] | None:
    """Register one. Returns its id and the secret of its link, which is told once.

    None: whoever has entered may not, or the organisation is none of regulation.
    """
    workstation_id, secret = uuid4(), new_secret_id()
    is_added = await QUERIES["add_workstation"].value(
        conn,
        workstation_id=workstation_id,
        organisation_id=organisation_id,
        name=name,
        link_hash=hash_of(secret),
        now=now,
        link_until=now + LINK_FOR,
        until=now + WORKSTATION_FOR,
    )
    return (workstation_id, secret) if is_added else None


async def registered(conn: Connection, now: datetime) -> list[Workstation]:
    """The live ones, for an administrator; nothing for anybody else."""
    return [
        Workstation(**dict(row)) for row in await QUERIES["workstations_at"].many(conn, now=now)
    ]


async def offered_by(conn: Connection, link: str, now: datetime) -> Offered | None:
    """What the link is good for; None where it is too late, used or revoked. Spends nothing."""
    row = await QUERIES["workstation_of_link"].one(conn, link_hash=hash_of(link), now=now)
    return Offered(**dict(row)) if row else None


async def confirm(conn: Connection, link: str, now: datetime) -> str | None:
    """Spend the link. Returns the secret of the PC's cookie; None as `offered_by`, or just done."""
    secret = new_secret_id()
    is_done = await QUERIES["confirm_workstation"].value(
        conn, link_hash=hash_of(link), secret_hash=hash_of(secret), now=now
    )
    return secret if is_done else None


async def revoke(conn: Connection, workstation_id: UUID, now: datetime) -> bool:
    """It counts no more, and what was opened there ends. False: there was none, or not for us."""
    return bool(
        await QUERIES["revoke_workstation"].value(conn, workstation_id=workstation_id, now=now)
    )


async def open_session_at(
    conn: Connection,
    secret_hash: bytes,
    session_hash: bytes,
    account_id: AccountId,
    now: datetime,
    device: str,
) -> UUID | None:
    """Begin a session of SHIFT_FOR for who has shown their password there. Returns the workstation.

    None: it is no live workstation, or the account is no regulator of its organisation.
    """
    found: UUID | None = await QUERIES["open_session_at_workstation"].value(
        conn,
        secret_hash=secret_hash,
        session_hash=session_hash,
        account_id=account_id,
        now=now,
        until=now + SHIFT_FOR,
        device=device,
    )
    return found
