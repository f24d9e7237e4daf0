"""`/annuaire`: who works where, with what skills, publishing or not, and how far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from slots.search import between
from slots.store.directory import DirectoryEntry, directory
from slots.transaction import entered
from web.boards import seen_by
from web.pages.finding import Search
from web.pages.french import (
    SPECIALTIES,
    folded,
    schedule_name,
    schedule_profession,
)
from web.pages.page import show, viewer_of
from web.pages.reading import Ground, ground, territories_of
from web.pages.search_form import choices_of_who, read
from web.state import State


@dataclass(frozen=True, slots=True)
class Line:
    """One place of work, with how far it is and how many places it offers now."""

    entry: DirectoryEntry
    distance_km: float | None
    free: int


async def annuaire(request: Request[State]) -> Response:
    """The directory of the territories that the viewer reads."""
    viewer = await viewer_of(request)
    account, desk, now = viewer.account, request.state["desk"], datetime.now(UTC)
    territories = territories_of(request, account)
    numbers = [territory.id for territory in territories]
    async with entered(desk.pool, account.id, account.reach) as conn:
        entries = await directory(conn, numbers)
        words = await ground(conn, numbers)
    form = read(request.query_params, words.communes)
    typed = request.query_params.get("q", "").strip()
    known = await seen_by(request, account, numbers)
    free: dict[object, int] = {}
    for slot in known.slots:
        free[slot.schedule.id] = free.get(slot.schedule.id, 0) + slot.free
    found = listed(entries, form.search, typed, words, free)
    return show(
        request,
        "directory.html",
        lines=found,
        form=form,
        typed=typed,
        who=choices_of_who(),
        communes=words.communes.values(),
        territories=territories,
        words_of=words,
        now=now,
    )


def listed(
    entries: Sequence[DirectoryEntry],
    search: Search,
    typed: str,
    words: Ground,
    free: dict[object, int],
) -> list[Line]:
    """Those who answer every word that was typed, by name, or the nearest first."""
    wanted = folded(typed).split()
    lines = []
    for entry in entries:
        owner = entry.schedule.practitioner or entry.schedule.service
        if search.profession not in (None, owner and owner.profession):
            continue
        if search.specialty not in (None, owner and owner.specialty):
            continue
        said = folded(_said_of(entry, words))
        if all(word in said for word in wanted):
            lines.append(Line(entry, _away(search, entry), free.get(entry.schedule.id, 0)))
    if search.commune is not None:
        lines.sort(key=lambda line: line.distance_km or 0.0)
    return lines


def _said_of(entry: DirectoryEntry, words: Ground) -> str:
    """Everything that one may look for."""
    schedule = entry.schedule
    owner = schedule.practitioner or schedule.service
    return " ".join(
        (
            schedule_name(schedule),
            schedule_profession(schedule),
            SPECIALTIES.get(owner.specialty or "", "") if owner else "",
            schedule.location.name,
            schedule.location.commune,
            *entry.skills,
            *(words.act_label(code) for code in entry.acts),
        )
    )


def _away(search: Search, entry: DirectoryEntry) -> float | None:
    place = search.place
    return None if place is None else between(entry.schedule.location, place)
