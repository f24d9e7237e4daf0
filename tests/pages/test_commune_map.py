"""The map of the communes: where the free places are, to scale."""

from datetime import timedelta
from math import hypot

import msgspec

from slots.search import great_circle_km
from slots.store.directory import Commune
from tests.live.making import STARTS_AT, make_document
from web.pages.commune_map import UNITS_A_KM, drawn
from web.pages.search_form import read

NOW = STARTS_AT - timedelta(hours=2)
COMMUNES = {
    commune.insee: commune
    for commune in (
        Commune("34028", "Bédarieux", ("34600",), 43.61266, 3.16624),
        Commune("34119", "Hérépian", ("34600",), 43.59178, 3.11792),
        Commune("34147", "Magalas", ("34480",), 43.48110, 3.21725),
        Commune("75056", "Paris", ("75001",), 48.85, 2.35),
    )
}


def slot_at(insee: str, **fields):
    document = make_document(**fields)
    there = msgspec.structs.replace(document.schedule.location, insee=insee)
    return msgspec.structs.replace(
        document, schedule=msgspec.structs.replace(document.schedule, location=there)
    )


def test_each_commune_has_its_free_places_the_fullest_first():
    slots = [slot_at("34147"), slot_at("34028"), slot_at("34028"), slot_at("34028", free=0)]

    found = drawn(slots, COMMUNES, read({}, COMMUNES), NOW)

    assert [(point.name, point.free) for point in found.marked] == [
        ("Bédarieux", 2),
        ("Magalas", 1),
    ]
    assert [point.words for point in found.marked][1] == "Magalas : 1\u00a0place libre"
    assert [point.name for point in found.around] == ["Hérépian"]  # Paris is not in view


def test_distances_on_it_are_those_on_the_ground():
    found = drawn([slot_at("34147"), slot_at("34028")], COMMUNES, read({}, COMMUNES), NOW)

    here, there = found.marked
    drawn_km = hypot(here.x - there.x, here.y - there.y) / UNITS_A_KM
    real_km = great_circle_km(43.61266, 3.16624, 43.48110, 3.21725)
    assert abs(drawn_km - real_km) < 0.2
    assert all(0 < p.x < found.width and 0 < p.y < found.height for p in found.marked)


def test_the_patients_commune_is_on_it_with_the_reach_of_the_search():
    form = read({"commune": "Hérépian", "rayon": "10"}, COMMUNES)

    found = drawn([slot_at("34028")], COMMUNES, form, NOW)

    assert [point.name for point in found.marked if point.is_sought] == ["Hérépian"]
    assert found.reach == 10 * UNITS_A_KM


def test_nothing_is_drawn_of_nothing():
    assert drawn([], COMMUNES, read({}, COMMUNES), NOW) is None
    over = slot_at("34028", starts_at=NOW - timedelta(hours=3))
    assert drawn([over], COMMUNES, read({}, COMMUNES), NOW) is None


def test_names_do_not_write_over_each_other():
    near = {
        **COMMUNES,
        "34000": Commune("34000", "Juste à côté", ("34600",), 43.6130, 3.1665),
    }
    slots = [slot_at("34028"), slot_at("34028"), slot_at("34000"), slot_at("34147")]

    found = drawn(slots, near, read({}, near), NOW)

    assert [point.name for point in found.marked if point.is_named] == ["Bédarieux", "Magalas"]
    assert len(found.marked) == 3  # without its name the place is still there, and says it aloud
