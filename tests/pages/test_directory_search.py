"""Who answers a question to the directory, in what order, and how a spreadsheet gets it. Pure."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from slots.document import LocationDocument, PractitionerDocument
from slots.ids import TerritoryId
from slots.publishing import Offers, Publishing
from slots.spreadsheet import harmless
from slots.store.directory import Commune, DirectoryLine, FoundEntry
from slots.territory import Territory
from web.pages.directory import PlaceOfWork
from web.pages.directory_csv import COLUMNS, csv_of
from web.pages.directory_search import SHOWN_FIRST, asked_by, people_who_answer

HAUTS = Territory(TerritoryId(1), "hauts", "CPTS Hauts", "34", 0)
BEDARIEUX = Commune("34028", "Bédarieux", ("34600",), 43.61, 3.17)
COMMUNES = {BEDARIEUX.insee: BEDARIEUX}
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


def entry(owner: UUID | None = None, **fields: object) -> FoundEntry:
    one = FoundEntry(
        id=uuid4(),
        owner_id=owner or uuid4(),
        is_service=False,
        territory_id=HAUTS.id,
        schedule_id=uuid4(),
        new_patients=None,
        languages=("fr",),
        lat=43.61,
        lon=3.17,
        is_exact=True,
        rank=1.0,
    )
    return replace(one, **fields)


def answering(query: dict[str, str], *entries: FoundEntry, free: set[UUID] | None = None):
    asked = asked_by(query, COMMUNES)
    found = people_who_answer(asked, entries, free or set(), [HAUTS], {HAUTS.id})
    return [person.owner_id for person in found]


def test_a_person_with_two_places_appears_once():
    at_one = entry()
    at_another = entry(at_one.owner_id)

    assert answering({}, at_one, entry(), at_another).count(at_one.owner_id) == 1


def test_the_nearest_place_of_a_person_counts():
    far, near = entry(lat=43.0), entry(lat=43.5)
    also_here = entry(far.owner_id)

    assert answering({}, near, far, also_here) == [near.owner_id, far.owner_id]
    assert answering({"commune": "34028"}, near, far, also_here) == [far.owner_id, near.owner_id]


def test_what_only_comes_near_is_sorted_by_how_near_it_comes_then_by_distance():
    likest = entry(lat=43.0, is_exact=False, rank=0.9)
    nearer = entry(is_exact=False, rank=0.5)

    assert answering({"commune": "34028"}, likest, nearer) == [likest.owner_id, nearer.owner_id]


def test_ones_own_territory_comes_first_unless_something_is_asked():
    neighbour, own = entry(territory_id=TerritoryId(2)), entry()

    assert answering({}, neighbour, own) == [own.owner_id, neighbour.owner_id]
    assert answering({"q": "martin"}, neighbour, own) == [neighbour.owner_id, own.owner_id]


def test_filters_leave_out_what_they_must():
    free, new, other = entry(), entry(new_patients=True), entry(languages=("fr", "oc"), lat=43.0)
    everybody = (free, new, other, entry(new_patients=False))

    assert answering({"libre": "1"}, *everybody, free={free.schedule_id}) == [free.owner_id]
    assert answering({"nouveaux": "1"}, *everybody) == [new.owner_id]
    assert answering({"langue": "oc"}, *everybody) == [other.owner_id]
    assert other.owner_id not in answering({"commune": "34028", "rayon": "20"}, *everybody)
    assert answering({"territoire": "elsewhere"}, *everybody) == []


@pytest.mark.parametrize(
    ("montre", "shown"),
    [
        ("", SHOWN_FIRST),
        ("120", 120),
        ("1", SHOWN_FIRST),
        ("-5", SHOWN_FIRST),
        ("9" * 9, SHOWN_FIRST),
    ],
)
def test_how_many_are_shown_is_a_number_within_reason(montre, shown):
    assert asked_by({"montre": montre}, {}).shown == shown


def test_a_link_keeps_the_question_and_nothing_else():
    query = {"q": " kiné à Sète ", "qui": "", "fragment": "liste", "montre": "120", "libre": "1"}

    assert asked_by(query, {}).link == "q=kin%C3%A9+%C3%A0+S%C3%A8te&libre=1"


def line(**fields: object) -> DirectoryLine:
    one = DirectoryLine(
        id=uuid4(),
        territory_id=HAUTS.id,
        practitioner=PractitionerDocument(uuid4(), "Ann Martin", "10", "SM54"),
        service=None,
        location=LocationDocument(
            uuid4(), "Maison de santé", "Bédarieux", "34028", 43.61, 3.17, "0400000001"
        ),
        schedule_id=uuid4(),
        skills=("suture", "échographie"),
        languages=("fr", "oc"),
        acts=("consultation",),
        address="1 rue du Pont; étage 2",
        access="",
        step_free=True,
        parking=None,
        referral="",
        new_patients=False,
        accepts_overflow=False,
    )
    return replace(one, **fields)


def table_of(*lines: DirectoryLine) -> tuple[str, list[dict[str, str]]]:
    places = [
        PlaceOfWork(one, ["Consultation"], 12.4, Offers(2, NOW), Publishing.FREE, "")
        for one in lines
    ]
    text = csv_of(places, {HAUTS.id: HAUTS.name}).decode("utf-8")
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";")
    return text, list(reader)


def test_a_french_spreadsheet_opens_the_table_as_it_is():
    text, [row] = table_of(line())

    assert text.startswith("\ufeff" + ";".join(COLUMNS)[:3])
    assert text.count("\r\n") == 2
    assert "\n" not in text.replace("\r\n", "")
    assert row["Nom"] == "Dr\u00a0Ann Martin"
    assert (row["Adresse"], row["Compétences"]) == ("1 rue du Pont; étage 2", "suture, échographie")
    assert (row["Distance (km)"], row["Téléphone"]) == (
        "12,4",
        "04\u00a000\u00a000\u00a000\u00a001",
    )
    assert (row["De plain-pied"], row["Parking"], row["Nouveaux patients"]) == ("oui", "", "non")
    assert (row["Disponibilités"], row["Places libres"]) == ("Places libres", "2")
    assert row["Langues"] == "français, occitan"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"])
def test_no_cell_is_taken_for_a_formula(start):
    attack = f'{start}HYPERLINK("https://example.test";"clic")'

    text, [row] = table_of(line(referral=attack, address=f"a\r\n{attack}", skills=(attack,)))

    assert row["Pour adresser"] == f"'{attack}"
    assert row["Compétences"].startswith("'")
    assert all(not cell.lstrip(" ").startswith(("=", "+", "-", "@")) for cell in row.values())
    assert '""clic""' in text  # quotes are doubled


def test_an_innocent_cell_stays_as_it_is():
    for cell in ("", "Dr Martin", "1-2", "a=b", "0465 71"):
        assert harmless(cell) == cell
