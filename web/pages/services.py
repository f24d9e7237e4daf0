"""`/coordination/…/services/…`: one service of a territory with its rooms, for who coordinates it."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from slots.errors import NotAllowed
from slots.numbers import finess_is_doubtful
from slots.people.columns import HEADINGS
from slots.people.findings import Wrong
from slots.store import professionals as store
from slots.store.audit import record
from slots.store.bringing_in import COLUMN_OF, Effect
from slots.store.professionals import Service
from slots.territory import Territory
from web.pages.coordinating import PATH, coordinator_of, entered_by, ruling
from web.pages.own_protection import ask_who, is_proved
from web.pages.page import Viewer, notice_of, posted, see_other, show
from web.pages.people_forms import Form, read, typed
from web.refusals import NotFound
from web.state import State

COLUMNS: Final = ("service", "finess", "phone", "rooms", "new_patients", "referral")
NOTICES: Final = {
    "enregistre": "Enregistré.",
    "finess": "Enregistré. Le numéro FINESS est inhabituel : vérifiez-le.",
}


async def service_page(request: Request[State]) -> Response:
    """What is said of one service."""
    viewer, territory = await coordinator_of(request)
    if not await is_proved(request):
        return await ask_who(request, request.url.path)
    return await _page(request, viewer, territory, Form())


async def amend_service(request: Request[State]) -> Response:
    """Change it."""
    viewer, territory = await ruling(request)
    form = read(await posted(request), "service", COLUMNS)
    if form.errors:
        return await _page(request, viewer, territory, form, status=422)
    async with entered_by(request, viewer, territory) as conn:
        service = await _found(conn, request, territory)
        answer = await store.amend_service(conn, territory.id, service, form.parsed)
        if answer is Effect.CHANGED:
            await record(
                conn, territory.id, viewer.account.id, "amend-service", "service", [service.id]
            )
    if answer is Wrong.NOT_ALLOWED:
        raise NotAllowed
    if isinstance(answer, Wrong):
        refused = form.refused(answer, COLUMN_OF.get(answer, "service"))
        return await _page(request, viewer, territory, refused, status=409)
    done = "finess" if finess_is_doubtful(form.parsed["finess"]) else "enregistre"
    return see_other(f"{PATH}/{territory.id}/services/{service.id}", fait=done)


async def _found(conn: Any, request: Request[State], territory: Territory) -> Service:
    found = await store.services(conn, territory.id, request.path_params["service_id"])
    if not found:
        raise NotFound
    return found[0]


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
    return show(
        request,
        "service.html",
        status=status,
        territory=territory,
        one=one,
        said=typed(one, COLUMNS),
        form=form,
        is_odd=finess_is_doubtful(one.finess or ""),
        headings=HEADINGS,
        notice=notice_of(request, NOTICES),
    )
