"""Keys for software and screens on a wall, on `/compte`: made here, told once, ended at any time."""

from datetime import timedelta
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from slots.errors import NotAllowed
from slots.ids import INSTALLATION, AccountId
from slots.scope import Scope
from slots.store import screen as screens
from slots.store import session as store
from slots.store.audit import record
from slots.store.session import Device
from slots.transaction import entered, looking
from web.auth import give_wall_cookie
from web.pages.own_protection import TYPED_WITHIN, ask_who, is_proved
from web.pages.page import notice_of, posted, see_other, show, viewer_of
from web.pages.regulation import covered_by
from web.state import State

NEW_PATH: Final = "/compte/logiciels"
NOTICES: Final = {
    "cle-incomplete": "Donnez un nom à la clé, et au moins une permission.",
    "ecran-incomplet": "Donnez un nom à l’écran, et au moins un territoire.",
}
KEY_DAYS: Final = (30, 90, 365)
NAME_LENGTH_MAX: Final = 60
SCOPES: Final = {
    Scope.READ: "Lire les créneaux et l’annuaire",
    Scope.PUBLISH: "Publier et retirer des créneaux",
    Scope.BOOK: "Réserver",
    Scope.APPOINTMENTS: "Suivre les rendez-vous",
    Scope.CONTACTS: "Lire et écrire les coordonnées des patients",
}


async def devices_of(request: Request[State], account_id: AccountId) -> list[Device]:
    """The live keys and screens of one account."""
    async with entered(request.state["desk"].pool, account_id, ()) as conn:
        return await store.own_devices(conn, request.state["desk"].clock.now())


async def new_device(request: Request[State]) -> Response:
    """The forms that make one, for who has just shown who they are."""
    viewer = await viewer_of(request)
    if not await is_proved(request):
        return await ask_who(request, NEW_PATH)
    by_id = request.state["desk"].territories.by_id
    return show(
        request,
        "new_device.html",
        scopes=SCOPES,
        key_days=KEY_DAYS,
        covered=[by_id[number] for number in covered_by(viewer.account)],
        notice=notice_of(request, NOTICES),
    )


async def make_key(request: Request[State]) -> Response:
    """A key for software: a name, what it may do, how long. Shown once."""
    viewer = await viewer_of(request)
    form = await posted(request)
    if not await is_proved(request, TYPED_WITHIN):
        return await ask_who(request, NEW_PATH)
    scopes = [scope for scope in Scope if scope.value in form.getlist("scope")]
    days = next((days for days in KEY_DAYS if str(days) == form.get("days")), KEY_DAYS[0])
    name = _name(form)
    if not name or not scopes:
        return see_other(NEW_PATH, fait="cle-incomplete")
    now, account_id = request.state["desk"].clock.now(), viewer.account.id
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        secret = await store.open_key(conn, name, scopes, now, now + timedelta(days=days))
        await record(conn, INSTALLATION, account_id, "key-added", "account", [account_id])
    return show(
        request,
        "device.html",
        name=name,
        secret=secret,
        scopes=[SCOPES[it] for it in scopes],
        link="",
    )


async def make_screen(request: Request[State]) -> Response:
    """A link for a screen on a wall: a name and territories that one regulates. Shown once."""
    viewer = await viewer_of(request)
    form = await posted(request)
    covered = covered_by(viewer.account)
    if not covered:
        raise NotAllowed
    if not await is_proved(request, TYPED_WITHIN):
        return await ask_who(request, NEW_PATH)
    walls = [number for number in covered if str(number) in form.getlist("territory")]
    name = _name(form)
    if not name or not walls:
        return see_other(NEW_PATH, fait="ecran-incomplet")
    now, account_id = request.state["desk"].clock.now(), viewer.account.id
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        link = await screens.offer(conn, name, walls, now)
        await record(conn, INSTALLATION, account_id, "wall-added", "account", [account_id])
    address = f"{request.state['settings'].base_url}/mur/ecran/{link}"
    return show(request, "device.html", name=name, secret="", scopes=[], link=address)


async def screen_page(request: Request[State]) -> Response:
    """The link, opened on the screen itself: what it would make of it. Looking spends nothing."""
    link, desk = request.path_params["link"], request.state["desk"]
    async with looking(desk.pool) as conn:
        offered = await screens.offered_by(conn, link, desk.clock.now())
    if offered is None:
        return show(request, "screen_ended.html", status=410)
    names = [it.name for number, it in desk.territories.by_id.items() if number in offered.walls]
    return show(request, "screen.html", name=offered.name, territories=names, link=link)


async def begin_screen(request: Request[State]) -> Response:
    """From now on this browser shows the wall, and nothing else, by a cookie that no link tells."""
    form = await request.form()
    link, now = str(form.get("link", "")), request.state["desk"].clock.now()
    async with entered(request.state["desk"].pool, None, [INSTALLATION]) as conn:
        begun = await screens.begin(conn, link, now)
        if begun is None:
            return show(request, "screen_ended.html", status=410)
        await record(conn, INSTALLATION, None, "wall-opened", "account", [begun.owner_id])
    response = see_other("/mur")
    give_wall_cookie(response, begun.secret, screens.SCREEN_FOR, request.state["settings"])
    return response


def _name(form: FormData) -> str:
    return " ".join(str(form.get("name", "")).split())[:NAME_LENGTH_MAX]
