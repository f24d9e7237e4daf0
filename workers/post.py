"""How a mail leaves: by SMTP, or as a file where no server is named."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from slots.settings import Settings, is_loopback

SMTP_TIMEOUT_S: Final = 10.0  # of one answer of the server
SMTP_PORT: Final = 587
SMTPS_PORT: Final = 465

# Takes a message away; raises aiosmtplib.SMTPException or OSError where it could not.
Carrier: TypeAlias = Callable[[EmailMessage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Post:
    """Who writes, who carries it away, and the address that its links begin with."""

    sender: str
    carry: Carrier
    base_url: str = ""


def post_of(settings: Settings) -> Post:
    """The way that the settings name.

    Raises:
        ValueError: SMTP_URL is neither smtp:// nor smtps://.
    """
    if not settings.smtp_url:
        return Post(settings.mail_from, _into(settings.data_dir / "mail"), settings.base_url)
    parts = urlsplit(settings.smtp_url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("SMTP_URL must be like smtp://user:password@host:587")
    return Post(settings.mail_from, _by_smtp(parts, parts.hostname), settings.base_url)


def _by_smtp(parts: SplitResult, host: str) -> Carrier:
    is_tls = parts.scheme == "smtps"
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    # Without credentials STARTTLS is taken where it is offered; a password never goes in clear.
    start_tls = True if username and not is_tls and not is_loopback(host) else None

    async def send(message: EmailMessage) -> None:
        await aiosmtplib.send(
            message,
            hostname=host,
            port=parts.port or (SMTPS_PORT if is_tls else SMTP_PORT),
            username=username,
            password=password,
            use_tls=is_tls,
            start_tls=None if is_tls else start_tls,
            timeout=SMTP_TIMEOUT_S,
        )

    return send


def _into(folder: Path) -> Carrier:
    async def write(message: EmailMessage) -> None:
        await asyncio.to_thread(_write, folder, message)

    return write


def _write(folder: Path, message: EmailMessage) -> None:
    """One file a mail, named by its id, so that writing it twice is writing it once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = message["Message-ID"].strip("<>").partition("@")[0]
    beside = folder / f"{name}.new"
    beside.touch(mode=0o600)
    beside.write_bytes(message.as_bytes())
    beside.replace(folder / f"{name}.eml")
