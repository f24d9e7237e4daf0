"""`/orienter`: find a place for the patient who is here, and hold it. A search is a link."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from slots.store.appointment import patients_to_tell
from slots.transaction import entered
from web.api.endpoint import now_of
from web.boards import seen_by
from web.pages.board import (
    limit_of,
    more_rows,
    note_unmet,
    rows_of,
    search_context,
    told_context,
)
from web.pages.groups import by_day, mark
from web.pages.orientations import own_appointment
from web.pages.page import is_fragment, notice_of, show, viewer_of
from web.pages.reading import ground, territories_of, usual_radius_km
from web.pages.search_form import read
from web.state import State

NOTICES: Final = {
    "libere": "La place est rendue.",
    "annule": "Rendez-vous annulé.",
    "prevenu": "Noté : le patient est prévenu.",
}


async def orient(request: Request[State]) -> Response:
    """What can be booked within the horizon, by day, kept live."""
    viewer = await viewer_of(request)
    account, desk, now = viewer.account, request.state["desk"], now_of(request)
    async with entered(desk.pool, account.id, account.reach) as conn:
        words = await ground(conn, account.reach)
        to_tell = await patients_to_tell(conn, account.organisation_id)
        moved = await own_appointment(conn, account, request.query_params.get("deplacer", ""))
    territories = territories_of(request, account)
    form = read(request.query_params, words.communes, usual_km=usual_radius_km(request, account))
    known = await seen_by(request, account, [territory.id for territory in territories])
    rows = rows_of(request, form, known, now)
    if is_fragment(request, "suite"):
        return more_rows(request, form, rows, now, "")
    await note_unmet(request, account, form, words, rows, now)
    shown = rows[: limit_of(request)]
    return show(
        request,
        "orient.html",
        form=form,
        groups=by_day(shown, now, desk.horizon_in(one.id for one in territories)),
        rest=len(rows) - len(shown),
        until=mark(shown[-1]) if shown else "",
        moved=moved,
        now=now,
        notice=notice_of(request, NOTICES),
        **search_context(request, form, words, known, territories),
        **told_context(to_tell, words),
    )
