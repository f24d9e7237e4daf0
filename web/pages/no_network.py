"""`/hors-ligne`: what the service worker shows in place of a page that cannot be fetched."""

from starlette.requests import Request
from starlette.responses import HTMLResponse

from web.pages.page import show
from web.state import State


async def no_network(request: Request[State]) -> HTMLResponse:
    """The same for everybody: it names nobody, since the browser keeps it."""
    return show(request, "no_network.html")
