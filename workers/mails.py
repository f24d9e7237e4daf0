"""Sends the mails that transactions wrote. The rows are the truth; the queue only hurries."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

import aiosmtplib
import structlog

from slots.desk import Desk
from slots.ids import INSTALLATION, AccountId, TerritoryId
from slots.store.mail import Mail, mail_try_later, mail_was_sent, mails_to_send
from slots.store.ticket import Purpose, open_ticket
from slots.transaction import entered, looking
from workers.post import Post

MAILS_BATCH_MAX: Final = 50
SEND_FOR_S: Final = 45.0  # a batch, in all: shorter than the first delay, or two would send it
FIRST_DELAY: Final = timedelta(minutes=1)
DELAY_MAX: Final = timedelta(hours=6)
DOUBLINGS_MAX: Final = 10

log = structlog.get_logger()


async def send_mails(desk: Desk, post: Post, now: datetime) -> int:
    """Send what is due. Every few seconds; in several processes at once.

    Each mail is claimed before it is sent, by moving its next try ahead: nobody else takes it
    meanwhile, and if we die it is tried again, later and later. So a mail goes out twice only
    where we die between the server's word and our row. Returns how many were sent.

    Raises:
        LedgerUnavailable: What was not marked is tried again.
    """
    mails = await _claim(desk, now)
    sent = 0
    try:
        async with asyncio.timeout(SEND_FOR_S):
            for mail in mails:
                sent += await _send(desk, post, mail)
    except TimeoutError:
        log.warning("mail.slow", sent=sent, left=len(mails) - sent)
    return sent


def delay(attempts: int) -> timedelta:
    """How long to wait after this many tries before."""
    return min(FIRST_DELAY * (1 << min(attempts, DOUBLINGS_MAX)), DELAY_MAX)


def message_of(mail: Mail, *, sender: str, at: datetime) -> EmailMessage:
    """The mail as it travels. Its id makes a second copy recognisable.

    Raises:
        ValueError: What somebody typed as an address would be read as another, or as several.
    """
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(mail.recipients)
    if [address.addr_spec for address in message["To"].addresses] != list(mail.recipients):
        raise ValueError("a recipient is not one plain address")
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2].strip('> ') or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    return message


def _everywhere(desk: Desk) -> list[TerritoryId]:
    """All territories, and the installation, which writes to people about their accounts."""
    return [INSTALLATION, *desk.territories.by_id]


async def _with_link(desk: Desk, post: Post, mail: Mail, at: datetime) -> Mail:
    """The mail with the link that it promises, made as it leaves: at rest there is none to steal."""
    if mail.link is None or mail.account_id is None:
        return mail
    async with looking(desk.pool) as conn:
        token = await open_ticket(conn, Purpose(mail.link), AccountId(mail.account_id), at)
    return replace(mail, body=mail.body.replace("{link}", f"{post.base_url}/lien/{token}"))


async def _claim(desk: Desk, now: datetime) -> list[Mail]:
    async with entered(desk.pool, None, _everywhere(desk)) as conn:
        mails = await mails_to_send(conn, now, MAILS_BATCH_MAX)
        for mail in mails:
            await mail_try_later(conn, mail.id, now + delay(mail.attempts))
    return mails


async def _send(desk: Desk, post: Post, mail: Mail) -> bool:
    at = datetime.now(UTC)
    try:
        # Nobody may be left to write to: then it is done as well.
        if mail.recipients:
            mail = await _with_link(desk, post, mail, at)
            await post.carry(message_of(mail, sender=post.sender, at=at))
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        # Not the server's words: they may name the recipients.
        log.warning(
            "mail.failed",
            mail_id=str(mail.id),
            attempts=mail.attempts + 1,
            error=type(error).__name__,
            smtp_code=getattr(error, "code", None),
        )
        return False
    async with entered(desk.pool, None, _everywhere(desk)) as conn:
        await mail_was_sent(conn, mail.id, at)
    return True
