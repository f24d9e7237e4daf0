"""`/disponibilites`: publish, see who comes, withdraw. Made for a phone between two patients."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.appointment import CALL_AFTER
from slots.booking import appointments as appointment_cases
from slots.booking import offering
from slots.document import SlotDocument
from slots.errors import Invalid
from slots.ids import ScheduleId
from slots.slot import OFFER_AHEAD_MAX, SlotStatus
from slots.store.directory import DirectoryEntry
from slots.store.past_offer import PastOffer, past_offers
from slots.times import PARIS, paris_day
from slots.transaction import entered
from web.api.endpoint import now_of
from web.pages import habits, notifications, offer_form
from web.pages.french import schedule_name
from web.pages.habits import Preset, Taken
from web.pages.offer_form import Mistyped, OfferForm
from web.pages.own_days import OwnDay, overlaid, own_days, with_contacts
from web.pages.page import (
    AVAILABILITY,
    Viewer,
    form_fields,
    is_fragment,
    key_of,
    notice_of,
    posted,
    publisher_of,
    see_other,
    show,
)
from web.pages.reading import Ground, ground, own_entries
from web.parsing import whole_number
from web.state import State

OK: Final = 200
NOTES: Final = ("Sur appel préalable", "Enfants bienvenus", "Apporter l’ordonnance")
NOTICES: Final = {
    "publie": "Publié. Les autres le voient déjà.",
    "publie-plus-tard": "Enregistré. Il paraîtra {} h avant son heure.",
    "retire": "Retiré. Plus personne ne peut le réserver.",
    "retire-retenu": "Retiré. Quelqu’un le retenait : son écran le lui dit.",
    "en-plus": "Noté : un patient en plus peut vous être adressé. Vous serez prévenu.",
    "sans-plus": "Noté : personne ne vous adresse plus de patient en plus.",
    "rien-a-reprendre": "Rien n’est publié : ces moments sont pris ou passés.",
    "journee": "Tout est retiré pour aujourd’hui.",
    "venu": "Noté : le patient est venu.",
    "absent": "Noté : le patient n’est pas venu.",
    "vu": "Noté : vous l’avez vu.",
    "annule": "Rendez-vous annulé. Ceux qui l’ont pris doivent prévenir le patient.",
    **notifications.NOTICES,
}


async def availability(request: Request[State]) -> Response:
    """The page; opening it marks today's bookings as seen."""
    viewer = await publisher_of(request)
    now = now_of(request)
    if not is_fragment(request, "liste"):
        await appointment_cases.seen_day(request.state["desk"], viewer.account, now)
    wanted = request.query_params.get("horaire", "")
    return await _page(request, viewer, OfferForm(schedule_id=wanted), now)


async def publish(request: Request[State]) -> Response:
    """Offer what was typed, or what one preset says."""
    viewer = await publisher_of(request)
    desk, now = request.state["desk"], now_of(request)
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
    return see_other(
        AVAILABILITY.path,
        fragment=request.query_params.get("fragment"),
        fait=offer_form.fait(slots, now + horizon_of(request, slots)),
        creneau=slots[0].id if len(slots) == 1 else None,
        horaire=typed.schedule_id,
    )


async def offline(request: Request[State]) -> Response:
    """The form alone, which a phone keeps for when it has no network: no appointment is on it."""
    viewer = await publisher_of(request)
    account, desk, now = viewer.account, request.state["desk"], now_of(request)
    async with entered(desk.pool, account.id, account.reach) as conn:
        entries = await own_entries(conn, account)
        words = await ground(conn, account.reach)
        past = await past_offers(conn, account.schedules, now - habits.LOOKS_BACK, now)
    chosen = _chosen(OfferForm(), entries, past, now)
    form = _begun(OfferForm(), [one for one in past if one.schedule_id == chosen.schedule.id])
    moments = offer_form.presets(now, [], _minutes(form))
    return show(
        request,
        "offline_publishing.html",
        now=now,
        entries=entries,
        same_owner=_have_one_owner(entries),
        is_stored=True,
        **_form_context(form, chosen, words, moments, now),
    )


async def _page(
    request: Request[State], viewer: Viewer, form: OfferForm, now: datetime, status: int = OK
) -> Response:
    account, desk = viewer.account, request.state["desk"]
    since, _ = paris_day(now)
    # Drawn whenever the territory moves: the list alone.
    is_list = status == OK and is_fragment(request, "liste")
    async with entered(desk.pool, account.id, account.reach) as conn:
        days = await own_days(conn, account, since, now + OFFER_AHEAD_MAX, now)
        with_contact = await with_contacts(conn, days, now)
        entries = await own_entries(conn, account)
        words = await ground(conn, account.reach)
        if not is_list:
            told = await notifications.notifications_of(
                conn, request.state["settings"], request.query_params
            )
            past = await past_offers(conn, account.schedules, now - habits.LOOKS_BACK, now)
    days = [await overlaid(request, account, day) for day in days]
    context: dict[str, Any] = {
        "days": days,
        "with_contact": with_contact,
        "today": now.astimezone(PARIS).date(),
        "now": now,
        "entries": entries,
        "same_owner": _have_one_owner(entries),
        "is_stored": False,
        "words_of": words,
        "call_after": CALL_AFTER,
        "at": dict.fromkeys(_slugs(request, account), ""),
        "schedules": [str(schedule_id) for schedule_id in account.schedules],
        "source": f"{AVAILABILITY.path}?fragment=liste",
    }
    if is_list:
        return show(request, "_own_slots.html", **context)
    chosen = _chosen(form, entries, past, now)
    here = [offer for offer in past if offer.schedule_id == chosen.schedule.id]
    form = _begun(form, here)
    likely = habits.likely_moments(
        [offer for offer in here if offer.modality == form.modality], now
    )
    taken, people = _taken(days), _people(entries)
    person = people[ScheduleId(chosen.schedule.id)]
    moments = offer_form.presets(now, _times_of(person, taken, people), _minutes(form), likely)
    return show(
        request,
        "availability.html",
        status=status,
        **context,
        **_form_context(form, chosen, words, moments, now),
        again=habits.by_day(habits.as_last_week(past, taken, people, now)),
        notice=_notice(request, chosen),
        notifications=told,
        undo=_undo(request, days),
    )


