"""`/regulation`: the live board of several territories, in columns by delay; `/mur`: on the wall."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.appointment import REGULATED_A_WEEK_MAX
from slots.audience import Role
from slots.errors import NotAllowed
from slots.ids import TerritoryId
from slots.search import Found
from slots.store.appointment import patients_to_tell, regulated_in_week
from slots.store.directory import Commune, directory
from slots.times import paris_week
from slots.transaction import entered
from web.api.endpoint import now_of
from web.boards import Seen, seen_by
from web.pages.board import (
    limit_of,
    links,
    more_rows,
    note_unmet,
    rows_of,
    search_context,
    told_context,
)
from web.pages.commune_map import drawn
from web.pages.counters import counted
from web.pages.groups import Group, by_delay
from web.pages.page import REGULATION, is_fragment, notice_of, show, viewer_of
from web.pages.reading import ground, usual_radius_km
from web.pages.search_form import SearchForm, read
from web.state import State

NOTICES: Final = {
    "prevenu": "Noté : le patient est prévenu.",
    "annule": "Rendez-vous annulé.",
}
WALL_ROWS: Final = 40


@dataclass(frozen=True, slots=True)
class Board:
    """What a regulator has before them."""

    account: Account
    covered: list[TerritoryId]
    communes: Mapping[str, Commune]
    form: SearchForm
    known: Seen
    rows: list[Found]
    now: datetime

    def columns(self, request: Request[State], limit: int | None) -> list[Group]:
        """The rows by delay."""
        horizon = request.state["desk"].horizon_in(self.covered)
        return by_delay(self.rows, self.now, horizon, limit=limit)


async def regulation(request: Request[State]) -> Response:
    """What can be booked in the territories that the regulator covers."""
    board = await _board(request)
    if is_fragment(request, "suite"):
        return _more(request, board)
    if is_fragment(request, "compteurs"):
        return await _figures(request, board)
    if is_fragment(request, "carte"):
        return show(request, "_map.html", **_map(request, board), **links(request))
    desk, account, now = request.state["desk"], board.account, board.now
    async with entered(desk.pool, account.id, account.reach) as conn:
        words = await ground(conn, account.reach)
        to_tell = await patients_to_tell(conn, account.organisation_id)
        entries = await directory(conn, board.covered)
        regulated = await regulated_in_week(conn, board.covered, paris_week(now))
        counters = await counted(conn, board.covered, board.known.slots, now)
    await note_unmet(request, account, board.form, words, board.rows, now)
    territories = [desk.territories.by_id[number] for number in board.covered]
    return show(
        request,
        "regulation.html",
        form=board.form,
        groups=board.columns(request, limit_of(request)),
        counters=counters,
        territories=territories,
        overflow=[entry for entry in entries if entry.accepts_overflow],
        regulated=regulated,
        ceiling=REGULATED_A_WEEK_MAX,
        now=now,
        notice=notice_of(request, NOTICES),
        **_map(request, board),
        **search_context(request, board.form, words, board.known, territories),
        **told_context(to_tell, words),
    )


async def wall(request: Request[State]) -> Response:
    """The board for a whole room: large, without buttons, its age unmistakable."""
    board = await _board(request)
    if is_fragment(request, "compteurs"):
        return await _figures(request, board)
    desk, account, now = request.state["desk"], board.account, board.now
    async with entered(desk.pool, account.id, account.reach) as conn:
        counters = await counted(conn, board.covered, board.known.slots, now)
        words = await ground(conn, account.reach)
    territories = [desk.territories.by_id[number] for number in board.covered]
    return show(
        request,
        "wall.html",
        form=board.form,
        groups=board.columns(request, WALL_ROWS),
        counters=counters,
        territories=territories,
        now=now,
        **search_context(request, board.form, words, board.known, territories),
    )


async def _board(request: Request[State]) -> Board:
    viewer = await viewer_of(request)
    account, now = viewer.account, now_of(request)
    if REGULATION not in viewer.screens and not account.walls:
        raise NotAllowed
    covered = covered_by(account)
    communes = await request.state["catalogue"].communes.by_insee(request)
    form = read(request.query_params, communes, usual_km=usual_radius_km(request, account))
    known = await seen_by(request, account, covered)
    rows = rows_of(request, form, known, now)
    return Board(account, covered, communes, form, known, rows, now)


def _more(request: Request[State], board: Board) -> Response:
    asked = request.query_params.get("colonne", "")
    columns = board.columns(request, None)
    rows = [row for group in columns if str(group.from_h) == asked for row in group.rows]
    return more_rows(request, board.form, rows, board.now, asked)


async def _figures(request: Request[State], board: Board) -> Response:
    pool, account = request.state["desk"].pool, board.account
    async with entered(pool, account.id, account.reach) as conn:
        counters = await counted(conn, board.covered, board.known.slots, board.now)
    groups = board.columns(request, None)
    return show(request, "_counters.html", counters=counters, groups=groups)


def _map(request: Request[State], board: Board) -> dict[str, Any]:
    return {"map": drawn(board.known.slots, board.communes, board.form, board.now)}


def covered_by(account: Account) -> list[TerritoryId]:
    """The territories that a regulator covers, or that a screen on a wall shows."""
    if account.walls:
        return sorted(account.walls)
    return [number for number in sorted(account.roles) if Role.REGULATOR in account.roles[number]]
