"""The directory: who works where, what can be offered, and the communes."""

import math
from collections.abc import Iterable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.ids import TerritoryId
from slots.search import Place, between
from slots.store import directory as store
from slots.store.directory import DirectoryEntry
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
from web.api.endpoint import answered, desk_of
from web.auth import account_of
from web.boards import territories_asked
from web.pages.french import folded
from web.parsing import parse_query
from web.places import place_of

SUGGESTIONS_MAX: Final = 20  # communes for one beginning of a name


async def list_practitioners(request: Request[Any]) -> Response:
    """Practitioners by name, or the nearest first."""
    entries, place = await _entries(request)
    territories = desk_of(request).territories
    return answered(PractitionersAnswer(_practitioners(entries, place, territories)))


async def list_services(request: Request[Any]) -> Response:
    """Healthcare services by name, or the nearest first."""
    entries, place = await _entries(request)
    territories = desk_of(request).territories
    services = [
        ServiceAnswer(
            service.id,
            service.name,
            service.profession,
            service.specialty,
            _place(entry, place, territories),
        )
        for entry in entries
        if (service := entry.schedule.service) is not None
    ]
    return answered(ServicesAnswer(services))


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
    known = await request.state["communes"].by_insee(request)
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


async def _entries(request: Request[Any]) -> tuple[list[DirectoryEntry], Place | None]:
    """The lines that answer the query, in order."""
    account: Account = await account_of(request)
    query = parse_query(request.query_params, DirectoryQuery)
    desk = desk_of(request)
    numbers: list[TerritoryId] = territories_asked(account, query.territory, desk.territories)
    place = await place_of(request, query.commune, query.near)
    async with entered(desk.pool, account.id, numbers) as conn:
        entries = await store.directory(conn, numbers)
    found = [entry for entry in entries if _answers(entry, query, place)]
    if place is not None:
        found.sort(key=lambda entry: between(entry.schedule.location, place))
    return found, place


def _answers(entry: DirectoryEntry, query: DirectoryQuery, place: Place | None) -> bool:
    owner = entry.schedule.practitioner or entry.schedule.service
    assert owner is not None
    return (
        query.profession in (None, owner.profession)
        and query.specialty in (None, owner.specialty)
        and (query.skill is None or folded(query.skill) in map(folded, entry.skills))
        and (
            place is None
            or between(entry.schedule.location, place) <= (query.radius_km or math.inf)
        )
    )


def _practitioners(
    entries: Iterable[DirectoryEntry], place: Place | None, territories: Territories
) -> list[PractitionerAnswer]:
    """One line for each person, with all places."""
    found: dict[Any, PractitionerAnswer] = {}
    for entry in entries:
        practitioner = entry.schedule.practitioner
        if practitioner is None:
            continue
        line = found.setdefault(
            practitioner.id,
            PractitionerAnswer(
                practitioner.id,
                practitioner.name,
                practitioner.profession,
                practitioner.specialty,
                list(entry.skills),
                list(entry.languages),
                [],
            ),
        )
        line.places.append(_place(entry, place, territories))
    return list(found.values())


def _place(entry: DirectoryEntry, place: Place | None, territories: Territories) -> PlaceAnswer:
    location = entry.schedule.location
    return PlaceAnswer(
        schedule_id=entry.schedule.id,
        territory=territories.by_id[entry.territory_id].slug,
        location=location,
        address=entry.address,
        access=entry.access,
        acts=list(entry.acts),
        accepts_overflow=entry.accepts_overflow,
        distance_km=None if place is None else between(location, place),
    )
