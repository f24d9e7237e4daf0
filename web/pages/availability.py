"""`/disponibilites`: publish, see who comes, withdraw. Made for a phone between two patients."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.appointment import CALL_AFTER, AppointmentStatus
from slots.booking import appointments as appointment_cases
from slots.booking import offering
from slots.document import SlotDocument
from slots.errors import Invalid, NotAllowed, SeatsBooked
from slots.ids import ScheduleId, SlotId
from slots.slot import OFFER_AHEAD_MAX, SlotStatus
from slots.store.appointment import AppointmentView, appointments_of_schedules
from slots.store.directory import DirectoryEntry
from slots.store.slot import slots_by_id
from slots.times import PARIS, paris_day
from slots.transaction import entered
from web.pages import offer_form
from web.pages.french import schedule_name
from web.pages.offer_form import Mistyped, OfferForm
from web.pages.own_days import OwnDay, overlaid, own_days
from web.pages.page import (
    AVAILABILITY,
    Viewer,
    form_fields,
    is_fragment,
    key_of,
    notice_of,
    posted,
    see_other,
    show,
    viewer_of,
)
from web.pages.reading import Ground, ground, own_entries
from web.state import State

NOTES: Final = ("Sur appel préalable", "Enfants bienvenus", "Apporter l’ordonnance")
NOTICES: Final = {
    "publie": "Publié. Les autres le voient déjà.",
    "publie-plus-tard": "Enregistré. Il paraîtra 48 h avant son heure.",
    "retire": "Retiré. Plus personne ne peut le réserver.",
    "journee": "Tout est retiré pour aujourd’hui.",
    "venu": "Noté : le patient est venu.",
    "absent": "Noté : le patient n’est pas venu.",
    "vu": "Noté : vous l’avez vu.",
    "annule": "Rendez-vous annulé. Ceux qui l’ont pris doivent prévenir le patient.",
}


async def availability(request: Request[State]) -> Response:
    """The page; opening it marks today's bookings as seen."""
    viewer = await _publisher(request)
    now = datetime.now(UTC)
    if not is_fragment(request, "liste"):
        await appointment_cases.seen_day(request.state["desk"], viewer.account, now)
    wanted = request.query_params.get("horaire", "")
    return await _page(request, viewer, OfferForm(schedule_id=wanted), now)


async def publish(request: Request[State]) -> Response:
    """Offer what was typed, or what one preset says."""
    viewer = await _publisher(request)
    desk, now = request.state["desk"], datetime.now(UTC)
    form = await posted(request)
    typed = offer_form.typed(form_fields(form))
    if form.get("more"):
        return await _page(request, viewer, offer_form.one_more(typed), now)
    async with entered(desk.pool, viewer.account.id, viewer.account.reach) as conn:
        communes = (await ground(conn, viewer.account.reach)).communes
    try:
        offers = offer_form.offered(typed, communes)
        slots = await offering.offer(desk, viewer.account, offers, key_of(form, typed.preset), now)
    except Mistyped as mistyped:
        return await _page(request, viewer, replace(typed, errors=mistyped.errors), now, 422)
    except Invalid as invalid:
        errors = offer_form.errors_of(invalid.errors)
        return await _page(request, viewer, replace(typed, errors=errors), now, 422)
    live = any(slot.starts_at <= now + desk.horizon for slot in slots)
    return see_other(
        AVAILABILITY.path,
        fait="publie" if live else "publie-plus-tard",
        creneau=slots[0].id if len(slots) == 1 else None,
        horaire=typed.schedule_id,
    )


async def withdraw(request: Request[State]) -> Response:
    """Take one slot back; asks first where patients are expected."""
    viewer = await _publisher(request)
    desk, now = request.state["desk"], datetime.now(UTC)
    form = await posted(request)
    slot_id = SlotId(request.path_params["slot_id"])
    sure = form.get("cancel_booked") == "1"
    key = key_of(form)
    try:
        await offering.withdraw(desk, viewer.account, slot_id, key, now, cancel_booked=sure)
    except SeatsBooked:
        booked = await _booked_in(request, viewer.account, [slot_id], now)
        return _ask_first(request, booked, now)
    return see_other(AVAILABILITY.path, fait="retire")


