"""`/coordination/…/journal`: the audit of one territory, for who coordinates it."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from slots.store import coordination as store
from web.pages.coordinating import coordinator_of, entered_by
from web.pages.page import show
from web.state import State

JOURNAL_ROWS: Final = 200  # a page of the audit


async def journal(request: Request[State]) -> Response:
    """Who did what in the territory, the newest first."""
    viewer, territory = await coordinator_of(request)
    before = request.query_params.get("avant", "")
    before_id = (
        int(before) if before.isascii() and before.isdigit() and len(before) < 18 else store.NEWEST
    )
    async with entered_by(request, viewer, territory) as conn:
        entries = await store.audit_of(conn, territory.id, JOURNAL_ROWS, before_id)
    return show(
        request,
        "journal.html",
        territory=territory,
        entries=entries,
        more=entries[-1].id if len(entries) == JOURNAL_ROWS else None,
    )
