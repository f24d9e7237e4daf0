"""`/accessibilite`: what is known of how the service works for everybody, open to everybody."""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from slots.errors import LedgerUnavailable
from web.pages.page import show, viewer_of
from web.refusals import NotSignedIn
from web.state import State


async def accessibility(request: Request[State]) -> Response:
    """The statement; with the navigation of whoever is signed in, where that can be known."""
    with suppress(NotSignedIn, LedgerUnavailable):
        await viewer_of(request)
    return show(request, "accessibility.html")
