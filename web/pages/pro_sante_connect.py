"""`/connexion/psc`: sign in by Pro Santé Connect, or ask a coordinator for admission."""

from typing import Final
from uuid import uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from slots.errors import Unavailable
from slots.ids import INSTALLATION, TerritoryId
from slots.letters import admission
from slots.mail_address import is_mail_address
from slots.sealing import Unsealable
from slots.second_factor import Proof
from slots.secret_id import hash_of
from slots.store import pro_sante_connect as store
from slots.store.ticket import Purpose, Ticket, spend_ticket
from slots.transaction import entered, looking
from web import sign_in as sessions
from web.auth import browser_hash_of, take_cookie
from web.pages.page import SEE_OTHER, own_path, posted, see_other, show
from web.pages.sign_in import go_on
from web.pro_sante_connect import Asked, Professional, ProSanteConnect
from web.refusals import FactorRefused, NotFound, TicketEnded
from web.second_factor import opened_by, sealer_of
from web.state import State
from web.tickets import give_ticket, take_ticket, ticket_id_of, ticket_of

PLACE: Final = "ticket.secret/psc"
ASKED_HERE: Final = ("same-origin", "none")  # a link of ours, or an address that somebody typed
TOKEN_PLACE: Final = "session.id_token"  # noqa: S105 - a place, no secret


class Newcomer(msgspec.Struct, frozen=True):
    """Who waits for admission, sealed in a ticket: Pro Santé Connect's word."""

    rpps: str
    name: str
    profession: str | None
    specialty: str | None


class Wish(msgspec.Struct, frozen=True):
    """What somebody asks of a coordinator, sealed until they have read our mail."""

    newcomer: Newcomer
    territory_id: int
    email: str
    organisation: str


async def begin(request: Request[State]) -> Response:
    """Send the browser there, where whoever is before it has asked for that here."""
    psc = provider_of(request)
    after = own_path(request.query_params.get("suite"), "/")
    # Who is signed in there would be signed in here by any other site's link or frame (ASVS 7.6.2).
    if request.headers.get("sec-fetch-site", "none") not in ASKED_HERE:
        return see_other("/connexion", suite=None if after == "/" else after)
    try:
        # Who has a session here already is asked who they are: for a step-up, or before a lock.
        is_again = browser_hash_of(request) is not None
        address, asked = await psc.question(after, is_again=is_again)
    except (Unavailable, FactorRefused):
        return see_other("/connexion", fait="psc-absent")
    return await _with_ticket(
        request, RedirectResponse(address, SEE_OTHER), Purpose.PSC, msgspec.json.encode(asked)
    )


async def come_back(request: Request[State]) -> Response:
    """It is back: a session for who is known, the way to admission for who is not."""
    psc = provider_of(request)
    try:
        ticket = await _spent(request, Purpose.PSC)
        asked = msgspec.json.decode(_opened(request, ticket), type=Asked)
        professional = await psc.answer(
            asked,
            request.query_params.get("state", ""),
            request.query_params.get("code", ""),
        )
    except TicketEnded:
        return see_other("/connexion", fait="trop-tard")
    except FactorRefused:
        return see_other("/connexion", fait="psc-refuse")
    except Unavailable:
        return see_other("/connexion", fait="psc-absent")
    async with looking(request.state["desk"].pool) as conn:
        account_id = await store.account_of_rpps(conn, professional.rpps)
    if account_id is None:
        newcomer = Newcomer(
            professional.rpps, professional.name, professional.profession, professional.specialty
        )
        return await _with_ticket(
            request,
            see_other("/admission"),
            Purpose.ADMISSION,
            msgspec.json.encode(newcomer),
        )
    opened = await opened_by(request, account_id, Proof.PSC)
    await _keep_token(request, professional, hash_of(opened.session_id))
    return go_on(request, opened, asked.after)


async def admission_page(request: Request[State]) -> Response:
    """Whom to ask, and how to be reached."""
    try:
        ticket = await ticket_of(request, ticket_id_of(request), Purpose.ADMISSION)
    except TicketEnded:
        return see_other("/connexion", fait="trop-tard")
    return _form(request, ticket, {}, {})


async def ask_admission(request: Request[State]) -> Response:
    """Ask the coordinator of a territory. Nothing is open until they have answered."""
    form = await request.form()
    try:
        ticket = await ticket_of(request, ticket_id_of(request), Purpose.ADMISSION)
    except TicketEnded:
        return see_other("/connexion", fait="trop-tard")
    names = ("territory", "email", "organisation")
    values = {name: " ".join(str(form.get(name, "")).split())[:200] for name in names}
    known = request.state["desk"].territories.by_id
    errors = {}
    if values["territory"] not in {str(number) for number in known}:
        errors["territory"] = "Choisissez le territoire où vous exercez."
    if not is_mail_address(values["email"]):
        errors["email"] = "Une adresse de courriel est attendue."
    if not values["organisation"]:
        errors["organisation"] = "Le lieu d’exercice est attendu."
    if errors:
        return _form(request, ticket, values, errors, status=422)
    newcomer = msgspec.json.decode(_opened(request, ticket), type=Newcomer)
    wish = Wish(newcomer, int(values["territory"]), values["email"], values["organisation"])
    if not await _write(request, ticket, wish):
        return see_other("/connexion", fait="trop-tard")
    response = show(request, "admission_asked.html", email=wish.email, territory=None)
    take_ticket(response, request.state["settings"])
    return response


async def address_page(request: Request[State]) -> Response:
    """The link of the mail: whoever reads it sends the wish with one press."""
    token = request.path_params["token"]
    try:
        await ticket_of(request, token, Purpose.ADDRESS)
    except TicketEnded:
        return see_other("/connexion", fait="trop-tard")
    return show(request, "admission_address.html", token=token)


