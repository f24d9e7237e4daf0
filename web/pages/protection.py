"""`/protection`: add a passkey or an authenticator app, the first one or one more."""

import io
from contextlib import suppress
from typing import Final

import segno
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from slots.store.ticket import Purpose, Ticket
from web import enrolment
from web.errors import problem_of
from web.pages.page import own_path, see_other, show, viewer_of
from web.pages.sign_in import credential_of, go_on
from web.refusals import FactorRefused, NotSignedIn, TicketEnded
from web.second_factor import opened_by
from web.state import State
from web.tickets import ticket_id_of

QR_MODULE_PX: Final = 4


async def protection_page(request: Request[State]) -> Response:
    """What can be added here, with what is needed for it."""
    after = own_path(request.query_params.get("suite"), "/")
    try:
        ticket = await enrolment.enrolling(request, ticket_id_of(request))
    except TicketEnded:
        return await _ended(request)
    return await _form(request, ticket, after)


async def add_app(request: Request[State]) -> Response:
    """Add the app that has read the QR code and shows this code."""
    form = await request.form()
    return await _add(request, form, "app")


async def add_passkey(request: Request[State]) -> Response:
    """Add the passkey that the browser has just made."""
    form = await request.form()
    return await _add(request, form, "passkey")


async def _add(request: Request[State], form: FormData, kind: str) -> Response:
    after = own_path(str(form.get("after", "")), "/")
    try:
        ticket = await enrolment.enrolling(request, ticket_id_of(request))
        if kind == "app":
            await enrolment.add_app(request, ticket, str(form.get("code", ""))[:20])
        else:
            await enrolment.add_passkey(request, ticket, credential_of(form))
    except TicketEnded:
        return await _ended(request)
    except FactorRefused as refused:
        return await _form(
            request, ticket, after, kind=kind, error=problem_of(refused).detail, status=401
        )
    codes = await enrolment.recovery_codes(request, ticket)
    assert ticket.account_id is not None
    try:
        opened = await opened_by(request, ticket.account_id, enrolment.proof_of(kind))
    except NotSignedIn:  # disabled meanwhile
        return see_other("/connexion", fait="trop-tard")
    response = go_on(request, opened, after)
    if not codes:
        return response
    page = show(request, "recovery_codes.html", codes=codes, after=response.headers["location"])
    # The same cookies: the session begins, the ticket ends.
    page.raw_headers += [header for header in response.raw_headers if header[0] == b"set-cookie"]
    return page


async def _ended(request: Request[State]) -> Response:
    """Say so where whoever it was can read it."""
    try:
        await viewer_of(request)
    except NotSignedIn:
        return see_other("/connexion", fait="trop-tard")
    return see_other("/compte", fait="trop-tard")


async def _form(
    request: Request[State],
    ticket: Ticket,
    after: str,
    *,
    kind: str = "",
    error: str = "",
    status: int = 200,
) -> Response:
    with suppress(NotSignedIn):
        await viewer_of(request)  # the frame of the page, for who is signed in already
    address = await enrolment.app_to_add(request, ticket)
    return show(
        request,
        "protection.html",
        status=status,
        after=after,
        is_first=ticket.purpose is not Purpose.ADD,
        options=await enrolment.passkey_to_add(request, ticket),
        qr=_qr(address) if address else None,
        secret=_secret(address) if address else "",
        email=ticket.email,
        errors={kind: error},
    )


def _qr(address: str) -> str:
    drawn = io.BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", scale=QR_MODULE_PX, border=4, xmldecl=False, svgns=True, light="#fff"
    )
    return drawn.getvalue().decode()


def _secret(address: str) -> str:
    """The secret in groups of four, for who cannot scan."""
    secret = address.partition("secret=")[2].partition("&")[0]
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
