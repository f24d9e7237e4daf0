"""`/coordination/…/professionnels`: who works where in a territory, for who coordinates it."""

from typing import Any, Final
from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from slots.errors import NotAllowed
from slots.numbers import luhn_holds
from slots.people.columns import DOCTOR, HEADINGS
from slots.people.findings import Wrong
from slots.store import professionals as store
from slots.store.audit import record
from slots.store.bringing_in import COLUMN_OF, Effect
from slots.store.professionals import PlaceOfWork, Professional
from slots.territory import Territory
from web.pages.coordinating import PATH, coordinator_of, entered_by, ruling
from web.pages.french import PROFESSIONS, SPECIALTIES
from web.pages.own_protection import ask_who, is_proved
from web.pages.page import Viewer, notice_of, posted, see_other, show
from web.pages.people_forms import Form, read, typed
from web.refusals import NotFound
from web.state import State

PERSON: Final = (
    *("given_name", "family_name", "rpps", "profession", "specialty", "skills", "languages"),
)
PLACE: Final = ("address", "phone", "access", "step_free", "parking", "new_patients", "referral")
NEW_PLACE: Final = ("place", "insee", *PLACE)
NOTICES: Final = {
    "enregistre": "Enregistré.",
    "rpps": "Enregistré. Le numéro RPPS est inhabituel : vérifiez-le.",
    "lieu": "Ce lieu d’exercice est ajouté : la personne peut y publier.",
    "fin": "Cette personne n’exerce plus à ce lieu.",
    "a-venir": "Des créneaux ou des rendez-vous sont encore à venir à ce lieu : la personne, ou qui agit pour elle, les retire ou les annule d’abord depuis « Mes disponibilités ».",
}


async def professionals(request: Request[State]) -> Response:
    """Everybody who works in the territory."""
    viewer, territory = await coordinator_of(request)
    if not await is_proved(request):
        return await ask_who(request, f"{PATH}/{territory.id}/professionnels")
    async with entered_by(request, viewer, territory) as conn:
        people = await store.professionals(conn, territory.id)
        services = await store.services(conn, territory.id)
    return show(
        request, "professionals.html", territory=territory, people=people, services=services
    )


async def professional(request: Request[State]) -> Response:
    """One of them: what is said of them everywhere, and each of their places."""
    viewer, territory = await coordinator_of(request)
    if not await is_proved(request):
        return await ask_who(request, request.url.path)
    return await _page(request, viewer, territory, Form())


async def amend(request: Request[State]) -> Response:
    """Change what is said of them at all their places."""
    viewer, territory = await ruling(request)
    form = read(await posted(request), "person", PERSON)
    if form.values["specialty"] and form.values["profession"] != DOCTOR:
        form = form.refused(Wrong.ONLY_DOCTORS, "specialty")
    if form.errors:
        return await _page(request, viewer, territory, form, status=422)
    async with entered_by(request, viewer, territory) as conn:
        one = await _found(conn, request, territory)
        answer = await store.amend_person(conn, territory.id, one.id, form.parsed)
        if answer is Effect.CHANGED:
            await _record(conn, viewer, territory, "amend-person", "practitioner", one.id)
    if isinstance(answer, Wrong):
        return await _refused(request, viewer, territory, form, answer)
    rpps = form.parsed["rpps"]
    return _back(request, territory, "rpps" if rpps and not luhn_holds(rpps) else "enregistre")


async def add_place(request: Request[State]) -> Response:
    """They work at one place more: one of the territory's, or a new one."""
    viewer, territory = await ruling(request)
    sent = await posted(request)
    chosen = _location_id(sent)
    form = read(sent, "new", ("new_patients", "referral") if chosen else NEW_PLACE)
    if form.errors:
        return await _page(request, viewer, territory, form, status=422)
    answer: Effect | Wrong = Effect.SAME
    async with entered_by(request, viewer, territory) as conn:
        one = await _found(conn, request, territory)
        if chosen is None:
            answer, chosen = await store.put_place(conn, territory.id, form.parsed)
        if chosen is not None:
            answer, role_id = await store.put_place_of_work(
                conn, territory.id, one, chosen, form.parsed
            )
            if role_id is not None:
                await _record(conn, viewer, territory, "add-place", "practitioner-role", role_id)
    if isinstance(answer, Wrong):
        return await _refused(request, viewer, territory, form, answer)
    return _back(request, territory, "lieu")


