"""The workstations of regulation rooms: registered on `/installation`, confirmed at the PC itself."""

from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from slots.errors import NotAllowed
from slots.ids import INSTALLATION, AccountId, OrganisationId
from slots.store import workstation as store
from slots.store.audit import record
from slots.transaction import entered, looking
from web.auth import give_workstation_cookie
from web.pages.installation import PATH, administrator_of, installation_page
from web.pages.own_protection import TYPED_WITHIN, is_proved
from web.pages.page import posted, see_other, show
from web.refusals import ProofDue
from web.state import State

NAME_LENGTH_MAX: Final = 60


async def add_workstation(request: Request[State]) -> Response:
    """Register one, and tell its link once."""
    viewer = await administrator_of(request)
    if not await is_proved(request, TYPED_WITHIN):
        raise ProofDue
    form = await posted(request)
    name = " ".join(str(form.get("station", "")).split())[:NAME_LENGTH_MAX]
    async with looking(request.state["desk"].pool) as conn:
        organisations = await store.regulation_organisations(conn)
    chosen = str(form.get("organisation", ""))
    organisation_id = next((it for it in organisations if str(it) == chosen), None)
    errors = {}
    if not name:
        errors["station"] = "Le nom du poste est attendu, comme Salle de régulation, poste 3."
    if organisation_id is None:
        errors["organisation"] = "Choisissez l’organisation dont c’est la salle de régulation."
    if errors or organisation_id is None:
        values = {"station": name, "organisation": chosen}
        return await installation_page(request, values, errors, status=422)
    link = await _added(request, viewer.account.id, organisation_id, name)
    return show(request, "workstation_link.html", name=name, link=link)


async def revoke_workstation(request: Request[State]) -> Response:
    """It counts no more; whoever is signed in there by it is signed out. Safe to repeat."""
    viewer = await administrator_of(request)
    if not await is_proved(request, TYPED_WITHIN):
        raise ProofDue
    await posted(request)
    workstation_id: UUID = request.path_params["workstation_id"]
    now, account_id = request.state["desk"].clock.now(), viewer.account.id
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        if await store.revoke(conn, workstation_id, now):
            await record(
                *(conn, INSTALLATION, account_id, "workstation-ended", "workstation"),
                [workstation_id],
            )
    return see_other(PATH, fait="poste-retire")


async def workstation_page(request: Request[State]) -> Response:
    """The link, opened at the PC: what it would make of it. Looking spends nothing."""
    link = request.path_params["link"]
    async with looking(request.state["desk"].pool) as conn:
        offered = await store.offered_by(conn, link, request.state["desk"].clock.now())
    if offered is None:
        return show(request, "workstation_ended.html", status=410)
    return show(request, "workstation.html", offered=offered, link=link)


async def confirm_workstation(request: Request[State]) -> Response:
    """This PC is the workstation from now on."""
    form = await request.form()
    link, now = str(form.get("link", "")), request.state["desk"].clock.now()
    async with entered(request.state["desk"].pool, None, [INSTALLATION]) as conn:
        offered = await store.offered_by(conn, link, now)
        secret = await store.confirm(conn, link, now)
        if offered is None or secret is None:
            return show(request, "workstation_ended.html", status=410)
        await record(conn, INSTALLATION, None, "workstation-confirmed", "workstation", [offered.id])
    response = show(request, "workstation.html", offered=offered, link="")
    give_workstation_cookie(response, secret, offered.expires_at - now, request.state["settings"])
    return response


async def _added(
    request: Request[State], account_id: AccountId, organisation_id: OrganisationId, name: str
) -> str:
    now = request.state["desk"].clock.now()
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        added = await store.add(conn, organisation_id, name, now)
        if added is None:
            raise NotAllowed
        workstation_id, link = added
        await record(
            *(conn, INSTALLATION, account_id, "workstation-added", "workstation"),
            [workstation_id],
        )
    return f"{request.state['settings'].base_url}/poste/{link}"
