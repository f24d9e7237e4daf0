"""`/coordination/…/doublons`: two entries of one person become one, after a second look.

What the second look says was tried: the merge is made and taken back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from slots.errors import NotAllowed
from slots.people.findings import Finding, Wrong
from slots.people.twins import pairs
from slots.store.audit import record
from slots.store.coordination import Member, people_of
from slots.store.professionals import Professional, professionals
from slots.store.twins import Kind
from slots.store.twins import merge as merge_twins
from slots.territory import Territory
from web.pages.coordinating import PATH, coordinator_of, entered_by, ruling
from web.pages.own_protection import ask_who, is_proved
from web.pages.page import Viewer, notice_of, posted, see_other, show
from web.pages.people_words import words_of
from web.refusals import NotFound
from web.state import State

SUBJECTS: Final = {Kind.PRACTITIONER: "practitioner", Kind.ACCOUNT: "account"}
NOTICES: Final = {"reunis": "C’est fait : il n’y a plus qu’une fiche."}


@dataclass(frozen=True, slots=True)
class Twin:
    """One of two, as both are shown side by side."""

    id: UUID
    name: str
    facts: Mapping[str, str]


class _OnlyTried(Exception):
    """Ends the transaction of a merge that is not to stay."""


async def twins(request: Request[State]) -> Response:
    """Who may be there twice."""
    viewer, territory = await coordinator_of(request)
    if not await is_proved(request):
        return await ask_who(request, f"{PATH}/{territory.id}/doublons")
    found = {kind: await _twins(request, viewer, territory, kind) for kind in Kind}
    return show(
        request,
        "twins.html",
        territory=territory,
        found={
            kind: pairs(entries.values(), lambda one: one.name) for kind, entries in found.items()
        },
        notice=notice_of(request, NOTICES),
    )


async def pair(request: Request[State]) -> Response:
    """Both side by side: what becomes of them, or why they stay two."""
    viewer, territory = await coordinator_of(request)
    if not await is_proved(request):
        return await ask_who(request, request.url.path)
    return await _page(request, viewer, territory)


async def merge(request: Request[State]) -> Response:
    """Make one of them."""
    viewer, territory = await ruling(request)
    await posted(request)
    if await _merged(request, viewer, territory, is_tried=False) is not None:
        return await _page(request, viewer, territory, status=409)
    return see_other(f"{PATH}/{territory.id}/doublons", fait="reunis")


async def _merged(
    request: Request[State], viewer: Viewer, territory: Territory, *, is_tried: bool
) -> Wrong | None:
    """Why not; None where it is done, or would be.

    Raises:
        NotAllowed: One of them is not of this territory.
    """
    kind = _kind(request)
    stay_id, gone_id = (request.path_params[name] for name in ("stay_id", "gone_id"))
    now = request.state["desk"].clock.now()
    wrong: Wrong | None = None
    try:
        async with entered_by(request, viewer, territory) as conn:
            wrong = await merge_twins(conn, territory.id, kind, stay_id, gone_id, now)
            if wrong is None:
                await record(
                    conn,
                    territory.id,
                    viewer.account.id,
                    "merge",
                    SUBJECTS[kind],
                    [stay_id, gone_id],
                )
            if wrong is not None or is_tried:
                raise _OnlyTried
    except _OnlyTried:
        pass
    if wrong is Wrong.NOT_ALLOWED:
        raise NotAllowed
    return wrong


async def _page(
    request: Request[State], viewer: Viewer, territory: Territory, *, status: int = 200
) -> Response:
    wrong = await _merged(request, viewer, territory, is_tried=True)
    kind = _kind(request)
    found = await _twins(request, viewer, territory, kind)
    stay, gone = (found.get(request.path_params[name]) for name in ("stay_id", "gone_id"))
    if stay is None or gone is None:
        raise NotFound
    return show(
        request,
        "twin_pair.html",
        status=status,
        territory=territory,
        kind=kind,
        stay=stay,
        gone=gone,
        reason=words_of(Finding(0, "", wrong)) if wrong else "",
    )


async def _twins(
    request: Request[State], viewer: Viewer, territory: Territory, kind: Kind
) -> dict[UUID, Twin]:
    async with entered_by(request, viewer, territory) as conn:
        if kind is Kind.PRACTITIONER:
            return {one.id: _entry(one) for one in await professionals(conn, territory.id)}
        return {one.account_id: _account(one) for one in await people_of(conn, territory.id)}


def _entry(one: Professional) -> Twin:
    facts = {
        "RPPS": one.rpps or "sans",
        "Lieux": ", ".join(place.place for place in one.places),
        "Compétences": ", ".join(one.skills) or "non précisées",
    }
    return Twin(one.id, one.name, facts)


def _account(one: Member) -> Twin:
    has_come = one.has_password or one.has_factor
    facts = {
        "Courriel": one.email,
        "Organisation": one.organisation,
        "RPPS": one.rpps or "sans",
        "Connexion": "ce compte a servi" if has_come else "ce compte n’a jamais servi",
    }
    return Twin(one.account_id, one.name, facts)


def _kind(request: Request[Any]) -> Kind:
    try:
        return Kind(request.path_params["kind"])
    except ValueError as error:
        raise NotFound from error
