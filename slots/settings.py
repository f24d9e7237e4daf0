"""What differs between installations: one frozen dataclass, read once, at start, and passed on.

The only reader of the environment. What never differs is a constant beside its use.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from slots.sealing import Sealer

HORIZON_HOURS_MAX: Final = 72  # hours; the SAS asks for no more
RATE_FACTOR_MAX: Final = 1_000
PORT_MAX: Final = 65_535
PROXIES_HERE: Final = "127.0.0.1,::1"
LOG_FORMATS: Final = ("text", "json")
SECOND_FACTORS: Final = ("required", "relaxed")
VAPID_PRIVATE_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes in base64url
CONTACT: Final = re.compile(r"mailto:\S+@\S+|https://[\w-]+(\.[\w-]+)+")
ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:\d+)?")


class SettingsError(Exception):
    """The environment does not say what is needed. The message names each variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one installation, each named as its variable in lower case."""

    database_url: str  # PostgreSQL, as the application's role, which owns nothing
    owner_database_url: str  # PostgreSQL, as the owner of the tables; "" where nobody migrates
    redis_url: str  # the broker: redis://, rediss://, redis+sentinel://, redis+cluster://
    queue_redis_url: str  # arq's queue: a single server
    base_url: str  # what people type, without a slash at the end
    host: str  # address to listen on
    port: int  # TCP port to listen on
    proxies: str  # addresses and networks of the proxies before us, with commas between
    data_dir: Path  # absolute; what is kept on disk
    smtp_url: str  # smtp://user:password@host:port; "" writes .eml files under data_dir/mail
    mail_from: str  # the sender of mails
    product_name: str  # what the pages call it
    horizon_hours: int  # hours ahead that a slot goes live
    log_format: str  # text or json
    vapid_private_key: str  # by which push services know us; "": nobody is told by Web Push
    vapid_contact: str  # whom push services may write to about us: mailto: or https:
    push_services: str  # origins of push services beside the known ones, with commas between
    secret_keys: str  # what seals secrets at rest, see slots/sealing.py; "": no authenticator apps
    psc_discovery_url: str  # Pro Santé Connect's discovery document; "": not offered
    psc_client_id: str  # as it knows us, and
    psc_client_secret: str  # our secret there; or
    psc_client_certificate: str  # a path: our certificate there (mTLS), and
    psc_client_key: str  # a path: its key, where the certificate's file has it not
    rate_factor: int  # times the usual that may be asked for: a hospital has one address
    second_factor: str  # required; or relaxed, on loopback only: who has none gets in without

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, str] | None = None, *, need_databases: bool = True
    ) -> Self:
        """Read the settings; the environment of this process where *environ* is None.

        With need_databases false, DATABASE_URL, REDIS_URL and SECRET_KEYS may be missing, and are
        "" then: whoever starts the databases fills them in.

        Raises:
            SettingsError: Something is missing or makes no sense; the message names all of it.
        """
        environ = environment() if environ is None else environ
        faults: list[str] = []

        def text(name: str, default: str = "") -> str:
            return environ.get(name, "").strip() or default

        def number(name: str, default: int, highest: int) -> int:
            written = text(name, str(default))
            if written.isascii() and written.isdigit() and 1 <= int(written) <= highest:
                return int(written)
            faults.append(f"{name} is {written!r}; it must be a number from 1 to {highest}")
            return default

        if need_databases:
            faults += [
                f"{name} is missing" for name in ("DATABASE_URL", "REDIS_URL") if not text(name)
            ]
        host = text("HOST", "127.0.0.1")
        port = number("PORT", 8048, PORT_MAX)
        redis_url = text("REDIS_URL")
        mail_from = text("MAIL_FROM", "48h-chrono@localhost")

        settings = cls(
            database_url=text("DATABASE_URL"),
            owner_database_url=text("OWNER_DATABASE_URL"),
            redis_url=redis_url,
            queue_redis_url=text("QUEUE_REDIS_URL", redis_url),
            base_url=text("BASE_URL").rstrip("/") or f"http://{_in_url(host)}:{port}",
            host=host,
            port=port,
            proxies=text("PROXIES", PROXIES_HERE),
            data_dir=Path(text("DATA_DIR", ".data")).expanduser().absolute(),
            smtp_url=text("SMTP_URL"),
            mail_from=mail_from,
            product_name=text("PRODUCT_NAME", "48H Chrono"),
            horizon_hours=number("HORIZON_HOURS", 48, HORIZON_HOURS_MAX),
            log_format=text("LOG_FORMAT", "text"),
            vapid_private_key=text("VAPID_PRIVATE_KEY").rstrip("="),
            vapid_contact=text("VAPID_CONTACT", f"mailto:{parseaddr(mail_from)[1]}"),
            push_services=text("PUSH_SERVICES"),
            secret_keys=text("SECRET_KEYS"),
            psc_discovery_url=text("PSC_DISCOVERY_URL"),
            psc_client_id=text("PSC_CLIENT_ID"),
            psc_client_secret=text("PSC_CLIENT_SECRET"),
            psc_client_certificate=text("PSC_CLIENT_CERTIFICATE"),
            psc_client_key=text("PSC_CLIENT_KEY"),
            rate_factor=number("RATE_FACTOR", 1, RATE_FACTOR_MAX),
            second_factor=text("SECOND_FACTOR", "required"),
        )
        faults += _faults(settings, need_keys=need_databases)
        if faults:
            raise SettingsError("; ".join(faults))
        return settings

    def to_environ(self) -> dict[str, str]:
        """The variables that make another process read the same settings."""
        return {field.name.upper(): str(getattr(self, field.name)) for field in fields(self)}

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach us: where demo accounts may exist."""
        return is_loopback(self.host)

    @property
    def has_proxies_elsewhere(self) -> bool:
        """Whether a proxy on another machine is believed when it says who asks."""
        return not all(_network(entry).is_loopback for entry in self.proxies.split(","))

    @property
    def push_service_origins(self) -> tuple[str, ...]:
        """The push services that this installation adds."""
        return tuple(origin.strip() for origin in self.push_services.split(",") if origin.strip())

    @property
    def is_factor_required(self) -> bool:
        """Whether nobody gets in by a password alone."""
        return self.second_factor == "required"

    @property
    def is_https(self) -> bool:
        """Whether people reach us over https: where the cookie is `__Host-`."""
        return self.base_url.startswith("https://")


