"""What the ledger knows of Pro Santé Connect: whose number it is, and who asks to be let in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from slots import queries
from slots.database import Connection
from slots.ids import AccountId, TerritoryId
from slots.letters import Letter
from slots.secret_id import hash_of, new_secret_id
from slots.store.ticket import GOOD_FOR, Purpose

QUERIES: Final = queries.load("pro_sante_connect.sql")


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody who asks to be let into a territory. All but address and place of work is Pro Santé
    Connect's word.
    """

    id: UUID
    rpps: str
    name: str
    email: str
    organisation: str
    asked_at: datetime
    profession: str | None  # TRE_G15; None: it did not say
    specialty: str | None  # TRE_R38


async def account_of_rpps(conn: Connection, rpps: str) -> AccountId | None:
    """The account of this number; None where nobody who may sign in has it."""
    account_id = await QUERIES["account_of_rpps"].value(conn, rpps=rpps)
    return AccountId(account_id) if account_id else None


async def keep_id_token(conn: Connection, session_hash: bytes, sealed_token: bytes) -> None:
    """Keep what signs out of Pro Santé Connect too."""
    await QUERIES["keep_id_token"].none(conn, session_hash=session_hash, sealed_token=sealed_token)


async def id_token_of(conn: Connection, session_hash: bytes) -> bytes | None:
    """What was kept, sealed; None for a session that was opened otherwise."""
    sealed: bytes | None = await QUERIES["id_token_of"].value(conn, session_hash=session_hash)
    return sealed


def new_ticket_id() -> str:
    """The id of a ticket that is to be sealed with its own content."""
    return new_secret_id()


async def open_psc_ticket(
    conn: Connection, ticket_id: str, purpose: Purpose, now: datetime, sealed: bytes
) -> None:
    """A ticket that nobody's account is behind yet, with what the next step must know."""
    await QUERIES["open_psc_ticket"].none(
        conn,
        id_hash=hash_of(ticket_id),
        purpose=purpose.value,
        at=now,
        expires_at=now + GOOD_FOR[purpose],
        sealed=sealed,
    )


async def ask_admission(conn: Connection, territory_id: TerritoryId, asked: Admission) -> None:
    """Ask the territory's coordinator; asked again before an answer, it is the same question."""
    await QUERIES["ask_admission"].value(
        conn,
        id=asked.id,
        territory_id=territory_id,
        rpps=asked.rpps,
        name=asked.name,
        email=asked.email,
        organisation=asked.organisation,
        at=asked.asked_at,
        profession=asked.profession,
        specialty=asked.specialty,
    )


async def write_to_address(conn: Connection, address: str, letter: Letter, now: datetime) -> None:
    """A mail to an address that is nobody's yet; the transaction has entered the installation."""
    await QUERIES["write_to_address"].none(
        conn,
        mail_id=uuid4(),
        recipient=address,
        subject=letter.subject,
        body=letter.body,
        at=now,
    )


async def admissions(conn: Connection, territory_id: TerritoryId) -> list[Admission]:
    """Who waits for an answer, the longest first."""
    rows = await QUERIES["admissions"].many(conn, territory_id=territory_id)
    return [Admission(**dict(row)) for row in rows]


async def decide_admission(
    conn: Connection, admission_id: UUID, now: datetime, *, is_let_in: bool
) -> bool:
    """Let somebody in, or not. False: not for whoever has entered, decided already, or address taken."""
    found = await QUERIES["decide_admission"].value(
        conn, id=admission_id, is_let_in=is_let_in, account_id=uuid4(), at=now
    )
    return found is not None


async def forget_old_admissions(conn: Connection, before: datetime) -> int:
    """Forget who asked to be let in and was answered, or was not, before then. Returns how many."""
    return int(await QUERIES["forget_old_admissions"].value(conn, before=before))
