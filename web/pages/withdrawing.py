"""Taking slots back: at once where nobody comes, after a question where patients are expected."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.appointment import AppointmentStatus
from slots.booking import offering
from slots.desk import Desk
from slots.errors import SeatsBooked, Unavailable
from slots.ids import SlotId
from slots.store.appointment import AppointmentView, appointments_of_schedules
from slots.store.slot import slots_by_id
from slots.times import paris_day
from slots.transaction import entered
from web.api.endpoint import now_of
from web.pages.page import AVAILABILITY, key_of, posted, publisher_of, see_other, show
from web.state import State


async def withdraw(request: Request[State]) -> Response:
    """Take one slot back; asks first where patients are expected."""
    viewer = await publisher_of(request)
    desk, now = request.state["desk"], now_of(request)
    form = await posted(request)
    slot_id = SlotId(request.path_params["slot_id"])
    sure = form.get("cancel_booked") == "1"
    key = key_of(form)
    was_held = await _is_held(desk, slot_id)
    try:
        await offering.withdraw(desk, viewer.account, slot_id, key, now, cancel_booked=sure)
    except SeatsBooked:
        booked = await _booked_in(request, viewer.account, [slot_id], now)
        return _ask_first(request, booked, now)
    return see_other(AVAILABILITY.path, fait="retire-retenu" if was_held else "retire")


async def withdraw_day(request: Request[State]) -> Response:
    """Take back everything that is still ahead today; asks first where patients are expected."""
    viewer = await publisher_of(request)
    desk, now = request.state["desk"], now_of(request)
    form = await posted(request)
    sure = form.get("cancel_booked") == "1"
    try:
        await offering.withdraw_day(desk, viewer.account, key_of(form), now, cancel_booked=sure)
    except SeatsBooked:
        booked = await _booked_in(request, viewer.account, None, now)
        return _ask_first(request, booked, now)
    return see_other(AVAILABILITY.path, fait="journee")


async def _is_held(desk: Desk, slot_id: SlotId) -> bool:
    """Whether somebody is about to book it: they lose it, and whoever takes it back is told."""
    territory = desk.territory(slot_id)
    if territory is None:
        return False
    try:
        return await desk.broker.is_held(territory, slot_id)
    except Unavailable:
        return False


async def _booked_in(
    request: Request[State], account: Account, slot_ids: list[SlotId] | None, now: datetime
) -> list[AppointmentView]:
    """Who is expected in these slots; with None, in all that are ahead today."""
    since, until = paris_day(now)
    async with entered(request.state["desk"].pool, account.id, account.reach) as conn:
        if slot_ids is not None:
            slots = (await slots_by_id(conn, slot_ids)).values()
            since = min((slot.starts_at for slot in slots), default=since)
            until = max((slot.ends_at for slot in slots), default=until)
        views = await appointments_of_schedules(conn, list(account.schedules), since, until)
    return [
        view
        for view in views
        if view.appointment.status is AppointmentStatus.BOOKED
        and view.appointment.slot_id is not None
        and (slot_ids is None or view.appointment.slot_id in slot_ids)
    ]


def _ask_first(request: Request[State], booked: list[AppointmentView], now: datetime) -> Response:
    return show(request, "withdraw.html", status=409, booked=booked, now=now)