def environment() -> dict[str, str]:
    """A copy of this process's environment, for its children."""
    return dict(os.environ)


def is_loopback(host: str) -> bool:
    """Whether *host* can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _faults(settings: Settings, *, need_keys: bool) -> list[str]:
    faults = _base_url_faults(settings.host, settings.base_url)
    if settings.log_format not in LOG_FORMATS:
        faults.append(f"LOG_FORMAT is {settings.log_format!r}; it must be one of {LOG_FORMATS}")
    faults += _push_faults(
        settings.vapid_private_key, settings.vapid_contact, settings.push_services
    )
    faults += _proxies_faults(settings.proxies)
    faults += _psc_faults(settings)
    return faults + _security_faults(settings, need_keys=need_keys)


def _psc_faults(settings: Settings) -> list[str]:
    url = settings.psc_discovery_url
    if not url:
        return []
    faults = []
    parts = urlsplit(url)
    if "/.well-known/" not in url or (
        parts.scheme != "https" and not is_loopback(parts.hostname or "")
    ):
        faults.append(
            f"PSC_DISCOVERY_URL is {url!r}; it must be like "
            "https://auth.example/.well-known/openid-configuration"
        )
    if not settings.psc_client_id:
        faults.append("PSC_CLIENT_ID is missing")
    if not settings.psc_client_secret and not settings.psc_client_certificate:
        faults.append("PSC_CLIENT_SECRET or PSC_CLIENT_CERTIFICATE is missing")
    if not settings.secret_keys:
        faults.append("SECRET_KEYS is missing, which seals what Pro Santé Connect answers")
    return faults


def _base_url_faults(host: str, base_url: str) -> list[str]:
    parts = urlsplit(base_url)
    if base_url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path):
        return [f"BASE_URL is {base_url!r}; it must be like https://chrono.example"]
    # Sessions over plain http off this machine would hand out cookies to whoever listens.
    if not is_loopback(host) and parts.scheme != "https":
        return [f"BASE_URL must begin with https:// when HOST ({host}) is not loopback"]
    return []


def _security_faults(settings: Settings, *, need_keys: bool) -> list[str]:
    faults = []
    is_public = not settings.on_loopback or settings.is_https
    if settings.second_factor not in SECOND_FACTORS:
        faults.append(
            f"SECOND_FACTOR is {settings.second_factor!r}; it must be one of {SECOND_FACTORS}"
        )
    if is_public and not settings.is_factor_required:
        faults.append("SECOND_FACTOR must be required where others than this machine come in")
    try:
        if not Sealer.of(settings.secret_keys).is_able and is_public and need_keys:
            faults.append("SECRET_KEYS is missing; .env.example says how to make one")
    except ValueError as error:
        faults.append(f"SECRET_KEYS: {error}")
    return faults


def _push_faults(vapid_private_key: str, vapid_contact: str, push_services: str) -> list[str]:
    faults = []
    # Not the key itself: faults are printed.
    if vapid_private_key and not VAPID_PRIVATE_KEY.fullmatch(vapid_private_key):
        faults.append("VAPID_PRIVATE_KEY must be 32 bytes in base64url")
    if vapid_private_key and not CONTACT.fullmatch(vapid_contact):
        faults.append(f"VAPID_CONTACT is {vapid_contact!r}; it must be like mailto:a@b.example")
    faults += [
        f"PUSH_SERVICES names {origin!r}; it must be like https://push.example"
        for origin in filter(None, map(str.strip, push_services.split(",")))
        if not ORIGIN.fullmatch(origin)
    ]
    return faults


def _proxies_faults(proxies: str) -> list[str]:
    try:
        for entry in proxies.split(","):
            _network(entry)
    except ValueError as error:
        return [f"PROXIES names {error}; it must be like 10.0.0.2,10.0.1.0/24"]
    return []


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(entry.strip())


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
