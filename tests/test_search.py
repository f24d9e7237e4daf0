"""The order and the reach of a search."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest

from slots.document import (
    LocationDocument,
    PractitionerDocument,
    ScheduleDocument,
    ServiceDocument,
    SlotDocument,
)
from slots.search import Place, Search, great_circle_km, rounded, search
from slots.store.unmet import delay_hours

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
BEDARIEUX = Place(43.61266, 3.16624, "34028")
SETE = Place(43.39187, 3.64697, "34301")


def make_slot(
    *,
    at=BEDARIEUX,
    hours=1.0,
    profession="10",
    specialty="SM54",
    service=None,
    territory="hauts",
    acts=("consultation",),
    modality="AMB",
    area=None,
    status="free",
):
    practitioner = PractitionerDocument(uuid4(), "Ann Martin", profession, specialty)
    location = LocationDocument(uuid4(), "Cabinet", "", at.insee, at.lat, at.lon, "0400000001")
    return SlotDocument(
        id=uuid4(),
        territory=territory,
        schedule=ScheduleDocument(uuid4(), None if service else practitioner, service, location),
        starts_at=NOW + timedelta(hours=hours),
        ends_at=NOW + timedelta(hours=hours + 0.25),
        modality=modality,
        area=area,
        acts=list(acts),
        audience=["CPTS"],
        note=None,
        capacity=1,
        free=1,
        held=0,
        booked=0,
        held_until=None,
        status=status,
        version=1,
    )


def found(slots, place=None, rng=None, **filters):
    return [one.slot for one in search(slots, Search(**filters), place, rng or Random(1))]


def test_without_a_place_the_earliest_comes_first():
    later, sooner = make_slot(hours=3), make_slot(hours=1)

    assert found([later, sooner]) == [sooner, later]


def test_with_a_place_the_nearest_comes_first_and_then_the_earliest():
    far, near_late, near_soon = make_slot(at=SETE), make_slot(hours=9), make_slot(hours=2)

    slots = found([far, near_late, near_soon], BEDARIEUX, nearest_first=True)

    assert slots == [near_soon, near_late, far]


def test_equals_come_in_every_order():
    slots = [make_slot() for _ in range(3)]
    firsts = {found(slots, rng=Random(seed))[0].id for seed in range(40)}

    assert firsts == {slot.id for slot in slots}


def test_the_same_dice_give_the_same_order():
    slots = [make_slot() for _ in range(20)]

    assert found(slots, rng=Random(7)) == found(slots, rng=Random(7))


@pytest.mark.parametrize(
    "filters, other",
    [
        ({"profession": "10"}, {"profession": "60", "specialty": None}),
        ({"specialty": "SM54"}, {"specialty": "SM44"}),
        ({"act": "suture"}, {"acts": ("consultation",)}),
        ({"modality": "AMB"}, {"modality": "VR"}),
        ({"status": "free"}, {"status": "busy"}),
        ({"territory": frozenset({"hauts"})}, {"territory": "thau"}),
        ({"starts_before": NOW + timedelta(hours=2)}, {"hours": 2}),
    ],
)
def test_each_filter_keeps_what_it_names(filters, other):
    wanted = make_slot(acts=("consultation", "suture"))

    assert found([wanted, make_slot(**other)], **filters) == [wanted]


def test_a_service_is_found_by_the_profession_of_those_who_work_there():
    radiology = make_slot(service=ServiceDocument(uuid4(), "Radiologie", "10", "SM44"))

    assert found([radiology, make_slot()], specialty="SM44") == [radiology]


def test_the_distance_is_as_the_crow_flies_to_a_tenth_of_a_kilometre():
    [answer] = search([make_slot(at=SETE)], Search(), BEDARIEUX, Random(1))

    assert answer.distance_km == round(
        great_circle_km(SETE.lat, SETE.lon, BEDARIEUX.lat, BEDARIEUX.lon), 1
    )
    assert 45 < answer.distance_km < 47


def test_without_a_place_there_is_no_distance():
    [answer] = search([make_slot()], Search(radius_km=1), None, Random(1))

    assert answer.distance_km is None


def test_what_lies_beyond_the_radius_is_not_found():
    near = make_slot(at=BEDARIEUX)

    assert found([near, make_slot(at=SETE)], BEDARIEUX, radius_km=20) == [near]


def test_remote_care_has_no_radius_and_comes_after_what_has_a_place():
    remote, far = make_slot(at=SETE, modality="VR"), make_slot(at=SETE, hours=9)

    assert found([remote], BEDARIEUX, radius_km=5) == [remote]
    assert found([remote, far], BEDARIEUX, nearest_first=True) == [far, remote]


def test_a_home_visit_is_found_from_the_communes_that_it_names():
    visits = make_slot(modality="HH", area={"insee": ["34301"]})

    assert found([visits], SETE, radius_km=1) == [visits]
    assert found([visits], BEDARIEUX, radius_km=500) == []


def test_a_home_visit_with_a_radius_is_found_from_within_it():
    visits = make_slot(modality="HH", area={"radius_km": 10})

    assert found([visits], Place(43.60, 3.12, "34119")) == [visits]
    assert found([visits], SETE) == []


def test_without_a_place_home_visits_are_shown():
    visits = make_slot(modality="HH", area={"insee": ["34301"]})

    assert found([visits]) == [visits]


def test_no_more_than_the_limit_is_answered():
    slots = [make_slot(hours=hours) for hours in range(1, 5)]

    assert found(slots, limit=2) == slots[:2]


def test_a_position_is_known_to_a_hundredth_of_a_degree_only():
    assert rounded(43.612661, 3.166244) == (43.61, 3.17)


def test_the_antipodes_are_half_an_earth_away():
    assert great_circle_km(90, 0, -90, 0) == pytest.approx(20_015, abs=1)


@pytest.mark.parametrize(
    "hours, delay", [(0, 4), (4, 4), (4.1, 8), (23, 24), (30, 48), (49, 72), (500, 72)]
)
def test_delays_fall_into_the_classes_that_boards_show(hours, delay):
    assert delay_hours(timedelta(hours=hours)) == delay
