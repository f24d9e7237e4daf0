"""`/annuaire`: who works where, with what skills, publishing or not, and how far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

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
from web.pages.reading import ground, territories_of
from web.pages.search_form import choices_of_who, read
from web.state import State


@dataclass(frozen=True, slots=True)
class Line:
    """One place of work: what is done there, how far it is, how many places it offers now."""

    entry: DirectoryEntry
    acts: list[str]
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
    labels = request.state["catalogue"].act_labels
    acts = {
        entry.schedule.id: [
            labels.of(desk.territories.by_id[entry.territory_id].slug, code) for code in entry.acts
        ]
        for entry in entries
    }
    found = listed(entries, form.search, typed, acts, free)
    return show(
        request,
        "directory.html",
        lines=found,
        form=form,
        typed=typed,
        who=choices_of_who(),
        communes=words.communes.values(),
        territories=territories,
        now=now,
    )


def listed(
    entries: Sequence[DirectoryEntry],
    search: Search,
    typed: str,
    acts: Mapping[UUID, list[str]],
    free: Mapping[object, int],
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
        done_here = acts[entry.schedule.id]
        said = folded(_said_of(entry, done_here))
        if all(word in said for word in wanted):
            away, places = _away(search, entry), free.get(entry.schedule.id, 0)
            lines.append(Line(entry, done_here, away, places))
    if search.commune is not None:
        lines.sort(key=lambda line: line.distance_km or 0.0)
    return lines


def _said_of(entry: DirectoryEntry, acts: Iterable[str]) -> str:
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
            *acts,
        )
    )


def _away(search: Search, entry: DirectoryEntry) -> float | None:
    place = search.place
    return None if place is None else between(entry.schedule.location, place)
