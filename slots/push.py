"""Web Push: which browsers may be told, of what, in which words, and when. Pure.

Never a word about a patient, nor of what they come for: a time, and the reference that people talk about.
A push is read on a locked screen, and passes through Google, Mozilla, Apple or Microsoft (encrypted).
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from slots.appointment import AppointmentStatus
from slots.french import day, hour
from slots.quiet_hours import QuietHours

REMIND_AHEAD: Final = timedelta(minutes=60)  # a booking that nobody has seen by then
REMIND_AFTER: Final = timedelta(minutes=15)  # not sooner after a late booking: it was told just now
ATTEMPTS_MAX: Final = 6  # of one push: half an hour in all
SUBSCRIPTIONS_MAX: Final = 10  # browsers of one person; the oldest gives way
ENDPOINT_LENGTH_MAX: Final = 1_024
PATH: Final = "/disponibilites"  # where a tap on the notification leads

# The push services of the browsers. Endpoints come from whoever is signed in: without this list
# they could have us send requests to any address, those behind our own walls among them.
PUSH_SERVICES: Final = frozenset(
    {
        "fcm.googleapis.com",  # Chrome, Edge on Android, Samsung, Opera
        "updates.push.services.mozilla.com",  # Firefox
        "web.push.apple.com",  # Safari
    }
)
PUSH_SERVICE_SUFFIXES: Final = (".notify.windows.com", ".push.apple.com")  # Edge; Safari
# Narrower than a URL may be: no user, no port, no other way to name a host for any parser.
ENDPOINT: Final = re.compile(r"https://(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)/[!-~]+")

AUTH_BYTES: Final = 16


class Tells(StrEnum):
    """What a push tells of an appointment."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    UNSEEN = "unseen"  # the reminder


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser at its push service. *endpoint* is a secret: never logged, never shown."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Push:
    """One thing to tell one browser, with the appointment as it stands now."""

    id: UUID
    tells: Tells
    attempts: int
    appointment_id: UUID
    reference: str
    starts_at: datetime
    status: AppointmentStatus
    is_seen: bool
    is_known: bool  # whether this person knows of the booking
    subscription: Subscription | None  # None: they may not act for the schedule any more
    quiet_hours: QuietHours | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What the phone shows. A newer one of the same *tag* replaces an older one."""

    title: str
    body: str
    tag: str
    path: str = PATH


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: their quiet hours last until then."""

    until: datetime


class Drop:
    """Nobody needs to be told any more."""


Step: TypeAlias = Notice | Wait | Drop


def step(push: Push, now: datetime) -> Step:
    """What becomes of a push that is due.

    Quiet hours hold for reminders too: whoever chose them was promised silence, and the referrer
    reads "pas encore vu", with the number to call.
    """
    if now >= push.starts_at or push.attempts >= ATTEMPTS_MAX or not _is_news(push):
        return Drop()
    if push.quiet_hours and (ends_at := push.quiet_hours.end_after(now)):
        return Wait(ends_at)
    return notice(push)


def _is_news(push: Push) -> bool:
    if push.subscription is None:
        return False
    if push.tells is Tells.CANCELLED:
        # A booking that came and went before it could be told needs no word.
        return push.status is AppointmentStatus.CANCELLED and push.is_known
    return push.status is AppointmentStatus.BOOKED and not push.is_seen


def notice(push: Push) -> Notice:
    """The words. The day is named: a phone may have been off since."""
    at = hour(push.starts_at)
    title = {
        Tells.BOOKED: f"Un rendez-vous à {at}",
        Tells.CANCELLED: f"Rendez-vous de {at} annulé",
        Tells.UNSEEN: f"Pas encore vu\u00a0: un rendez-vous à {at}",
    }[push.tells]
    when = day(push.starts_at, year=False)
    return Notice(title, f"{when.capitalize()}, référence {push.reference}", push.reference)


def is_push_service(endpoint: str, others: Iterable[str] = ()) -> bool:
    """Whether a push may be sent there. *others*: origins that this installation adds."""
    if len(endpoint) > ENDPOINT_LENGTH_MAX:
        return False
    if any(origin and endpoint.startswith(f"{origin}/") for origin in others):
        return True
    found = ENDPOINT.fullmatch(endpoint)
    if found is None:
        return False
    host = found["host"]
    return host in PUSH_SERVICES or host.endswith(PUSH_SERVICE_SUFFIXES)


def from_base64url(text: str) -> bytes | None:
    """The bytes of unpadded base64url; None where it is something else."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+={0,2}", text):
        return None
    bare = text.rstrip("=")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return None


def base64url(data: bytes) -> str:
    """Base64url without padding, as all of Web Push writes it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
