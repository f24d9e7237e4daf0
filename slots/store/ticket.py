"""Tickets in the ledger: what is under way before a session. Only hashes of their ids are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from slots import queries
from slots.database import Connection
from slots.ids import AccountId
from slots.letters import Letter
from slots.secret_id import hash_of, new_secret_id

TRIES_MAX: Final = 5  # answers that one ticket listens to
ASKED_AGAIN_AFTER: Final = timedelta(minutes=5)  # a link is written at most this often
FORGOTTEN_AFTER: Final = timedelta(days=7)  # until then a late link can be asked for again

QUERIES: Final = queries.load("ticket.sql")


class Purpose(StrEnum):
    """What a ticket is for."""

    SIGN_IN = "sign-in"  # the password was right: a second factor is due
    PASSKEY = "passkey"  # a passkey will say who it is
    ENROL = "enrol"  # the password was right, and there is no second factor yet
    ADD = "add"  # somebody signed in adds a factor
    INVITATION = "invitation"  # by mail
    RESET = "reset"  # by mail: a new password
    PSC = "psc"  # Pro Santé Connect was asked who it is
    ADMISSION = "admission"  # it has said who it is, and we know nobody of that number
    ADDRESS = "address"  # by mail: whoever asks for admission reads what is written there


GOOD_FOR: Final = {
    Purpose.SIGN_IN: timedelta(minutes=10),
    Purpose.PASSKEY: timedelta(minutes=5),
    Purpose.ENROL: timedelta(minutes=30),
    Purpose.ADD: timedelta(minutes=30),
    Purpose.INVITATION: timedelta(hours=24),
    Purpose.RESET: timedelta(hours=1),
    Purpose.PSC: timedelta(minutes=10),
    Purpose.ADMISSION: timedelta(minutes=30),
    Purpose.ADDRESS: timedelta(hours=24),
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is under way, and for whom. *secret* is sealed."""

    id_hash: bytes
    account_id: AccountId | None
    email: str
    name: str
    purpose: Purpose
    expires_at: datetime
    secret: bytes | None


async def open_ticket(
    conn: Connection,
    purpose: Purpose,
    account_id: AccountId | None,
    now: datetime,
    challenge: bytes | None = None,
) -> str:
    """A new ticket. Returns its id, which is told to one browser and kept nowhere."""
    ticket_id = new_secret_id()
    await QUERIES["open_ticket"].none(
        conn,
        id_hash=hash_of(ticket_id),
        account_id=account_id,
        purpose=purpose.value,
        at=now,
        expires_at=now + GOOD_FOR[purpose],
        challenge=challenge,
    )
    return ticket_id


async def ticket_at(conn: Connection, id_hash: bytes, now: datetime) -> Ticket | None:
    """The ticket; None where it is spent, too old, or its account disabled."""
    row = await QUERIES["ticket_at"].one(conn, id_hash=id_hash, at=now)
    if row is None:
        return None
    return Ticket(
        id_hash=id_hash,
        account_id=AccountId(row["account_id"]) if row["account_id"] else None,
        email=row["email"] or "",
        name=row["name"] or "",
        purpose=Purpose(row["purpose"]),
        expires_at=row["expires_at"],
        secret=row["secret"],
    )


async def try_ticket(conn: Connection, id_hash: bytes, now: datetime) -> bool:
    """Count an answer before it is looked at. False where it must not be: too many, or too late."""
    return bool(await QUERIES["try_ticket"].value(conn, id_hash=id_hash, most=TRIES_MAX, at=now))


async def spend_ticket(conn: Connection, id_hash: bytes, now: datetime) -> bool:
    """Whether the caller, and nobody else, may act on it now."""
    return bool(await QUERIES["spend_ticket"].value(conn, id_hash=id_hash, at=now))


async def spend_tickets_of(conn: Connection, account_id: AccountId, now: datetime) -> None:
    """End all that the account has under way."""
    await QUERIES["spend_tickets_of"].none(conn, account_id=account_id, at=now)


async def put_into_ticket(
    conn: Connection, id_hash: bytes, *, challenge: bytes | None = None, secret: bytes | None = None
) -> None:
    """Keep what the next step needs."""
    await QUERIES["put_into_ticket"].none(conn, id_hash=id_hash, challenge=challenge, secret=secret)


async def take_challenge(conn: Connection, id_hash: bytes, now: datetime) -> bytes | None:
    """The challenge, for the first who asks."""
    challenge: bytes | None = await QUERIES["take_challenge"].value(conn, id_hash=id_hash, at=now)
    return challenge


async def forget_old_tickets(conn: Connection, before: datetime) -> int:
    """Drop those that were too old before *before*. Returns how many."""
    return int(await QUERIES["forget_old_tickets"].value(conn, before=before))


async def ask_new_password(conn: Connection, email: str, letter: Letter, now: datetime) -> None:
    """Write the mail with the link, where somebody has this address. Tells nobody whether."""
    await QUERIES["ask_new_password"].none(
        conn,
        email=email,
        mail_id=uuid4(),
        subject=letter.subject,
        body=letter.body,
        at=now,
        not_since=now - ASKED_AGAIN_AFTER,
    )


async def ask_link_again(
    conn: Connection, id_hash: bytes, letters: Mapping[Purpose, Letter], now: datetime
) -> None:
    """Another mail to whoever a late link was for: the letter of its purpose. Tells nobody whether."""
    await QUERIES["ask_link_again"].none(
        conn,
        id_hash=id_hash,
        mail_id=uuid4(),
        purposes=[purpose.value for purpose in letters],
        subjects=[letter.subject for letter in letters.values()],
        bodies=[letter.body for letter in letters.values()],
        at=now,
        not_since=now - ASKED_AGAIN_AFTER,
    )


async def write_to_account(
    conn: Connection, account_id: UUID, letter: Letter, now: datetime
) -> None:
    """A mail to one person about their account; the transaction has entered the installation."""
    await QUERIES["write_to_account"].none(
        conn,
        mail_id=uuid4(),
        account_id=account_id,
        subject=letter.subject,
        body=letter.body,
        at=now,
    )
