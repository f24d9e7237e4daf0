"""Signing in and out, for programs and pages alike."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from slots.errors import FieldError, Invalid
from slots.second_factor import Factor
from web.api.answers import FactorsAnswer, PasskeyAnswer, session_answer
from web.api.bodies import FactorBody, PasskeyBody, SignInBody
from web.api.endpoint import answered, body_of, desk_of, nothing
from web.auth import give_cookie, signed_in, take_cookie
from web.second_factor import ask_passkey, with_code, with_passkey
from web.sign_in import FactorDue, Opened, sign_in, sign_out

REQUIRED = "Ce champ est obligatoire."


async def open_session(request: Request[Any]) -> Response:
    """Sign in: the answer carries the cookie, or says what is due beside the password."""
    body = await body_of(request, SignInBody)
    outcome = await sign_in(request, body.email, body.password)
    if isinstance(outcome, FactorDue):
        due = FactorsAnswer(outcome.ticket_id, list(outcome.factors), outcome.expires_at)
        return answered(due, status=202)
    return _opened(request, outcome)


async def complete_session(request: Request[Any]) -> Response:
    """The second step of signing in: the answer carries the cookie."""
    body = await body_of(request, FactorBody)
    if body.factor == "passkey":
        if body.credential is None:
            raise Invalid([FieldError("credential", REQUIRED)])
        return _opened(request, await with_passkey(request, body.ticket, body.credential))
    if body.code is None:
        raise Invalid([FieldError("code", REQUIRED)])
    return _opened(request, await with_code(request, body.ticket, Factor(body.factor), body.code))


async def question_passkey(request: Request[Any]) -> Response:
    """What to ask a passkey for; without a ticket, whichever the person has."""
    body = await body_of(request, PasskeyBody)
    ticket, options = await ask_passkey(request, body.ticket)
    return answered(PasskeyAnswer(ticket, msgspec.json.decode(options)))


async def show_session(request: Request[Any]) -> Response:
    """Who is signed in."""
    account = (await signed_in(request)).account
    return answered(session_answer(account, desk_of(request).territories))


async def end_session(request: Request[Any]) -> Response:
    """Sign out. Safe to repeat."""
    await sign_out(request)
    answer = nothing()
    take_cookie(answer, request.state["settings"])
    return answer


def _opened(request: Request[Any], opened: Opened) -> Response:
    answer = answered(session_answer(opened.signed_in.account, desk_of(request).territories))
    give_cookie(answer, opened.session_id, opened.good_for, request.state["settings"])
    return answer