def horizon_of(request: Request[State], slots: Iterable[SlotDocument]) -> timedelta:
    """How far ahead the boards look on which these slots appear."""
    desk = request.state["desk"]
    return desk.horizon_in({desk.territories.by_slug[slot.territory].id for slot in slots})


def _notice(request: Request[State], chosen: DirectoryEntry) -> str | None:
    found = notice_of(request, NOTICES)
    horizon_h = request.state["desk"].horizon_in([chosen.territory_id]) // timedelta(hours=1)
    return found and found.format(horizon_h)


def _form_context(
    form: OfferForm, chosen: DirectoryEntry, words: Ground, moments: list[Preset], now: datetime
) -> dict[str, Any]:
    offered = [act for act in words.acts[chosen.territory_id].values() if act.is_offered]
    today = now.astimezone(PARIS).date()
    return {
        "form": form,
        "chosen": chosen,
        "acts": sorted(offered, key=lambda act: act.code not in chosen.acts),
        "chosen_acts": form.acts
        if form.was_sent
        else [act.code for act in offered if act.code in chosen.acts],
        "chosen_audience": form.audience if form.was_sent else chosen.audience,
        "communes": words.communes.values(),
        "presets": moments,
        "durations": sorted({*offer_form.DURATIONS_MIN, _minutes(form)}),
        "notes": NOTES,
        "first_day": today,
        "last_day": (now + OFFER_AHEAD_MAX).astimezone(PARIS).date(),
        "twice": offer_form.TWICE,
        "new_form_key": form.was_sent,
    }


def _have_one_owner(entries: dict[ScheduleId, DirectoryEntry]) -> bool:
    return len({schedule_name(entry.schedule) for entry in entries.values()}) == 1


def _minutes(form: OfferForm) -> int:
    return whole_number(form.duration_min) or offer_form.DURATION_DEFAULT_MIN


def _taken(days: list[OwnDay]) -> list[Taken]:
    return [
        Taken(ScheduleId(own.slot.schedule.id), own.slot.starts_at, own.slot.ends_at)
        for day in days
        for own in day.slots
        if own.slot and own.slot.status != SlotStatus.UNAVAILABLE
    ]


def _times_of(
    person: UUID | None, taken: list[Taken], people: dict[ScheduleId, UUID | None]
) -> list[tuple[datetime, datetime]]:
    # A service has several rooms; only a person cannot be in two places.
    return [
        (one.starts_at, one.ends_at)
        for one in taken
        if person is not None and people.get(one.schedule_id) == person
    ]


def _people(entries: dict[ScheduleId, DirectoryEntry]) -> dict[ScheduleId, UUID | None]:
    """Whose time each schedule is; None: a service's."""
    return {
        schedule_id: entry.schedule.practitioner.id if entry.schedule.practitioner else None
        for schedule_id, entry in entries.items()
    }


def _begun(form: OfferForm, here: list[PastOffer]) -> OfferForm:
    """A form that nobody has filled in yet begins as most of their slots are."""
    as_usual = None if form.was_sent else habits.usual(here)
    if as_usual is None:
        return form
    return replace(form, duration_min=str(as_usual.duration_min), capacity=str(as_usual.capacity))


def _chosen(
    form: OfferForm,
    entries: dict[ScheduleId, DirectoryEntry],
    past: list[PastOffer],
    now: datetime,
) -> DirectoryEntry:
    for schedule_id, entry in entries.items():
        if str(schedule_id) == form.schedule_id:
            return entry
    usual = habits.usual_place(past, now)
    return entries[usual] if usual in entries else next(iter(entries.values()))


def _undo(request: Request[State], days: list[OwnDay]) -> SlotDocument | None:
    """The slot that was published just now, to be taken back with one tap."""
    wanted = request.query_params.get("creneau")
    slots = [own.slot for day in days for own in day.slots if own.slot]
    found = [slot for slot in slots if str(slot.id) == wanted]
    return found[0] if found and found[0].status == SlotStatus.FREE else None


def _slugs(request: Request[State], account: Account) -> list[str]:
    known = request.state["desk"].territories.by_id
    return sorted({known[number].slug for number in account.schedules.values()})