async def withdraw_day(request: Request[State]) -> Response:
    """Take back everything that is still ahead today; asks first where patients are expected."""
    viewer = await _publisher(request)
    desk, now = request.state["desk"], datetime.now(UTC)
    form = await posted(request)
    sure = form.get("cancel_booked") == "1"
    try:
        await offering.withdraw_day(desk, viewer.account, key_of(form), now, cancel_booked=sure)
    except SeatsBooked:
        booked = await _booked_in(request, viewer.account, None, now)
        return _ask_first(request, booked, now)
    return see_other(AVAILABILITY.path, fait="journee")


async def _publisher(request: Request[State]) -> Viewer:
    viewer = await viewer_of(request)
    if not viewer.account.schedules:
        raise NotAllowed
    return viewer


async def _page(
    request: Request[State], viewer: Viewer, form: OfferForm, now: datetime, status: int = 200
) -> Response:
    account, desk = viewer.account, request.state["desk"]
    since, _ = paris_day(now)
    async with entered(desk.pool, account.id, account.reach) as conn:
        days = await own_days(conn, account, since, now + OFFER_AHEAD_MAX, now)
        entries = await own_entries(conn, account)
        words = await ground(conn, account.reach)
    days = [await overlaid(request, account, day) for day in days]
    context: dict[str, Any] = {
        "days": days,
        "today": now.astimezone(PARIS).date(),
        "now": now,
        "entries": entries,
        "same_owner": len({schedule_name(entry.schedule) for entry in entries.values()}) == 1,
        "words_of": words,
        "call_after": CALL_AFTER,
        "at": dict.fromkeys(_slugs(request, account), ""),
        "schedules": [str(schedule_id) for schedule_id in account.schedules],
        "source": f"{AVAILABILITY.path}?fragment=liste",
    }
    if is_fragment(request, "liste"):
        return show(request, "_own_slots.html", **context)
    chosen = _chosen(form, entries)
    return show(
        request,
        "availability.html",
        status=status,
        **context,
        **_form_context(form, chosen, words, days, now),
        notice=notice_of(request, NOTICES),
        undo=_undo(request, days),
    )


def _form_context(
    form: OfferForm, chosen: DirectoryEntry, words: Ground, days: list[OwnDay], now: datetime
) -> dict[str, Any]:
    # A service has several rooms; only a person cannot be in two places.
    owner = chosen.schedule.practitioner
    taken = [
        (own.slot.starts_at, own.slot.ends_at)
        for day in days
        for own in day.slots
        if own.slot and own.slot.status != SlotStatus.UNAVAILABLE
        if owner is not None and own.slot.schedule.practitioner == owner
    ]
    offered = words.acts[chosen.territory_id].values()
    today = now.astimezone(PARIS).date()
    minutes = int(form.duration_min) if form.duration_min.isdigit() else 0
    return {
        "form": form,
        "chosen": chosen,
        "acts": sorted(offered, key=lambda act: act.code not in chosen.acts),
        "chosen_acts": form.acts if form.was_sent else chosen.acts,
        "chosen_audience": form.audience if form.was_sent else chosen.audience,
        "communes": words.communes.values(),
        "presets": offer_form.presets(now, taken, minutes or offer_form.DURATION_DEFAULT_MIN),
        "durations": offer_form.DURATIONS_MIN,
        "notes": NOTES,
        "first_day": today,
        "last_day": (now + OFFER_AHEAD_MAX).astimezone(PARIS).date(),
        "twice": offer_form.TWICE,
        "new_form_key": form.was_sent,
    }


def _chosen(form: OfferForm, entries: dict[ScheduleId, DirectoryEntry]) -> DirectoryEntry:
    for schedule_id, entry in entries.items():
        if str(schedule_id) == form.schedule_id:
            return entry
    return next(iter(entries.values()))


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


def _undo(request: Request[State], days: list[OwnDay]) -> SlotDocument | None:
    """The slot that was published just now, to be taken back with one tap."""
    wanted = request.query_params.get("creneau")
    slots = [own.slot for day in days for own in day.slots if own.slot]
    found = [slot for slot in slots if str(slot.id) == wanted]
    return found[0] if found and found[0].status == SlotStatus.FREE else None


def _slugs(request: Request[State], account: Account) -> list[str]:
    known = request.state["desk"].territories.by_id
    return sorted({known[number].slug for number in account.schedules.values()})