async def amend_place(request: Request[State]) -> Response:
    """Change what is said of them at one place, and of the place itself."""
    viewer, territory = await ruling(request)
    role_id: UUID = request.path_params["role_id"]
    form = read(await posted(request), str(role_id), PLACE)
    if form.errors:
        return await _page(request, viewer, territory, form, status=422)
    async with entered_by(request, viewer, territory) as conn:
        one = await _found(conn, request, territory)
        place = _place_of(one, role_id)
        values = form.parsed | {"place": place.place, "insee": place.insee}
        answer, location_id = await store.put_place(conn, territory.id, values)
        if location_id is not None:
            if answer is Effect.CHANGED:
                await _record(conn, viewer, territory, "amend-place", "location", location_id)
            answer, _ = await store.put_place_of_work(
                conn, territory.id, one, place.location_id, values
            )
        if answer is Effect.CHANGED:
            await _record(conn, viewer, territory, "amend-place", "practitioner-role", role_id)
    if isinstance(answer, Wrong):
        return await _refused(request, viewer, territory, form, answer)
    return _back(request, territory, "enregistre")


async def end_place(request: Request[State]) -> Response:
    """They work there no more. Safe to repeat."""
    viewer, territory = await ruling(request)
    await posted(request)
    role_id: UUID = request.path_params["role_id"]
    now = request.state["desk"].clock.now()
    async with entered_by(request, viewer, territory) as conn:
        answer = await store.end_place_of_work(conn, territory.id, role_id, now)
        if answer is Effect.CHANGED:
            await _record(conn, viewer, territory, "end-place", "practitioner-role", role_id)
        left = await store.professionals(conn, territory.id, request.path_params["practitioner_id"])
    if answer is Wrong.NOT_ALLOWED:
        raise NotAllowed
    done = "a-venir" if answer is Wrong.STILL_TO_COME else "fin"
    if not left:  # that was their last place here
        return see_other(f"{PATH}/{territory.id}/professionnels")
    return _back(request, territory, done)


async def _found(conn: Any, request: Request[State], territory: Territory) -> Professional:
    found = await store.professionals(conn, territory.id, request.path_params["practitioner_id"])
    if not found:
        raise NotFound
    return found[0]


def _place_of(one: Professional, role_id: UUID) -> PlaceOfWork:
    for place in one.places:
        if place.role_id == role_id:
            return place
    raise NotFound


def _location_id(form: FormData) -> UUID | None:
    try:
        return UUID(str(form.get("location_id", "")))
    except ValueError:
        return None


def _back(request: Request[State], territory: Territory, done: str) -> Response:
    one = request.path_params["practitioner_id"]
    return see_other(f"{PATH}/{territory.id}/professionnels/{one}", fait=done)


async def _record(
    conn: Any, viewer: Viewer, territory: Territory, verb: str, subject: str, subject_id: UUID
) -> None:
    await record(conn, territory.id, viewer.account.id, verb, subject, [subject_id])


async def _refused(
    request: Request[State], viewer: Viewer, territory: Territory, form: Form, wrong: Wrong
) -> Response:
    if wrong is Wrong.NOT_ALLOWED:
        raise NotAllowed
    refused = form.refused(wrong, COLUMN_OF.get(wrong, "family_name"))
    return await _page(request, viewer, territory, refused, status=409)


async def _page(
    request: Request[State],
    viewer: Viewer,
    territory: Territory,
    form: Form,
    *,
    status: int = 200,
) -> Response:
    async with entered_by(request, viewer, territory) as conn:
        one = await _found(conn, request, territory)
        locations = await store.locations(conn, territory.id)
    here = {place.location_id for place in one.places}
    return show(
        request,
        "professional.html",
        status=status,
        territory=territory,
        one=one,
        person=typed(one, PERSON),
        places=[(place, typed(place, PLACE)) for place in one.places],
        locations=[location for location in locations if location.id not in here],
        form=form,
        is_odd=bool(one.rpps) and not luhn_holds(one.rpps),
        professions=PROFESSIONS,
        specialties=SPECIALTIES,
        headings=HEADINGS,
        notice=notice_of(request, NOTICES),
    )
