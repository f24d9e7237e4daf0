"""`/disponibilites/notifications`: which browsers of a person are told of bookings, and when not."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from typing import Any, Final
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from slots import vapid
from slots.database import Connection
from slots.errors import FieldError, Invalid
from slots.french import on_the_wall
from slots.push import REMIND_AHEAD, SUBSCRIPTIONS_MAX, Subscription, is_push_service
from slots.quiet_hours import QuietHours
from slots.settings import Settings
from slots.store import push as store
from slots.transaction import entered
from web.api.endpoint import now_of
from web.pages.page import AVAILABILITY, Viewer, form_fields, posted, publisher_of, see_other
from web.refusals import NotFound
from web.state import State

NOTICES: Final = {
    "averti": "Noté : cet appareil vous avertit.",
    "plus-averti": "Noté : l’appareil ne vous avertit plus.",
    "calme": "Noté : rien ne sonne pendant vos heures calmes.",
    "plus-calme": "Noté : vous êtes averti à toute heure.",
}
QUIET_BY_DEFAULT: Final = QuietHours.between(time(21), time(7))  # proposed, not chosen
FINGERPRINT_LENGTH: Final = 16  # characters: enough for a browser to find itself among a few
UNKNOWN_SERVICE: Final = "Ce navigateur passe par un service de notifications inconnu d’ici."
NOT_HOURS: Final = "Donnez deux heures différentes, par exemple 21:00 et 07:00."

# A page is drawn often, and the key pair is one for all.
_public_key: Final = cache(vapid.public_key)


@dataclass(frozen=True, slots=True)
class Device:
    """A browser of this person. Its endpoint is a secret; the browser knows itself by a hash."""

    id: UUID
    fingerprint: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Notifications:
    """What the page shows."""

    key: str
    devices: tuple[Device, ...]
    quiet_hours: QuietHours | None
    is_open: bool

    @property
    def proposed(self) -> QuietHours:
        """What the fields hold."""
        return self.quiet_hours or QUIET_BY_DEFAULT

    @property
    def quiet_said(self) -> str:
        """`21 h à 7 h`."""
        hours = self.quiet_hours
        return f"{on_the_wall(hours.begin)} à {on_the_wall(hours.end)}" if hours else ""

    @property
    def remind_ahead_min(self) -> int:
        """How long before an appointment somebody is reminded of it."""
        return int(REMIND_AHEAD.total_seconds()) // 60


async def notifications_of(
    conn: Connection, settings: Settings, query: Mapping[str, str]
) -> Notifications | None:
    """What the account that entered has chosen; None where the service has no key to push with."""
    if not settings.vapid_private_key:
        return None
    devices = await store.own_subscriptions(conn)
    return Notifications(
        key=_public_key(settings.vapid_private_key),
        devices=tuple(
            Device(one.id, _fingerprint(one.endpoint), one.created_at) for one in devices
        ),
        quiet_hours=await store.own_quiet_hours(conn),
        is_open=query.get("fait") in NOTICES,
    )


async def subscribe(request: Request[State]) -> Response:
    """Tell this browser from now on. Safe to repeat."""
    viewer, form = await _posted(request)
    subscription = Subscription(
        form.get("endpoint", ""), form.get("p256dh", ""), form.get("auth", "")
    )
    others = request.state["settings"].push_service_origins
    if not is_push_service(subscription.endpoint, others):
        raise Invalid([FieldError("endpoint", UNKNOWN_SERVICE)])
    if not vapid.is_a_browsers(subscription):
        raise Invalid([FieldError("p256dh", "Le navigateur n’a pas donné de clés valables.")])
    async with _entered(request, viewer) as conn:
        await store.subscribe(conn, uuid4(), subscription, now_of(request), SUBSCRIPTIONS_MAX)
    return see_other(AVAILABILITY.path, fait="averti")


async def unsubscribe(request: Request[State]) -> Response:
    """Tell one of the person's browsers no more. Safe to repeat."""
    viewer, _ = await _posted(request)
    async with _entered(request, viewer) as conn:
        await store.unsubscribe(conn, request.path_params["subscription_id"])
    return see_other(AVAILABILITY.path, fait="plus-averti")


async def choose_quiet_hours(request: Request[State]) -> Response:
    """From when to when nothing is pushed; or at no time."""
    viewer, form = await _posted(request)
    hours = None
    if form.get("none") != "1":
        try:
            hours = QuietHours.between(
                time.fromisoformat(form.get("from", "")), time.fromisoformat(form.get("to", ""))
            )
        except ValueError:
            raise Invalid([FieldError("to", NOT_HOURS)]) from None
    async with _entered(request, viewer) as conn:
        await store.set_quiet_hours(conn, viewer.account.id, hours, now_of(request))
    return see_other(AVAILABILITY.path, fait="calme" if hours else "plus-calme")


async def _posted(request: Request[State]) -> tuple[Viewer, dict[str, str]]:
    viewer = await publisher_of(request)
    if not request.state["settings"].vapid_private_key:
        raise NotFound
    return viewer, dict(form_fields(await posted(request)))


def _entered(request: Request[State], viewer: Viewer) -> Any:
    return entered(request.state["desk"].pool, viewer.account.id, viewer.account.reach)


def _fingerprint(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()[:FINGERPRINT_LENGTH]
