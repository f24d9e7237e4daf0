"""The directory: who works where, what can be offered, and the communes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from slots.publishing import Offers, Publishing
from slots.search import Place, between
from slots.store import directory as store
from slots.store.directory import DirectoryLine
from slots.territory import Territories
from slots.transaction import entered
from web.api.answers import (
    ActAnswer,
    CatalogueAnswer,
    CodeAnswer,
    CommuneAnswer,
    CommunesAnswer,
    PlaceAnswer,
    PractitionerAnswer,
    PractitionersAnswer,
    ServiceAnswer,
    ServicesAnswer,
)
from web.api.bodies import CatalogueQuery, CommunesQuery, DirectoryQuery
from web.api.endpoint import answered, desk_of, now_of
from web.auth import account_of
from web.boards import seen_by, territories_asked
from web.pages.french import folded
from web.parsing import parse_query
from web.places import place_of
from web.publishing import free_by_schedule, offers_of

SUGGESTIONS_MAX: Final = 20  # communes for one beginning of a name


async def list_practitioners(request: Request[Any]) -> Response:
    """Practitioners by name, the likest or the nearest first."""
    answer = await _answer(request, services=False)
    return answered(PractitionersAnswer(answer.is_exact, _practitioners(answer)))


async def list_services(request: Request[Any]) -> Response:
    """Healthcare services by name, the likest or the nearest first."""
    answer = await _answer(request, services=True)
    services = [
        ServiceAnswer(
            service.id,
            service.name,
            service.profession,
            service.specialty,
            answer.place_of(line),
        )
        for line in answer.lines
        if (service := line.service) is not None
    ]
    return answered(ServicesAnswer(answer.is_exact, services))


async def show_catalogue(request: Request[Any]) -> Response:
    """The coded words of the territories."""
    account = await account_of(request)
    query = parse_query(request.query_params, CatalogueQuery)
    desk = desk_of(request)
    numbers = territories_asked(account, query.territory, desk.territories)
    catalogue = CatalogueAnswer([], [], [])
    async with entered(desk.pool, account.id, numbers) as conn:
        for number in numbers:
            slug = desk.territories.by_id[number].slug
            catalogue.acts.extend(
                ActAnswer(slug, act.code, act.label, act.preparation, act.prescription_required)
                for act in await store.acts(conn, [number])
                if act.is_offered
            )
            for codes, labels in (
                (catalogue.reasons, await store.reasons(conn, number)),
                (catalogue.urgencies, await store.urgencies(conn, number)),
            ):
                codes.extend(CodeAnswer(slug, code, label) for code, label in labels.items())
    return answered(catalogue)


async def list_communes(request: Request[Any]) -> Response:
    """Communes whose name or postcode begins so."""
    await account_of(request)
    query = parse_query(request.query_params, CommunesQuery)
    known = await request.state["catalogue"].communes.by_insee(request)
    wanted = folded(query.q.strip())
    found = [
        CommuneAnswer(
            commune.insee, commune.name, list(commune.postcodes), commune.lat, commune.lon
        )
        for commune in known.values()
        if folded(commune.name).startswith(wanted)
        or any(postcode.startswith(wanted) for postcode in commune.postcodes)
    ]
    return answered(CommunesAnswer(found[:SUGGESTIONS_MAX]))


@dataclass(frozen=True, slots=True)
class _Answer:
    """The lines that answer a query, in order, with what is known of their free places."""

    lines: list[DirectoryLine]
    place: Place | None
    offers: Mapping[UUID, Offers]
    holds_are_known: bool
    is_exact: bool
    territories: Territories

    def place_of(self, line: DirectoryLine) -> PlaceAnswer:
        location, offers = line.location, self.offers[line.id]
        publishing = offers.publishing(holds_are_known=self.holds_are_known)
        return PlaceAnswer(
            schedule_id=line.schedule_id,
            territory=self.territories.by_id[line.territory_id].slug,
            location=location,
            address=line.address,
            access=line.access,
            step_free=line.step_free,
            parking=line.parking,
            new_patients=line.new_patients,
            referral=line.referral,
            acts=list(line.acts),
            accepts_overflow=line.accepts_overflow,
            publishing=publishing,
            free=offers.free if publishing is Publishing.FREE else 0,
            distance_km=None if self.place is None else between(location, self.place),
        )


async def _answer(request: Request[Any], *, services: bool) -> _Answer:
    account = await account_of(request)
    query = parse_query(request.query_params, DirectoryQuery)
    desk = desk_of(request)
    numbers = territories_asked(account, query.territory, desk.territories)
    place = await place_of(request, query.commune, query.near)
    seen = await seen_by(request, account, numbers)
    async with entered(desk.pool, account.id, numbers) as conn:
        found = [
            entry
            for entry in await store.find_in_directory(
                conn, numbers, query.q or "", query.profession, query.specialty
            )
            if entry.is_service == services
        ]
        owners = {entry.owner_id for entry in found}
        by_id = {line.id: line for line in await store.directory_lines(conn, numbers, owners)}
        lines = [
            line
            for entry in found
            if (line := by_id.get(entry.id)) is not None and _answers(line, query, place)
        ]
        offers = await offers_of(
            conn, account, lines, free_by_schedule(seen.slots), now_of(request)
        )
    is_exact = all(entry.is_exact for entry in found)
    if place is not None:
        lines.sort(key=lambda line: between(line.location, place))
    return _Answer(lines, place, offers, seen.source == "broker", is_exact, desk.territories)


def _answers(line: DirectoryLine, query: DirectoryQuery, place: Place | None) -> bool:
    return (query.skill is None or folded(query.skill) in map(folded, line.skills)) and (
        place is None or between(line.location, place) <= (query.radius_km or math.inf)
    )


def _practitioners(answer: _Answer) -> list[PractitionerAnswer]:
    """One line for each person, with all the places that answer."""
    found: dict[UUID, PractitionerAnswer] = {}
    for line in answer.lines:
        practitioner = line.practitioner
        if practitioner is None:
            continue
        one = found.setdefault(
            practitioner.id,
            PractitionerAnswer(
                practitioner.id,
                practitioner.name,
                practitioner.profession,
                practitioner.specialty,
                list(line.skills),
                list(line.languages),
                [],
            ),
        )
        one.places.append(answer.place_of(line))
    return list(found.values())
