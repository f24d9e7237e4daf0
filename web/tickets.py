"""The ticket of what is under way before a session: in a short-lived cookie, or in a program's hands."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from slots.secret_id import SECRET_ID_LENGTH_MAX, hash_of
from slots.settings import Settings
from slots.store.ticket import GOOD_FOR, Purpose, Ticket, ticket_at
from slots.transaction import looking
from web.auth import cookie_of
from web.refusals import TicketEnded

COOKIE: Final = "chrono48-ticket"
HOST_COOKIE: Final = "__Host-chrono48-ticket"


async def ticket_of(request: Request[Any], ticket_id: str, *purposes: Purpose) -> Ticket:
    """The ticket of this id, if it is for one of *purposes*.

    Raises:
        TicketEnded: It is for something else, spent, or too old.
    """
    if not 0 < len(ticket_id) <= SECRET_ID_LENGTH_MAX:
        raise TicketEnded
    async with looking(request.state["desk"].pool) as conn:
        found = await ticket_at(conn, hash_of(ticket_id), request.state["desk"].clock.now())
    if found is None or found.purpose not in purposes:
        raise TicketEnded
    return found


def ticket_id_of(request: Request[Any]) -> str:
    """The ticket's id in the cookie; "" where there is none."""
    return cookie_of(request.scope, _cookie_name(request.state["settings"])) or ""


def give_ticket(response: Response, ticket_id: str, purpose: Purpose, settings: Settings) -> None:
    """Put it into the browser, for as long as it is good."""
    response.set_cookie(
        _cookie_name(settings),
        ticket_id,
        max_age=round(GOOD_FOR[purpose].total_seconds()),
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def take_ticket(response: Response, settings: Settings) -> None:
    """Take it out again."""
    response.delete_cookie(
        _cookie_name(settings), path="/", secure=settings.is_https, httponly=True, samesite="lax"
    )


def _cookie_name(settings: Settings) -> str:
    return HOST_COOKIE if settings.is_https else COOKIE
