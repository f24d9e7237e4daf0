"""`/en-sus`: a patient beyond the published places, toward one who accepts them. Said, and traced."""

from datetime import date, time, timedelta
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from slots.booking import overflow as booking
from slots.booking.choice import Choice
from slots.errors import Invalid, ScheduleUnknown
from slots.ids import ScheduleId
from slots.store.directory import directory
from slots.times import PARIS, LocalTimeTwice, LocalTimeUnknown, from_paris
from slots.transaction import entered
from web.api.endpoint import now_of
from web.pages.offer_form import TWICE, UNKNOWN
from web.pages.page import (
    AVAILABILITY,
    Viewer,
    key_of,
    posted,
    publisher_of,
    see_other,
    show,
    viewer_of,
)
from web.pages.reading import ground
from web.state import State

SOON: Final = timedelta(hours=1)


async def overflow_page(request: Request[State]) -> Response:
    """The form, for one schedule."""
    viewer = await viewer_of(request)
    soon = (now_of(request) + SOON).astimezone(PARIS)
    typed = {"day": soon.date().isoformat(), "at": f"{soon:%H:00}", "fold": ""}
    return await _page(request, viewer, typed, {})


async def overflow(request: Request[State]) -> Response:
    """Book it."""
    viewer = await viewer_of(request)
    form = await posted(request)
    typed = {name: str(value) for name, value in form.items()}
    fold = int(typed.get("fold", "")) if typed.get("fold") in ("0", "1") else None
    try:
        day, at = date.fromisoformat(typed.get("day", "")), time.fromisoformat(typed.get("at", ""))
        starts_at = from_paris(day, at, fold=fold)
    except LocalTimeTwice:
        return await _page(request, viewer, typed, {"at": TWICE})
    except LocalTimeUnknown:
        return await _page(request, viewer, typed, {"at": UNKNOWN})
    except ValueError:
        return await _page(request, viewer, typed, {"at": "Donnez un jour et une heure."})
    choice = Choice(typed.get("reason", ""), typed.get("urgency", ""), None)
    try:
        appointment = await booking.overflow(
            request.state["desk"],
            viewer.account,
            ScheduleId(request.path_params["schedule_id"]),
            starts_at,
            choice,
            key_of(form),
            now_of(request),
        )
    except Invalid as invalid:
        errors = {error.field: error.message for error in invalid.errors}
        return await _page(request, viewer, typed, {"at": errors.pop("starts_at", ""), **errors})
    return see_other(f"/rendez-vous/{appointment.id}", fait="reserve")


async def accept_overflow(request: Request[State]) -> Response:
    """The switch “j’accepte un patient en plus” of one place."""
    viewer = await publisher_of(request)
    form = await posted(request)
    accepts = form.get("accepts") == "1"
    try:
        schedule_id = ScheduleId(UUID(str(form.get("schedule_id"))))
    except ValueError:
        raise ScheduleUnknown from None
    await booking.accept_overflow(
        request.state["desk"], viewer.account, schedule_id, key_of(form), accepts=accepts
    )
    return see_other(AVAILABILITY.path, fait="en-plus" if accepts else "sans-plus")


async def _page(
    request: Request[State], viewer: Viewer, typed: dict[str, str], errors: dict[str, str]
) -> Response:
    account, desk = viewer.account, request.state["desk"]
    schedule_id: UUID = request.path_params["schedule_id"]
    async with entered(desk.pool, account.id, account.reach) as conn:
        entries = await directory(conn, account.reach, [ScheduleId(schedule_id)])
        words = await ground(conn, account.reach)
    if not entries:
        raise ScheduleUnknown
    return show(
        request,
        "overflow.html",
        status=422 if errors else 200,
        entry=entries[0],
        typed=typed,
        errors={name: message for name, message in errors.items() if message},
        reasons=words.reasons[entries[0].territory_id],
        urgencies=words.urgencies[entries[0].territory_id],
        twice=TWICE,
    )
