"""`/regulation`: the live board of several territories, in columns by delay."""

from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.audience import Role
from slots.errors import NotAllowed
from slots.ids import TerritoryId
from slots.store.appointment import patients_to_tell
from slots.store.directory import directory
from slots.transaction import entered
from web.boards import seen_by
from web.pages.finding import by_delay, find
from web.pages.orient import search_context, told_context
from web.pages.page import REGULATION, notice_of, show, viewer_of
from web.pages.reading import ground
from web.pages.search_form import read
from web.state import State

NOTICES: Final = {
    "prevenu": "Noté : le patient est prévenu.",
    "annule": "Rendez-vous annulé.",
}


async def regulation(request: Request[State]) -> Response:
    """What can be booked in the territories that the regulator covers."""
    viewer = await viewer_of(request)
    if REGULATION not in viewer.screens:
        raise NotAllowed
    account, desk, now = viewer.account, request.state["desk"], datetime.now(UTC)
    covered = covered_by(account)
    async with entered(desk.pool, account.id, account.reach) as conn:
        words = await ground(conn, account.reach)
        to_tell = await patients_to_tell(conn, account.organisation_id)
        entries = await directory(conn, covered)
    form = read(request.query_params, words.communes)
    territories = [desk.territories.by_id[number] for number in covered]
    known = await seen_by(request, account, covered)
    rows = find(form.search, known.slots, now)
    return show(
        request,
        "regulation.html",
        form=form,
        groups=by_delay(rows, now, desk.horizon),
        territories=territories,
        overflow=[entry for entry in entries if entry.accepts_overflow],
        now=now,
        notice=notice_of(request, NOTICES),
        **search_context(request, form, words, known, territories),
        **told_context(to_tell, words),
    )


def covered_by(account: Account) -> list[TerritoryId]:
    """The territories that a regulator covers."""
    return [number for number in sorted(account.roles) if Role.REGULATOR in account.roles[number]]
