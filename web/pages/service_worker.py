"""`/service-worker.js`: at the root of the site, so that it may act for every page."""

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse

from web.pages.assets import DIRECTORY
from web.state import State

PATH: Final = "/service-worker.js"
HEADERS: Final = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"}


async def service_worker(request: Request[State]) -> FileResponse:
    """The script; browsers look for a new one by themselves."""
    return FileResponse(
        DIRECTORY / "service-worker.js", media_type="text/javascript", headers=HEADERS
    )
