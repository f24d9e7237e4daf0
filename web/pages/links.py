"""What mails lead to: an invitation, or a new password. And asking for the latter.

A link is exchanged for a cookie at once, so that it stays in no history, and is spent only by what
is sent from the page: a mail program that looks at links ahead of its reader spends nothing.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from slots.ids import INSTALLATION, AccountId
from slots.letters import Letter, invitation, new_password, password_changed
from slots.password import fault_of
from slots.second_factor import Proof
from slots.secret_id import hash_of
from slots.store import factor as factors
from slots.store import session as session_store
from slots.store import ticket as tickets
from slots.store.audit import record
from slots.store.ticket import Purpose, Ticket
from slots.transaction import entered, looking
from web.pages.page import see_other, show
from web.pages.sign_in import go_on
from web.refusals import TicketEnded
from web.sign_in import address_of, begin, due
from web.state import State
from web.tickets import give_ticket, ticket_id_of, ticket_of

PATH: Final = "/nouveau-mot-de-passe"
PURPOSES: Final = (Purpose.INVITATION, Purpose.RESET)


async def follow_link(request: Request[State]) -> Response:
    """The link of a mail; one that came too late says so and offers another."""
    token = request.path_params["token"]
    try:
        ticket = await ticket_of(request, token, *PURPOSES)
    except TicketEnded:
        return show(request, "link_ended.html", status=410, token=token, is_asked=False)
    response = see_other(PATH)
    give_ticket(response, token, ticket.purpose, request.state["settings"])
    return response


async def ask_link_again(request: Request[State]) -> Response:
    """Another mail to whoever a late link was for. The answer is the same for any link."""
    form = await request.form()
    token = str(form.get("token", ""))
    now = request.state["desk"].clock.now()
    product_name = request.state["settings"].product_name
    async with looking(request.state["desk"].pool) as conn:
        await tickets.ask_link_again(
            conn,
            hash_of(token),
            {
                Purpose.INVITATION: invitation(product_name),
                Purpose.RESET: new_password(product_name),
            },
            now,
        )
    return show(request, "link_ended.html", token=token, is_asked=True)


async def forgotten_page(request: Request[State]) -> Response:
    """Ask for the link to a new password."""
    return show(request, "password_forgotten.html", email="", is_asked=False)


async def forgotten(request: Request[State]) -> Response:
    """Nothing in the answer says whether somebody has this address."""
    form = await request.form()
    email = str(form.get("email", "")).strip()[:254]
    letter: Letter = new_password(request.state["settings"].product_name)
    async with looking(request.state["desk"].pool) as conn:
        await tickets.ask_new_password(conn, email, letter, request.state["desk"].clock.now())
    return show(request, "password_forgotten.html", email=email, is_asked=True)


async def password_page(request: Request[State]) -> Response:
    """Choose a password; who was invited may make a passkey instead."""
    try:
        ticket = await ticket_of(request, ticket_id_of(request), *PURPOSES)
    except TicketEnded:
        return see_other("/connexion", fait="trop-tard")
    return _form(request, ticket)


async def choose_password(request: Request[State]) -> Response:
    """Take the new password, end all sessions, and go on to the second factor."""
    form = await request.form()
    password = str(form.get("password", ""))
    try:
        ticket = await ticket_of(request, ticket_id_of(request), *PURPOSES)
    except TicketEnded:
        return see_other("/connexion", fait="trop-tard")
    assert ticket.account_id is not None
    known = (ticket.email, ticket.name, request.state["settings"].product_name)
    if (fault := fault_of(password, known)) is not None:
        return _form(request, ticket, error=fault, status=422)
    password_hash = await request.state["passwords"].hash(password)
    if not await _set_password(request, ticket, ticket.account_id, password_hash):
        return see_other("/connexion", fait="trop-tard")
    await request.state["sessions"].end_all_of(ticket.account_id)
    async with looking(request.state["desk"].pool) as conn:
        kinds = (await factors.factors_of(conn, ticket.account_id)).kinds
    if kinds:
        outcome = await due(request, Purpose.SIGN_IN, ticket.account_id, kinds)
    elif request.state["settings"].is_factor_required:
        outcome = await due(request, Purpose.ENROL, ticket.account_id)
    else:
        return go_on(request, await begin(request, ticket.account_id, Proof.PASSWORD), "/")
    return go_on(request, outcome, "/")


async def _set_password(
    request: Request[State], ticket: Ticket, account_id: AccountId, password_hash: str
) -> bool:
    """In one transaction: the ticket and all others of the account are spent with it."""
    now = request.state["desk"].clock.now()
    async with entered(request.state["desk"].pool, None, [INSTALLATION]) as conn:
        if not await tickets.spend_ticket(conn, ticket.id_hash, now):
            return False
        await tickets.spend_tickets_of(conn, account_id, now)
        await factors.set_password(conn, account_id, password_hash)
        # Guesses at the second factor stay counted: whoever reads the mails must not begin anew.
        await session_store.forget_sign_in_failures(conn, ticket.email, address_of(request))
        await record(conn, INSTALLATION, account_id, "password-changed", "account", [account_id])
        if ticket.purpose is Purpose.RESET:
            letter = password_changed(now, request.state["settings"].product_name)
            await tickets.write_to_account(conn, account_id, letter, now)
    return True


def _form(
    request: Request[State], ticket: Ticket, *, error: str = "", status: int = 200
) -> Response:
    return show(
        request,
        "new_password.html",
        status=status,
        email=ticket.email,
        name=ticket.name,
        is_invitation=ticket.purpose is Purpose.INVITATION,
        has_password=False,  # whoever follows a link has none yet, or has forgotten it
        errors={"password": error} if error else {},
    )
