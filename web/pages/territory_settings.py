"""`/coordination/reglages`: what a territory sets for itself, for who coordinates it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from slots.database import Connection
from slots.errors import NotAllowed
from slots.rights import Action
from slots.store.audit import record
from slots.store.territory_settings import set_territory
from slots.territory import Territory
from slots.territory_settings import Outcome, changes, settings_of
from slots.transaction import entered
from web.pages import settings_form
from web.pages.coordinating import coordinated_by, coordinator_of, ruling
from web.pages.finding import RADIUS_KM_CHOICES
from web.pages.own_protection import ask_who, is_proved
from web.pages.page import Viewer, form_fields, notice_of, posted, see_other, show
from web.pages.settings_form import SettingsForm
from web.state import State

PATH: Final = "/coordination/{}/reglages"
UNSEALED: Final = (
    "Ce service n’a pas de clé pour chiffrer les coordonnées : demandez-la à qui l’exploite."
)
NOTICES: Final = {
    "enregistre": "Réglages enregistrés. Les écrans ouverts suivent en quelques secondes.",
    "inchange": "Rien n’a changé.",
}


async def settings_page(request: Request[State]) -> Response:
    """All settings, each with what it does."""
    viewer, territory = await coordinator_of(request, Action.SETTINGS)
    if not await is_proved(request):
        return await ask_who(request, PATH.format(territory.id))
    territory = await _looked_up(request, territory)
    form = settings_form.filled(settings_of(territory), territory.settings_version)
    return _page(request, viewer, territory, form)


async def save_settings(request: Request[State]) -> Response:
    """Set them, unless somebody else has meanwhile: then say what."""
    viewer, territory = await ruling(request, Action.SETTINGS)
    form = settings_form.read(form_fields(await posted(request)))
    if form.values["contact_kept_h"] and not request.state["desk"].sealer.is_able:
        form = replace(form, errors={**form.errors, "contact_kept_h": UNSEALED})
    if form.errors:
        return _page(request, viewer, territory, form, status=422)
    territory = await _looked_up(request, territory)
    changed = changes(settings_of(territory), form.settings)
    is_seen = form.version == territory.settings_version
    if is_seen and not changed:
        return see_other(PATH.format(territory.id), fait="inchange")
    outcome = Outcome.CHANGED
    if is_seen:
        outcome = await _save(request, viewer, territory, form, changed)
        territory = await _looked_up(request, territory)
    if outcome is Outcome.NOT_ALLOWED:
        raise NotAllowed
    if outcome is Outcome.CHANGED:
        version = territory.settings_version
        form = settings_form.overtaken(form, settings_of(territory), version)
        return _page(request, viewer, territory, form, status=409)
    return see_other(PATH.format(territory.id), fait="enregistre")


async def _save(
    request: Request[State],
    viewer: Viewer,
    territory: Territory,
    form: SettingsForm,
    changed: list[str],
) -> Outcome:
    desk = request.state["desk"]
    async with entered(desk.pool, viewer.account.id, [territory.id]) as conn:
        outcome = await set_territory(
            conn, territory.id, form.version, form.settings, desk.horizon, desk.clock.now()
        )
        if outcome is Outcome.SAVED:
            await record_ruling(conn, viewer, territory, "set", changed)
    return outcome


async def record_ruling(
    conn: Connection, viewer: Viewer, territory: Territory, verb: str, subjects: Sequence[str]
) -> None:
    """An audit of what has no id of its own: it bears the territory's number."""
    for subject in subjects:
        await record(conn, territory.id, viewer.account.id, verb, subject, [UUID(int=territory.id)])


def others_of(request: Request[State], viewer: Viewer, territory: Territory) -> list[Territory]:
    """The other territories that the viewer rules."""
    known = request.state["desk"].territories.by_id
    return [
        known[number]
        for number in coordinated_by(viewer, Action.SETTINGS)
        if number != territory.id
    ]


async def _looked_up(request: Request[State], territory: Territory) -> Territory:
    """As it is now; and from now on, in this process."""
    await request.state["catalogue"].refresh()
    return request.state["desk"].territories.by_id[territory.id]


def _page(
    request: Request[State],
    viewer: Viewer,
    territory: Territory,
    form: SettingsForm,
    *,
    status: int = 200,
) -> Response:
    return show(
        request,
        "territory_settings.html",
        status=status,
        territory=territory,
        others=others_of(request, viewer, territory),
        form=form,
        numbers=settings_form.NUMBERS,
        radii=RADIUS_KM_CHOICES,
        usual_h=request.state["settings"].horizon_hours,
        audience_hint=settings_form.AUDIENCE_HINT,
        audience_default=settings_form.AUDIENCE_DEFAULT,
        radius_hint=settings_form.RADIUS_HINT,
        notice=notice_of(request, NOTICES),
    )