async def confirm_address(request: Request[State]) -> Response:
    """The address is theirs: now the coordinator is asked."""
    form = await request.form()
    now = request.state["desk"].clock.now()
    try:
        ticket = await ticket_of(request, str(form.get("token", "")), Purpose.ADDRESS)
    except TicketEnded:
        return see_other("/connexion", fait="trop-tard")
    wish = msgspec.json.decode(_opened(request, ticket), type=Wish)
    territory_id = TerritoryId(wish.territory_id)
    async with entered(request.state["desk"].pool, None, [territory_id]) as conn:
        if not await spend_ticket(conn, ticket.id_hash, now):
            return see_other("/connexion", fait="trop-tard")
        asked = store.Admission(
            uuid4(),
            wish.newcomer.rpps,
            wish.newcomer.name,
            wish.email,
            wish.organisation,
            now,
            wish.newcomer.profession,
            wish.newcomer.specialty,
        )
        await store.ask_admission(conn, territory_id, asked)
    territory = request.state["desk"].territories.by_id[territory_id]
    return show(request, "admission_asked.html", email="", territory=territory)


async def _write(request: Request[State], ticket: Ticket, wish: Wish) -> bool:
    """Write to the address that was typed; False where the ticket is spent."""
    settings, now = request.state["settings"], request.state["desk"].clock.now()
    token = store.new_ticket_id()
    territory = request.state["desk"].territories.by_id[TerritoryId(wish.territory_id)]
    letter = admission(
        territory.name, f"{settings.base_url}/admission/{token}", settings.product_name
    )
    sealed = sealer_of(request).seal(msgspec.json.encode(wish), _place(token))
    async with entered(request.state["desk"].pool, None, [INSTALLATION]) as conn:
        if not await spend_ticket(conn, ticket.id_hash, now):
            return False
        await store.open_psc_ticket(conn, token, Purpose.ADDRESS, now, sealed)
        await store.write_to_address(conn, wish.email, letter, now)
    return True


def _place(token: str) -> str:
    return f"{PLACE}/{hash_of(token).hex()}"


async def sign_out(request: Request[State]) -> Response:
    """End the session, here, on its open sockets, and where Pro Santé Connect has opened it there."""
    await posted(request)
    psc: ProSanteConnect = request.state["pro_sante_connect"]
    id_token = await _id_token(request) if psc.is_offered else None
    await sessions.sign_out(request)
    address = await psc.farewell(id_token) if id_token else None
    response: Response = see_other("/connexion")
    if address is not None:
        # By way of a page of ours: neither a form nor a fetch may lead to another site.
        response = await _with_ticket(
            request, see_other("/au-revoir"), Purpose.PSC, address.encode()
        )
    take_cookie(response, request.state["settings"])
    return response


async def goodbye(request: Request[State]) -> Response:
    """Send the browser to sign out there too; it comes back to `/connexion`."""
    try:
        ticket = await ticket_of(request, ticket_id_of(request), Purpose.PSC)
    except TicketEnded:
        return see_other("/connexion")
    return show(request, "goodbye.html", address=_opened(request, ticket).decode())


def provider_of(request: Request[State]) -> ProSanteConnect:
    """Pro Santé Connect. Raises NotFound where this installation has it not."""
    psc: ProSanteConnect = request.state["pro_sante_connect"]
    if not psc.is_offered:
        raise NotFound
    return psc


async def _with_ticket(
    request: Request[State], response: Response, purpose: Purpose, content: bytes
) -> Response:
    ticket_id, now = store.new_ticket_id(), request.state["desk"].clock.now()
    sealed = sealer_of(request).seal(content, _place(ticket_id))
    async with looking(request.state["desk"].pool) as conn:
        await store.open_psc_ticket(conn, ticket_id, purpose, now, sealed)
    give_ticket(response, ticket_id, purpose, request.state["settings"])
    return response


async def _spent(request: Request[State], purpose: Purpose) -> Ticket:
    """The ticket in the browser, for whoever comes first with it."""
    ticket = await ticket_of(request, ticket_id_of(request), purpose)
    async with looking(request.state["desk"].pool) as conn:
        if not await spend_ticket(conn, ticket.id_hash, request.state["desk"].clock.now()):
            raise TicketEnded
    return ticket


def _opened(request: Request[State], ticket: Ticket) -> bytes:
    return sealer_of(request).open(ticket.secret or b"\0", f"{PLACE}/{ticket.id_hash.hex()}")


async def _id_token(request: Request[State]) -> str | None:
    session_hash = browser_hash_of(request)
    if session_hash is None:
        return None
    async with looking(request.state["desk"].pool) as conn:
        sealed = await store.id_token_of(conn, session_hash)
    try:
        return sealer_of(request).open(sealed, TOKEN_PLACE).decode() if sealed else None
    except Unsealable:  # its key is gone: signing out here goes on
        return None


async def _keep_token(
    request: Request[State], professional: Professional, session_hash: bytes
) -> None:
    sealed = sealer_of(request).seal(professional.id_token.encode(), TOKEN_PLACE)
    async with looking(request.state["desk"].pool) as conn:
        await store.keep_id_token(conn, session_hash, sealed)


def _form(
    request: Request[State],
    ticket: Ticket,
    values: dict[str, str],
    errors: dict[str, str],
    *,
    status: int = 200,
) -> Response:
    newcomer = msgspec.json.decode(_opened(request, ticket), type=Newcomer)
    return show(
        request,
        "admission.html",
        status=status,
        newcomer=newcomer,
        territories=list(request.state["desk"].territories.by_id.values()),
        values=values,
        form={"errors": errors},
    )
