"""`/annuaire`: who works where, with what skills, publishing or not, how to reach them, how far."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.document import PractitionerDocument, ServiceDocument
from slots.ids import TerritoryId
from slots.publishing import Offers, Publishing
from slots.search import Place, between
from slots.store.directory import DirectoryLine, directory_lines, find_in_directory
from slots.transaction import entered
from web.api.endpoint import now_of
from web.boards import Seen, seen_by
from web.pages.directory_csv import csv_of
from web.pages.directory_search import SHOWN_FIRST, Asked, Person, asked_by, people_who_answer
from web.pages.finding import RADIUS_KM_CHOICES
from web.pages.french import LANGUAGES, profession
from web.pages.page import is_fragment, show, viewer_of
from web.pages.reading import territories_of
from web.pages.search_form import choices_of_who
from web.publishing import free_by_schedule, offers_of
from web.refusals import NotFound
from web.state import State

STEP_FREE: Final[dict[bool | None, str]] = {True: "De plain-pied ou ascenseur", False: "Escaliers"}
PARKING: Final[dict[bool | None, str]] = {True: "Parking", False: "Sans parking"}


@dataclass(frozen=True, slots=True)
class PlaceOfWork:
    """One place as a card shows it."""

    line: DirectoryLine
    acts: list[str]
    distance_km: float | None
    offers: Offers
    publishing: Publishing
    territory: str  # its name, where it is a neighbour's

    @property
    def access(self) -> list[str]:
        """What is known of stairs, parking and the way in."""
        words = (STEP_FREE.get(self.line.step_free), PARKING.get(self.line.parking))
        return [word for word in (*words, self.line.access) if word]


@dataclass(frozen=True, slots=True)
class Card:
    """A person or a service, with all their places: those that answer first."""

    places: list[PlaceOfWork]

    @property
    def line(self) -> DirectoryLine:
        """The first place, which has what is the same in all."""
        return self.places[0].line

    @property
    def owner(self) -> PractitionerDocument | ServiceDocument:
        """Who it is."""
        return self.line.owner

    def is_in(self, territories: Container[TerritoryId]) -> bool:
        """Whether any of the places is in one of these."""
        return any(place.line.territory_id in territories for place in self.places)


@dataclass(frozen=True, slots=True)
class Looked:
    """Everything that one look into the directory found. *cards* are those to show."""

    asked: Asked
    people: list[Person]
    cards: list[Card]
    at: dict[str, str]
    source: str
    now: datetime

    @property
    def is_exact(self) -> bool:
        """Whether it is what was typed, and not only near it."""
        return all(person.entries[0].is_exact for person in self.people)

    @property
    def rest(self) -> int:
        """How many more there are."""
        return len(self.people) - len(self.cards)


async def annuaire(request: Request[State]) -> Response:
    """The directory of the territories that the viewer reads, and its live fragments."""
    viewer = await viewer_of(request)
    looked = await look(request, viewer.account)
    if is_fragment(request, "liste"):
        return show(request, "_directory_list.html", **answer_context(looked))
    if is_fragment(request, "reponse"):
        return show(request, "_directory_answer.html", **answer_context(looked))
    return show(
        request,
        "directory.html",
        who=choices_of_who(),
        communes=(await request.state["catalogue"].communes.by_insee(request)).values(),
        territories=territories_of(request, viewer.account),
        languages=LANGUAGES,
        radii=RADIUS_KM_CHOICES,
        horizon_h=request.state["desk"].horizon_in(viewer.account.reach) // timedelta(hours=1),
        **answer_context(looked),
    )


async def paper(request: Request[State]) -> Response:
    """The whole answer as a list to print, by profession: the directory when the network is gone."""
    viewer = await viewer_of(request)
    looked = await look(request, viewer.account, everybody=True)
    territories = territories_of(request, viewer.account)
    cards = looked.cards
    if not looked.asked.is_narrow:
        # Without a question, the list of one's own territory: neighbours have theirs.
        territories = [one for one in territories if one.id in viewer.account.roles] or territories
        here = {one.id for one in territories}
        cards = [card for card in cards if card.is_in(here)]
    by_profession: dict[str, list[Card]] = defaultdict(list)
    for card in cards:
        by_profession[_heading(card)].append(card)
    return show(
        request,
        "directory_paper.html",
        groups=sorted(by_profession.items()),
        territories=territories,
        number=len(cards),
        **answer_context(looked),
    )


async def csv(request: Request[State]) -> Response:
    """The whole answer as a table for a French spreadsheet."""
    viewer = await viewer_of(request)
    looked = await look(request, viewer.account, everybody=True)
    territories = request.state["desk"].territories.by_id
    places = [place for card in looked.cards for place in card.places]
    return Response(
        csv_of(places, {number: territory.name for number, territory in territories.items()}),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": 'attachment; filename="annuaire.csv"'},
    )


async def person(request: Request[State]) -> Response:
    """One person or service: the places, what is done there, the next free slots.

    Raises:
        NotFound: Nobody of this id works in the viewer's territories.
    """
    viewer = await viewer_of(request)
    account, desk, now = viewer.account, request.state["desk"], now_of(request)
    owner_id: UUID = request.path_params["owner_id"]
    known = await seen_by(request, account, account.reach)
    async with entered(desk.pool, account.id, account.reach) as conn:
        lines = await directory_lines(conn, account.reach, [owner_id])
        offers = await offers_of(conn, account, lines, free_by_schedule(known.slots), now)
    cards = _cards(request, account, [Person(owner_id)], lines, offers, None, known)
    if not cards:
        raise NotFound
    schedules = {place.line.schedule_id for place in cards[0].places}
    slots = sorted(
        (slot for slot in known.slots if slot.schedule.id in schedules and slot.free),
        key=lambda slot: slot.starts_at,
    )
    return show(
        request,
        "_person.html" if is_fragment(request, "fiche") else "person.html",
        card=cards[0],
        slots=slots,
        at=_positions(known, account, request),
        now=now,
        context=[],
    )


async def look(request: Request[State], account: Account, *, everybody: bool = False) -> Looked:
    """Ask the directory what the query string says; cards for the first, or for *everybody*."""
    desk, now = request.state["desk"], now_of(request)
    territories = territories_of(request, account)
    asked = asked_by(
        request.query_params, await request.state["catalogue"].communes.by_insee(request)
    )
    search = asked.form.search
    known = await seen_by(request, account, account.reach)
    free = free_by_schedule(known.slots)
    async with entered(desk.pool, account.id, account.reach) as conn:
        found = await find_in_directory(
            conn, account.reach, asked.typed, search.profession, search.specialty
        )
        people = people_who_answer(asked, found, free, territories, account.roles)
        shown = people if everybody else people[: asked.shown]
        lines = await directory_lines(conn, account.reach, [one.owner_id for one in shown])
        offers = await offers_of(conn, account, lines, free, now)
    cards = _cards(request, account, shown, lines, offers, search.place, known)
    return Looked(asked, people, cards, _positions(known, account, request), known.source, now)


def _cards(
    request: Request[State],
    account: Account,
    people: Iterable[Person],
    lines: Iterable[DirectoryLine],
    offers: Mapping[UUID, Offers],
    place: Place | None,
    known: Seen,
) -> list[Card]:
    """The cards of these people, in their order."""
    territories = request.state["desk"].territories.by_id
    labels = request.state["catalogue"].act_labels
    places: dict[UUID, list[PlaceOfWork]] = defaultdict(list)
    for line in lines:
        territory = territories[line.territory_id]
        said = offers[line.id]
        places[line.owner.id].append(
            PlaceOfWork(
                line,
                [labels.of(territory.slug, code) for code in line.acts],
                None if place is None else between(line.location, place),
                said,
                said.publishing(holds_are_known=known.source == "broker"),
                "" if line.territory_id in account.roles else territory.name,
            )
        )
    return [Card(_in_order(places[one.owner_id], one)) for one in people if one.owner_id in places]


def _positions(known: Seen, account: Account, request: Request[State]) -> dict[str, str]:
    """Where each board stood; without a position the live part starts from a snapshot."""
    return {
        territory.slug: known.at.get(territory.slug, "")
        for territory in territories_of(request, account)
    }


def _in_order(places: Iterable[PlaceOfWork], person: Person) -> list[PlaceOfWork]:
    """The places that answer the search before the others, the nearest first, one's own territory's."""
    answering = [entry.id for entry in person.entries]
    return sorted(
        places,
        key=lambda place: (
            place.line.id not in answering,
            place.distance_km or 0.0,
            place.territory,  # "" is one's own
            place.line.location.name,
        ),
    )


def _heading(card: Card) -> str:
    """Under which a paper list has somebody."""
    if card.line.practitioner is None:
        return "Services"
    return profession(card.owner.profession, card.owner.specialty)


def answer_context(looked: Looked) -> dict[str, Any]:
    """What the templates of an answer need."""
    link = looked.asked.link
    return {
        "asked": looked.asked,
        "cards": looked.cards,
        "people": looked.people,
        "rest": looked.rest,
        "is_exact": looked.is_exact,
        "more": looked.asked.shown + SHOWN_FIRST,
        "question": f"?{link}" if link else "",
        "with_question": f"?{link}&" if link else "?",
        "at": looked.at,
        "source": looked.source,
        "now": looked.now,
    }
