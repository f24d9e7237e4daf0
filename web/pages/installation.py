"""`/installation`: territories and workstations, for its administrator, who sees nothing inside them."""

import re
from collections.abc import Iterable
from typing import Final

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from slots.desk import look_for_territories
from slots.errors import NotAllowed
from slots.ids import INSTALLATION, TerritoryId
from slots.letters import invitation
from slots.mail_address import is_mail_address
from slots.store import coordination as store
from slots.store import workstation as workstations
from slots.store.audit import record
from slots.transaction import entered
from web.pages.own_protection import TYPED_WITHIN, ask_who, is_proved
from web.pages.page import Viewer, notice_of, posted, see_other, show, viewer_of
from web.refusals import ProofDue
from web.state import State

PATH: Final = "/installation"
NOTICES: Final = {
    "cree": "Territoire créé ; sa coordination reçoit une invitation par courriel.",
    "poste-retire": "Poste retiré : il ne compte plus, et qui s’y était connecté par lui est déconnecté.",
}
SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


async def installation(request: Request[State]) -> Response:
    """The territories, and the form that adds one."""
    await administrator_of(request)
    if not await is_proved(request):
        return await ask_who(request, PATH)
    return await installation_page(request, {}, {})


async def add_territory(request: Request[State]) -> Response:
    """Add a territory with the words of another, and name its first coordinator."""
    viewer = await administrator_of(request)
    if not await is_proved(request, TYPED_WITHIN):
        raise ProofDue
    form = await posted(request)
    names = ("name", "slug", "department", "like", "coordinator", "email")
    values = {name: " ".join(str(form.get(name, "")).split())[:120] for name in names}
    known = request.state["desk"].territories.by_id
    errors = _errors(values, {str(number) for number in known})
    neighbours = [number for number in known if str(number) in form.getlist("neighbour")]
    if not errors:
        try:
            await _add(request, viewer, values, neighbours)
        except asyncpg.UniqueViolationError as error:
            taken = {
                "territory_slug_unique": ("slug", "Ce nom d’adresse est déjà pris."),
                "account_email_unique": ("email", "Ce compte a été désactivé."),
            }
            errors = dict([taken.get(error.constraint_name or "", ("name", "Recommencez."))])
    if errors:
        return await installation_page(request, values, errors, neighbours, status=422)
    await look_for_territories(request.state["desk"])
    return see_other(PATH, fait="cree")


async def administrator_of(request: Request[State]) -> Viewer:
    """Who administers the service.

    Raises:
        NotAllowed: The viewer does not.
    """
    viewer = await viewer_of(request)
    if not viewer.account.is_administrator:
        raise NotAllowed
    return viewer


async def _add(
    request: Request[State], viewer: Viewer, values: dict[str, str], neighbours: list[TerritoryId]
) -> None:
    letter = invitation(request.state["settings"].product_name)
    now, account_id = request.state["desk"].clock.now(), viewer.account.id
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        number = await store.add_territory(
            conn,
            values["slug"],
            values["name"],
            values["department"],
            TerritoryId(int(values["like"])),
            neighbours,
        )
        if number is None:
            raise NotAllowed
        coordinator_id = await store.name_coordinator(
            conn, number, values["email"].lower(), values["coordinator"], letter, now
        )
        assert coordinator_id is not None
        await record(
            conn, INSTALLATION, account_id, "name-coordinator", "account", [coordinator_id]
        )


def _errors(values: dict[str, str], known: set[str]) -> dict[str, str]:
    errors = {}
    if not values["name"]:
        errors["name"] = "Le nom de la CPTS est attendu."
    if not SLUG.fullmatch(values["slug"]):
        errors["slug"] = (
            "Des lettres sans accent, des chiffres et des tirets, comme bassin-de-thau."
        )
    if not re.fullmatch(r"[0-9][0-9AB][0-9]?", values["department"]):
        errors["department"] = "Un numéro de département est attendu, comme 34."
    if values["like"] not in known:
        errors["like"] = "Choisissez le territoire dont reprendre les actes et les motifs."
    if not values["coordinator"]:
        errors["coordinator"] = "Le prénom et le nom sont attendus."
    if not is_mail_address(values["email"]):
        errors["email"] = "Une adresse de courriel est attendue."
    return errors


async def installation_page(
    request: Request[State],
    values: dict[str, str],
    errors: dict[str, str],
    neighbours: Iterable[TerritoryId] = (),
    *,
    status: int = 200,
) -> Response:
    """The page, with what was typed and what is to be mended."""
    account_id = request.scope["state"]["viewer"].account.id
    async with entered(request.state["desk"].pool, account_id, ()) as conn:
        stations = await workstations.registered(conn, request.state["desk"].clock.now())
        organisations = await workstations.regulation_organisations(conn)
    territories = list(request.state["desk"].territories.by_id.values())
    return show(
        request,
        "installation.html",
        status=status,
        territories=territories,
        values=values,
        neighbours=neighbours,
        workstations=stations,
        organisations=organisations,
        form={"errors": errors},
        notice=notice_of(request, NOTICES),
    )
