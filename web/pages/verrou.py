"""`/verrou`: the lock as a page, for what a script has not covered, and for browsers without scripts."""

from typing import Final

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from slots.errors import NotAllowed
from web import lock as locks
from web.errors import problem_of
from web.pages.page import own_path, posted, see_other, show
from web.pages.sign_in import credential_of
from web.passkeys import relying_party
from web.refusals import FactorRefused, NotSignedIn, PinRefused, TicketEnded
from web.state import State

PATH: Final = "/verrou"


async def lock_page(request: Request[State]) -> Response:
    """What opens it; who has nothing to open goes on."""
    return await _page(request, own_path(request.query_params.get("suite"), "/"))


async def lock(request: Request[State]) -> Response:
    """Lock at once, and come back here afterwards."""
    await posted(request)
    await locks.lock(request)
    came_from = URL(request.headers.get("referer", "/"))
    after = came_from.path + (f"?{came_from.query}" if came_from.query else "")
    return see_other(PATH, suite=own_path(after, "/"))


async def unlock(request: Request[State]) -> Response:
    """A PIN, or the answer of a passkey."""
    form = await request.form()
    after = own_path(str(form.get("after", "")), "/")
    try:
        if form.get("credential"):
            ticket_id = str(form.get("ticket", ""))
            await locks.open_with_passkey(request, ticket_id, credential_of(form))
        else:
            await locks.open_with_pin(request, "".join(str(form.get("pin", "")).split()))
    except (PinRefused, FactorRefused, TicketEnded) as refused:
        problem = problem_of(refused)
        asked = "pin" if isinstance(refused, PinRefused) else "passkey"
        return await _page(request, after, {asked: problem.detail}, status=problem.status)
    except NotSignedIn:
        return see_other("/connexion", suite=None if after == "/" else after, fait="verrou")
    return see_other(after)


async def _page(
    request: Request[State],
    after: str,
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    try:
        found = await locks.lock_of(request)
    except NotAllowed:  # a phone
        return see_other(after)
    if not found.is_locked:
        return see_other(after)
    return show(
        request,
        "locked.html",
        status=status,
        after=after,
        lock=found,
        has_passkeys=found.has_passkey and relying_party(request) is not None,
        errors=errors or {},
    )
