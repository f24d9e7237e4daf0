"""Hold a place, count down, confirm: `/creneaux/{id}/retenir` and `/retenues/{id}`."""

from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.appointment import REGULATED_A_WEEK_MAX
from slots.audience import Role
from slots.booking import confirming, contacts, holding, moving
from slots.booking.choice import Choice
from slots.database import Connection
from slots.desk import Desk
from slots.errors import SlotError, SlotUnknown
from slots.ids import AppointmentId, HoldId, SlotId, territory_of
from slots.patient_contact import purge_instant
from slots.slot import Hold, Slot
from slots.store.appointment import regulated_in_week
from slots.store.slot import slots_by_id
from slots.times import paris_week, rfc3339
from slots.transaction import entered
from web.api.endpoint import now_of
from web.pages.contact_form import ContactForm, read_form
from web.pages.orientations import NOTHING_TYPED, identified, own_appointment
from web.pages.page import (
    ORIENT,
    REGULATION,
    Viewer,
    key_of,
    own_path,
    posted,
    see_other,
    show,
    viewer_of,
)
from web.pages.reading import ground
from web.pages.search_form import prefilled
from web.state import State

# What travels from the search to the confirmation, and back.
CARRIED: Final = ("act", "delay", "moving", "back")
# What the page knows of its hold, for the form that may show it again.
OF_THE_HOLD: Final = ("creneau", "until", "renewed")
INVALID: Final = 422


async def hold(request: Request[State]) -> Response:
    """Hold a seat of a slot; whoever comes second is told, with what else there is."""
    viewer = await viewer_of(request)
    form = await posted(request)
    slot_id = SlotId(request.path_params["slot_id"])
    now = now_of(request)
    held = await holding.hold(request.state["desk"], viewer.account, slot_id, key_of(form), now)
    return _to_hold(held, form)


async def hold_page(request: Request[State]) -> Response:
    """What is held, until when, and the form that makes it true."""
    return await _hold_page(request, await viewer_of(request), request.query_params)


async def _hold_page(
    request: Request[State],
    viewer: Viewer,
    query: Any,
    contact_form: ContactForm = NOTHING_TYPED,
    status: int = 200,
) -> Response:
    """*query*: what the page knows of its hold, from its address or from its own form."""
    account, desk, now = viewer.account, request.state["desk"], now_of(request)
    slot_id = identified(query.get("creneau", ""))
    if slot_id is None or territory_of(slot_id) not in account.reach:
        raise SlotUnknown
    async with entered(desk.pool, account.id, account.reach) as conn:
        slot = (await slots_by_id(conn, [SlotId(slot_id)])).get(SlotId(slot_id))
        words = await ground(conn, account.reach)
        moved = await own_appointment(conn, account, query.get("moving", ""))
        regulated = await _regulated(conn, account, slot) if slot else None
    if slot is None or not account.may_see(slot.territory_id, slot.schedule_id, slot.audience):
        raise SlotUnknown
    act = query.get("act") or slot.card.acts[0]
    waits_h = (slot.starts_at - now).total_seconds() / 3600
    chosen = prefilled(act, query.get("delay", ""), waits_h)
    return show(
        request,
        "hold.html",
        status=status,
        at={name: query.get(name, "") for name in OF_THE_HOLD},
        contact_form=contact_form,
        contact_until=_contact_until(desk, slot) if moved is None else None,
        hold_id=request.path_params["hold_id"],
        slot=slot.document(),
        expires_at=_instant(query.get("until", "")) or now,
        renewed=query.get("renewed") == "1",
        hold_for=desk.territories.by_id[slot.territory_id].hold_for,
        chosen=(query.get("reason", chosen[0]), query.get("urgency", chosen[1])),
        reasons=words.reasons[slot.territory_id],
        urgencies=words.urgencies[slot.territory_id],
        moved=moved,
        regulated=regulated,
        ceiling=REGULATED_A_WEEK_MAX,
        carried=_carried(query),
        back=own_path(query.get("back"), _home(viewer)),
        now=now,
    )


async def renew(request: Request[State]) -> Response:
    """As long once more."""
    viewer = await viewer_of(request)
    form = await posted(request)
    held = await holding.renew(
        request.state["desk"], viewer.account, _hold_id(request), key_of(form), now_of(request)
    )
    return _to_hold(held, form, renewed="1")


async def release(request: Request[State]) -> Response:
    """Give the seat back, and look on."""
    viewer = await viewer_of(request)
    form = await posted(request)
    await holding.release(request.state["desk"], viewer.account, _hold_id(request), now_of(request))
    return see_other(own_path(str(form.get("back", "")), _home(viewer)))


async def confirm(request: Request[State]) -> Response:
    """Make the held seat a booking, or the new place of a booking that moves."""
    viewer = await viewer_of(request)
    form = await posted(request)
    desk, account, now = request.state["desk"], viewer.account, now_of(request)
    hold_id, key = _hold_id(request), key_of(form)
    moved_id = identified(str(form.get("moving", "")))
    typed = read_form(form, now)
    if typed.errors and moved_id is None:
        return await _hold_page(request, viewer, form, typed, INVALID)
    done = "deplace" if moved_id else "reserve"
    if moved_id is not None:
        appointment = await moving.move(desk, account, AppointmentId(moved_id), hold_id, key, now)
    else:
        choice = Choice(str(form.get("reason", "")), str(form.get("urgency", "")), None)
        appointment = await confirming.confirm(desk, account, hold_id, choice, key, now)
        if not typed.contact.is_empty:
            # Booked it is, whatever becomes of this.
            try:
                await contacts.write(desk, account, appointment.id, typed.contact, now)
                done = "reserve-avec"
            except SlotError:
                done = "reserve-sans"
    return see_other(
        f"/rendez-vous/{appointment.id}",
        fait=done,
        back=own_path(str(form.get("back", "")), ""),
    )


async def _regulated(conn: Connection, account: Account, slot: Slot) -> int | None:
    """How many patients the regulation has sent to them in the slot's week; for regulators."""
    who = slot.card.schedule.practitioner
    if who is None or Role.REGULATOR not in account.roles.get(slot.territory_id, ()):
        return None
    known = await regulated_in_week(conn, [slot.territory_id], paris_week(slot.starts_at))
    return next((one.patients for one in known if one.practitioner.id == who.id), 0)


def _contact_until(desk: Desk, slot: Slot) -> datetime | None:
    """When a contact of the patient would go; None where none may be left."""
    kept_h = desk.territories.by_id[slot.territory_id].contact_kept_h
    if kept_h is None or not desk.sealer.is_able:
        return None
    return purge_instant(slot.ends_at, kept_h)


def _hold_id(request: Request[State]) -> HoldId:
    return HoldId(request.path_params["hold_id"])


def _to_hold(held: Hold, form: Any, **more: str) -> Response:
    query = {"creneau": str(held.slot_id), "until": rfc3339(held.expires_at)}
    return see_other(f"/retenues/{held.id}", **query, **_carried(form), **more)


def _carried(fields: Any) -> dict[str, str]:
    return {name: str(fields[name]) for name in CARRIED if fields.get(name)}


def _home(viewer: Viewer) -> str:
    return (REGULATION if REGULATION in viewer.screens else ORIENT).path


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None
