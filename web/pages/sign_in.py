"""`/connexion` in its two steps."""

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from slots.second_factor import Factor
from slots.store.factor import factors_of
from slots.store.ticket import Purpose
from slots.transaction import looking
from web import sign_in as sessions
from web.auth import give_cookie
from web.errors import problem_of
from web.pages.page import (
    SEE_OTHER,
    notice_of,
    own_path,
    screens_of,
    see_other,
    show,
    viewer_of,
)
from web.passkeys import relying_party
from web.refusals import FactorRefused, NotSignedIn, SignInRefused, TicketEnded, TooManyTries
from web.second_factor import ask_passkey, with_code, with_passkey
from web.sign_in import FactorDue, Opened
from web.state import State
from web.tickets import give_ticket, take_ticket, ticket_id_of, ticket_of

FACTOR_PATH: Final = "/connexion/facteur"
PROTECTION_PATH: Final = "/protection"
NOTICES: Final = {
    "trop-tard": "Cette étape est terminée ou a trop duré. Recommencez, s’il vous plaît.",
    "verrou": "La session verrouillée est terminée : connectez-vous à nouveau.",
    "psc-absent": "Pro Santé Connect ne répond pas. Réessayez, ou connectez-vous autrement.",
    "psc-refuse": "Pro Santé Connect n’a pas confirmé votre identité. Recommencez, s’il vous plaît.",
}


async def home(request: Request[State]) -> Response:
    """`/`: the best screen of whoever is signed in."""
    viewer = await viewer_of(request)
    return see_other(viewer.screens[0].path)


async def sign_in_page(request: Request[State]) -> Response:
    """The form; who is signed in already goes on."""
    after = own_path(request.query_params.get("suite"), "/")
    try:
        await viewer_of(request)
    except NotSignedIn:
        return _form(request, after, refusal=notice_of(request, NOTICES))
    return see_other(after)


async def sign_in(request: Request[State]) -> Response:
    """The first step: begin a session, or go on to what is due beside the password."""
    form = await request.form()
    email, password = str(form.get("email", "")), str(form.get("password", ""))
    after = own_path(str(form.get("after", "")), "/")
    try:
        is_phone = form.get("phone") == "yes"
        outcome = await sessions.sign_in(request, email, password, is_phone=is_phone)
    except (SignInRefused, TooManyTries) as refused:
        problem = problem_of(refused)
        return _form(request, after, email=email, refusal=problem.detail, status=problem.status)
    return go_on(request, outcome, after, is_phone=is_phone)


def go_on(
    request: Request[State], outcome: Opened | FactorDue, after: str, *, is_phone: bool = False
) -> Response:
    """To the screen of whoever is signed in now, or to the step that is due."""
    settings = request.state["settings"]
    if isinstance(outcome, FactorDue):
        path = FACTOR_PATH if outcome.factors else PROTECTION_PATH
        purpose = Purpose.SIGN_IN if outcome.factors else Purpose.ENROL
        response: Response = see_other(
            path, suite=None if after == "/" else after, telephone="oui" if is_phone else None
        )
        give_ticket(response, outcome.ticket_id, purpose, settings)
        return response
    if after == "/":
        after = screens_of(outcome.signed_in.account)[0].path
    response = RedirectResponse(after, SEE_OTHER)
    take_ticket(response, settings)
    give_cookie(response, outcome.session_id, outcome.good_for, settings)
    return response


async def factor_page(request: Request[State]) -> Response:
    """The second step: what the account may show, the best first."""
    after = own_path(request.query_params.get("suite"), "/")
    try:
        is_phone = request.query_params.get("telephone") == "oui"
        return await _factor_form(request, after, is_phone=is_phone)
    except TicketEnded:
        return _begin_again(after)


async def factor(request: Request[State]) -> Response:
    """A code, or the answer of a passkey."""
    form = await request.form()
    after = own_path(str(form.get("after", "")), "/")
    is_phone = form.get("phone") == "yes"
    try:
        if form.get("credential"):
            # From the first step it brings its own ticket: nobody has given one to the browser yet.
            ticket_id = str(form.get("ticket") or ticket_id_of(request))
            opened = await with_passkey(request, ticket_id, credential_of(form), is_phone=is_phone)
        else:
            kind = Factor.RECOVERY if form.get("recovery") else Factor.TOTP
            code = str(form.get("recovery") or form.get("code") or "")
            opened = await with_code(
                request, ticket_id_of(request), kind, code[:100], is_phone=is_phone
            )
    except TicketEnded:
        return _begin_again(after)
    except (FactorRefused, TooManyTries) as refused:
        problem = problem_of(refused)
        if form.get("ticket"):
            return _form(request, after, refusal=problem.detail, status=problem.status)
        try:
            return await _factor_form(
                request,
                after,
                error=problem.detail,
                asked="recovery"
                if form.get("recovery")
                else "key"
                if form.get("credential")
                else "code",
                is_phone=is_phone,
                status=problem.status,
            )
        except TicketEnded:
            return _begin_again(after)
    return go_on(request, opened, after, is_phone=is_phone)


def credential_of(form: Any) -> dict[str, Any]:
    """What the browser's passkey has answered, from the hidden field that a script fills in.

    Raises:
        FactorRefused: It is no JSON object.
    """
    try:
        value = json.loads(str(form.get("credential", "")))
    except (ValueError, RecursionError) as error:
        raise FactorRefused from error
    if not isinstance(value, dict):
        raise FactorRefused
    return value


def _form(
    request: Request[State],
    after: str,
    *,
    email: str = "",
    refusal: str | None = None,
    status: int = 200,
) -> Response:
    return show(
        request,
        "sign_in.html",
        status=status,
        after=after,
        email=email,
        refusal=refusal,
        has_passkeys=relying_party(request) is not None,
        has_psc=request.state["pro_sante_connect"].is_offered,
    )


async def _factor_form(
    request: Request[State],
    after: str,
    *,
    error: str = "",
    asked: str = "code",
    is_phone: bool = False,
    status: int = 200,
) -> Response:
    ticket_id = ticket_id_of(request)
    ticket = await ticket_of(request, ticket_id, Purpose.SIGN_IN)
    assert ticket.account_id is not None
    async with looking(request.state["desk"].pool) as conn:
        kinds = (await factors_of(conn, ticket.account_id)).kinds
    options = None
    if Factor.PASSKEY in kinds and relying_party(request) is not None:
        _, options = await ask_passkey(request, ticket_id)
    return show(
        request,
        "second_factor.html",
        status=status,
        after=after,
        kinds=kinds,
        options=options,
        error=error,
        asked=asked,
        is_phone=is_phone,
    )


def _begin_again(after: str) -> Response:
    return see_other("/connexion", suite=None if after == "/" else after, fait="trop-tard")
