"""Signing in and out, for programs and pages alike."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from web.api.answers import session_answer
from web.api.bodies import SignInBody
from web.api.endpoint import answered, body_of, desk_of, nothing
from web.auth import give_cookie, signed_in, take_cookie
from web.sign_in import sign_in, sign_out


async def open_session(request: Request[Any]) -> Response:
    """Sign in: the answer carries the cookie."""
    body = await body_of(request, SignInBody)
    opened = await sign_in(request, body.email, body.password)
    answer = answered(session_answer(opened.signed_in.account, desk_of(request).territories))
    give_cookie(answer, opened.session_id, request.state["settings"])
    return answer


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
