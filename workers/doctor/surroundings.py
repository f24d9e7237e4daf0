"""What is around: the web, the mail server, the disk, the demo's accounts, the time zones."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import aiosmtplib
import httpx

from slots.settings import Settings
from workers.demo.accounts import FILE_NAME as DEMO_ACCOUNTS
from workers.doctor.finding import Finding
from workers.post import SMTP_PORT, SMTPS_PORT

PROBE_TIMEOUT_S: Final = 5.0
GIB: Final = 1024**3
FREE_MIN_BYTES: Final = 1 * GIB
FREE_MIN_SHARE: Final = 0.05
READY: Final = "ok"


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything that is neither PostgreSQL nor Redis."""
    yield await _web(settings)
    if finding := _proxies(settings):
        yield finding
    yield await _mail(settings)
    yield _disk(settings.data_dir)
    yield _time_zone()
    demo = settings.data_dir / DEMO_ACCOUNTS
    if demo.exists() and not settings.on_loopback:
        yield Finding(
            "demo",
            f"HOST is {settings.host}, and {demo} holds passwords of demo accounts",
            "use an installation without the demo, or set HOST=127.0.0.1",
        )


async def _web(settings: Settings) -> Finding:
    url = f"{settings.base_url}/readyz"
    try:
        async with httpx.AsyncClient(timeout=PROBE_TIMEOUT_S, trust_env=False) as client:
            answer = await client.get(url)
            document = answer.json()
        status, missing = document["status"], document.get("missing", [])
    except httpx.HTTPError as error:
        words = str(error) or type(error).__name__
        return Finding(
            "web",
            f"{url} does not answer: {words}",
            "start it (`make run`, or `python -m web`); else check BASE_URL, the proxy, its certificate",
        )
    except (ValueError, KeyError, TypeError):
        return Finding(
            "web", f"{url} answers, but not as 48H Chrono", "BASE_URL leads to something else"
        )
    if status == READY:
        return Finding("web", f"{settings.base_url} is ready")
    said = f"{settings.base_url} is {status}"
    if missing:
        said += f", for want of {', '.join(missing)}"
    return Finding("web", said, "see the lines above")


def _proxies(settings: Settings) -> Finding | None:
    if settings.on_loopback:
        return None
    if settings.has_proxies_elsewhere:
        return Finding("proxies", f"{settings.proxies} may say who asks")
    return Finding(
        "proxies",
        f"HOST is {settings.host}, and only a proxy on this machine may say who asks: behind any "
        "other all share its address, and a stranger's wrong passwords delay everybody",
        "set PROXIES to the addresses of the proxies; HOST=127.0.0.1 where they are on this machine",
    )


async def _mail(settings: Settings) -> Finding:
    if not settings.smtp_url:
        folder = settings.data_dir / "mail"
        if settings.on_loopback:
            return Finding("mail", f"no SMTP_URL: mails are files in {folder}")
        return Finding(
            "mail",
            f"no SMTP_URL: mails stay in {folder} and reach nobody",
            "set SMTP_URL=smtp://user:password@host:587",
        )
    try:
        async with _smtp(settings.smtp_url):
            pass
    except ValueError as error:
        return Finding("mail", str(error), "correct SMTP_URL")
    except aiosmtplib.SMTPAuthenticationError as error:
        return Finding(
            "mail",
            f"the server refuses us: {error.message}",
            "correct user and password in SMTP_URL",
        )
    except (aiosmtplib.SMTPException, OSError) as error:
        return Finding(
            "mail",
            f"the server does not answer: {str(error) or type(error).__name__}",
            "check host, port and firewall of SMTP_URL; mails wait meanwhile",
        )
    return Finding("mail", "the mail server takes mails")


def _smtp(url: str) -> aiosmtplib.SMTP:
    """Connects, and signs in where the URL names somebody: as the worker would."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("SMTP_URL must be like smtp://user:password@host:587")
    is_tls = parts.scheme == "smtps"
    return aiosmtplib.SMTP(
        hostname=parts.hostname,
        port=parts.port or (SMTPS_PORT if is_tls else SMTP_PORT),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=is_tls,
        timeout=PROBE_TIMEOUT_S,
    )


def _disk(data_dir: Path) -> Finding:
    folder = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    if not os.access(folder, os.W_OK):
        return Finding("disk", f"{folder} cannot be written", "give DATA_DIR to this account")
    usage = shutil.disk_usage(folder)
    words = f"{usage.free / GIB:.1f} GiB free at {folder}"
    if usage.free < max(FREE_MIN_BYTES, FREE_MIN_SHARE * usage.total):
        # On a small disk a share of it would be a false alarm, hence the larger of both.
        return Finding("disk", f"only {words}", "make room: a full disk stops every booking")
    return Finding("disk", words)


def _time_zone() -> Finding:
    try:
        zone = ZoneInfo("Europe/Paris")
    except ZoneInfoNotFoundError:
        return Finding("time zone", "Europe/Paris is unknown here", "install the package tzdata")
    return Finding("time zone", f"{zone.key} is known")
