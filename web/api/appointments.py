"""Bookings: the lists, and what may become of one."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.appointment import Appointment
from slots.booking import appointments as booking
from slots.booking import moving
from slots.desk import Desk
from slots.ids import AppointmentId, HoldId
from slots.slot import OFFER_AHEAD_MAX
from slots.store.appointment import (
    AppointmentView,
    appointments_of_organisation,
    appointments_of_schedules,
    patients_to_tell,
)
from slots.store.idempotency import Key
from slots.times import paris_day
from slots.transaction import entered
from web.api.answers import AppointmentsAnswer, appointment_answer, listed_appointment
from web.api.bodies import AppointmentsQuery, MoveBody
from web.api.endpoint import Handler, answered, desk_of, key_only, keyed_body_of, now_of
from web.auth import account_of
from web.parsing import parse_query, utc

Command = Callable[[Desk, Account, AppointmentId, Key, datetime], Awaitable[Appointment]]

# Plages of the last day that one can offer may run on for a day more.
AHEAD_MAX: Final = OFFER_AHEAD_MAX + timedelta(days=1)


async def list_appointments(request: Request[Any]) -> Response:
    """The account's bookings, received and sent, from the start of today on."""
    account = await account_of(request)
    query = parse_query(request.query_params, AppointmentsQuery)
    views = await _views(desk_of(request), account, query)
    territories = desk_of(request).territories
    return answered(AppointmentsAnswer([listed_appointment(view, territories) for view in views]))


async def move(request: Request[Any]) -> Response:
    """Book the held seat and cancel this appointment, in one step."""
    account = await account_of(request)
    body, key = await keyed_body_of(request, MoveBody)
    appointment_id = AppointmentId(request.path_params["appointment_id"])
    moved = await moving.move(
        desk_of(request),
        account,
        appointment_id,
        HoldId(body.hold_id),
        key,
        now_of(request),
        reason=body.reason,
        urgency=body.urgency,
    )
    return answered(appointment_answer(moved, desk_of(request).territories))


def _command(run: Command) -> Handler:
    """The endpoint of a command that says nothing but its name."""

    async def handle(request: Request[Any]) -> Response:
        account = await account_of(request)
        key = await key_only(request)
        appointment_id = AppointmentId(request.path_params["appointment_id"])
        changed = await run(desk_of(request), account, appointment_id, key, now_of(request))
        return answered(appointment_answer(changed, desk_of(request).territories))

    return handle


cancel: Final = _command(booking.cancel)
seen: Final = _command(booking.seen)
fulfil: Final = _command(booking.fulfil)
noshow: Final = _command(booking.noshow)
patient_told: Final = _command(booking.patient_told)


async def _views(desk: Desk, account: Account, query: AppointmentsQuery) -> list[AppointmentView]:
    now = desk.clock.now()
    today, _ = paris_day(now)
    since = utc("since", query.since) if query.since else today
    until = utc("until", query.until) if query.until else now + AHEAD_MAX
    found: list[AppointmentView] = []
    async with entered(desk.pool, account.id, account.reach) as conn:
        if query.side in (None, "professional") and account.schedules:
            found += await appointments_of_schedules(conn, account.schedules, since, until)
        if query.side in (None, "referrer"):
            found += await appointments_of_organisation(conn, account.organisation_id, since)
            # A patient who was told nothing waits on, whatever the day was.
            found += await patients_to_tell(conn, account.organisation_id)
    return _chosen(found, query, until)


def _chosen(
    found: Iterable[AppointmentView], query: AppointmentsQuery, until: datetime
) -> list[AppointmentView]:
    """Each once, by start."""
    by_id = {
        view.appointment.id: view
        for view in found
        if view.appointment.starts_at < until
        and query.patient_to_tell in (None, view.appointment.patient_to_tell)
    }
    return sorted(
        by_id.values(), key=lambda view: (view.appointment.starts_at, view.appointment.id)
    )
