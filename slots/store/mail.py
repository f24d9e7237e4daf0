"""Mails that transactions write and a worker sends. Rows are the truth; a mail is only a copy."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from slots import queries
from slots.database import Connection

QUERIES: Final = queries.load("mail.sql")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to send."""

    id: UUID
    subject: str
    body: str
    attempts: int
    account_id: UUID | None
    link: str | None  # what `{link}` in the body becomes: a ticket of this purpose
    recipients: list[str]  # as of now; perhaps nobody


async def mails_to_send(conn: Connection, now: datetime, limit: int) -> list[Mail]:
    """Mails whose time has come, locked until the end of the transaction."""
    rows = await QUERIES["mails_to_send"].many(conn, now=now, limit_rows=limit)
    return [Mail(**dict(row)) for row in rows]


async def mail_was_sent(conn: Connection, mail_id: UUID, at: datetime) -> None:
    """It is out: never again."""
    await QUERIES["mail_was_sent"].none(conn, id=mail_id, at=at)


async def mail_try_later(conn: Connection, mail_id: UUID, next_try_at: datetime) -> None:
    """It could not be sent."""
    await QUERIES["mail_try_later"].none(conn, id=mail_id, next_try_at=next_try_at)


async def forget_old_mails(conn: Connection, before: datetime) -> int:
    """Forget mails that left before then. Returns how many."""
    return int(await QUERIES["forget_old_mails"].value(conn, before=before))
