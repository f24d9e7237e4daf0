"""The demo's people and places are those that the press kits count."""

from collections import Counter

from slots.numbers import luhn_holds
from workers.demo import catalogue, ground
from workers.demo.ground import BASSIN_DE_THAU, HAUTS_CANTONS
from workers.demo.people import people, plain, rpps


def professions(territory):
    places = {p.key for p in ground.places() if p.territory == territory.slug}
    members = [p for p in people(ground.places()) if places & set(p.place_keys)]
    return Counter(
        "specialist" if p.specialty and not p.is_general_practitioner else p.profession
        for p in members
    )


def test_the_hauts_cantons_have_the_professionals_of_their_press_kit():
    assert professions(HAUTS_CANTONS) == {
        "10": 23,
        "specialist": 2,
        "70": 13,
        "50": 3,
        "60": 32,
        "21": 5,
        "91": 4,
        "40": 2,
        "80": 7,
    }


def test_the_bassin_de_thau_has_the_members_of_its_press_kit():
    found = professions(BASSIN_DE_THAU)

    assert found["10"] + found["specialist"] == 44
    assert (found["60"], found["70"], found["21"]) == (56, 16, 21)
    assert found.total() == 149


def test_every_place_lies_in_a_commune_of_its_territory():
    communes = {c.insee: c for c in ground.communes()}

    assert len(communes) == 341
    assert all(communes[p.insee].territory == p.territory for p in ground.places())


def test_some_work_at_two_places_and_a_few_in_both_territories():
    territories = {p.key: p.territory for p in ground.places()}
    everybody = people(ground.places())

    assert sum(len(p.place_keys) > 1 for p in everybody) >= 20
    assert sum(len({territories[k] for k in p.place_keys}) == 2 for p in everybody) == 3


def test_the_same_people_come_at_every_call_with_names_of_their_own():
    once, again = people(ground.places()), people(ground.places())

    assert once == again
    assert len({p.mailbox for p in once}) == len(once)
    assert len({p.rpps for p in once}) == len(once)


def test_a_fictitious_rpps_has_eleven_digits_and_fails_the_luhn_check():
    numbers = [rpps(serial) for serial in range(1, 400)]

    assert all(len(n) == 11 and n.isdigit() and n.startswith("999") for n in numbers)
    assert not any(luhn_holds(n) for n in numbers)


def test_a_name_becomes_a_mailbox_in_plain_letters():
    assert plain("Élodie Ségura") == "elodiesegura"


def test_the_catalogue_has_no_code_twice():
    codes = [act.code for act in catalogue.ACTS]

    assert len(codes) == len(set(codes)) == 14
    assert len(catalogue.REASONS) == 14
