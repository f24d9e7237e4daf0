"""`/orienter`: find a place for the patient who is here, and hold it. A search is a link."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.errors import Unavailable
from slots.slot import SlotStatus
from slots.store import unmet
from slots.store.appointment import AppointmentView, patients_to_tell
from slots.store.unmet import UnmetSearch
from slots.territory import Territory
from slots.transaction import entered
from web.boards import Seen, seen_by
from web.pages.finding import DELAY_H_CHOICES, RADIUS_KM_CHOICES, Search, by_day, find
from web.pages.orientations import own_appointment
from web.pages.page import notice_of, show, viewer_of
from web.pages.reading import Ground, ground, territories_of
from web.pages.search_form import SearchForm, choices_of_who, read
from web.state import State

NOTICES: Final = {
    "libere": "La place est rendue.",
    "annule": "Rendez-vous annulé.",
    "prevenu": "Noté : le patient est prévenu.",
}


async def orient(request: Request[State]) -> Response:
    """What can be booked within the horizon, by day, kept live."""
    viewer = await viewer_of(request)
    account, desk, now = viewer.account, request.state["desk"], datetime.now(UTC)
    async with entered(desk.pool, account.id, account.reach) as conn:
        words = await ground(conn, account.reach)
        to_tell = await patients_to_tell(conn, account.organisation_id)
        moved = await own_appointment(conn, account, request.query_params.get("deplacer", ""))
    form = read(request.query_params, words.communes)
    territories = territories_of(request, account)
    known = await seen_by(request, account, [territory.id for territory in territories])
    rows = find(form.search, known.slots, now)
    if not any(row.slot.status == SlotStatus.FREE for row in rows):
        await _record_unmet(request, account, form.search, now)
    return show(
        request,
        "orient.html",
        form=form,
        groups=by_day(rows, now, desk.horizon),
        moved=moved,
        now=now,
        notice=notice_of(request, NOTICES),
        **search_context(request, form, words, known, territories),
        **told_context(to_tell, words),
    )


def search_context(
    request: Request[State],
    form: SearchForm,
    words: Ground,
    known: Seen,
    followed: Sequence[Territory],
) -> dict[str, Any]:
    """What the search line and the live list need."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    context = [
        ("act", form.search.act or ""),
        ("delay", str(form.search.within_h or "")),
        ("moving", request.query_params.get("deplacer", "")),
        ("back", here),
    ]
    return {
        "who": choices_of_who(),
        "communes": words.communes.values(),
        "acts": words.every_act,
        "delays": DELAY_H_CHOICES,
        "radii": RADIUS_KM_CHOICES,
        # Without a position the live list starts from a snapshot.
        "at": {territory.slug: known.at.get(territory.slug, "") for territory in followed},
        "from_ledger": known.source == "ledger",
        "context": [(name, value) for name, value in context if value],
        "is_filtered": form.search != Search(),
    }


def told_context(to_tell: list[AppointmentView], words: Ground) -> dict[str, Any]:
    """What the tasks “patient prévenu” need."""
    return {"to_tell": to_tell, "words_of": words}


async def _record_unmet(
    request: Request[State], account: Account, search: Search, now: datetime
) -> None:
    """A search that found nothing is a need: it is counted, without anybody in it."""
    asked = (search.act, search.profession, search.specialty)
    own = sorted(account.roles)
    if not own or not any(asked):
        return
    insee = search.commune.insee if search.commune else None
    need = UnmetSearch(*asked, insee, search.within_h)
    try:
        async with entered(request.state["desk"].pool, account.id, own) as conn:
            for territory_id in own:
                await unmet.record(conn, territory_id, need, now)
    except Unavailable:
        return  # A figure less is no reason to refuse the answer.
