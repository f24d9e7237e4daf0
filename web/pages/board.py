"""What *orienter* and *régulation* share: the search, the first rows, and the rest as one scrolls."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.errors import Unavailable
from slots.search import Found
from slots.slot import SlotStatus
from slots.store import unmet
from slots.store.appointment import AppointmentView
from slots.store.unmet import UnmetSearch
from slots.territory import Territory
from slots.transaction import entered
from web.boards import Seen
from web.pages.finding import DELAY_H_CHOICES, RADIUS_KM_CHOICES, Search, find
from web.pages.groups import FIRST_ROWS, after
from web.pages.page import show
from web.pages.reading import Ground
from web.pages.search_form import (
    SearchForm,
    act_meant,
    choices_of_who,
    specialty_meant,
    suggestions,
)
from web.state import State

OF_THE_PAGE: Final = frozenset({"fragment", "apres", "colonne", "tout", "fait"})

OF_THE_PLACE: Final = frozenset({"commune", "insee"})


def rows_of(request: Request[State], form: SearchForm, known: Seen, now: datetime) -> list[Found]:
    """The rows that answer the search, in the words of each territory."""
    label_of = request.state["catalogue"].act_labels.of
    return find(form.search, known.slots, now, label_of)


def limit_of(request: Request[State]) -> int | None:
    """How many rows come with the page; all of them where a browser without scripts asks so."""
    return None if request.query_params.get("tout") else FIRST_ROWS


def more_rows(
    request: Request[State], form: SearchForm, rows: Sequence[Found], now: datetime, hours: str
) -> Response:
    """The next rows of a list, for a reader who has scrolled: from where the page ends."""
    at = request.query_params.get("apres", "")
    shown, rest = after(rows, at, nearest=form.search.nearest)
    return show(
        request,
        "_rows.html",
        rows=shown,
        rest=rest,
        column=hours,
        now=now,
        **links(request),
    )


def links(request: Request[State]) -> dict[str, Any]:
    """The search as a query string: as it is, with all rows, and around another commune."""
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in OF_THE_PAGE
    ]
    elsewhere = [(name, value) for name, value in kept if name not in OF_THE_PLACE]
    return {
        "query": urlencode(kept),
        "query_of_all": urlencode([*kept, ("tout", "1")]),
        "query_elsewhere": urlencode([*elsewhere, ("commune", "")]),
    }


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
        ("act", act_meant(form, words.every_act) or ""),
        ("delay", str(form.search.within_h or "")),
        ("moving", request.query_params.get("deplacer", "")),
        ("back", here),
    ]
    return {
        "who": choices_of_who(),
        "suggestions": suggestions(words.every_act, known.slots),
        "communes": words.communes.values(),
        "acts": words.every_act,
        "delays": DELAY_H_CHOICES,
        "horizon_h": request.state["desk"].horizon_in(one.id for one in followed)
        // timedelta(hours=1),
        "radii": RADIUS_KM_CHOICES,
        # Without a position the live list starts from a snapshot.
        "at": {territory.slug: known.at.get(territory.slug, "") for territory in followed},
        "from_ledger": known.source == "ledger",
        "context": [(name, value) for name, value in context if value],
        "is_filtered": form.search != Search(),
        **links(request),
    }


def told_context(to_tell: list[AppointmentView], words: Ground) -> dict[str, Any]:
    """What the tasks “patient prévenu” need."""
    return {"to_tell": to_tell, "words_of": words}


async def note_unmet(
    request: Request[State],
    account: Account,
    form: SearchForm,
    words: Ground,
    rows: Sequence[Found],
    now: datetime,
) -> None:
    """Count a search that found nothing free as a need, without anybody in it."""
    asked = (act_meant(form, words.every_act), *specialty_meant(form))
    own = sorted(account.roles)
    if any(row.slot.status == SlotStatus.FREE for row in rows) or not own or not any(asked):
        return
    insee = form.search.commune.insee if form.search.commune else None
    need = UnmetSearch(*asked, insee, form.search.within_h)
    try:
        async with entered(request.state["desk"].pool, account.id, own) as conn:
            for territory_id in own:
                await unmet.record(conn, territory_id, need, now)
    except Unavailable:
        return  # A figure less is no reason to refuse the answer.
