from datetime import UTC, datetime, timedelta

import pytest

from slots.document import PractitionerDocument
from slots.ids import new_id
from web.pages import french

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # 10 h in France


@pytest.mark.parametrize(
    "ahead,said",
    [
        (timedelta(minutes=-3), "maintenant"),
        (timedelta(minutes=35), "dans 35 min"),
        (timedelta(hours=2, minutes=5), "dans 2 h 05"),
        (timedelta(hours=26), "dans 26 h"),
    ],
)
def test_how_soon(ahead, said):
    assert french.delay(NOW + ahead, NOW).replace("\u00a0", " ") == said


def test_near_days_have_names_by_the_french_calendar():
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # half past midnight, the 23rd

    assert french.near_day(late, NOW) == "demain"
    assert french.near_day(NOW + timedelta(days=3), NOW) == "mercredi 25\u00a0novembre"


@pytest.mark.parametrize("typed", ["0467950012", "+33467950012", "04 67 95 00 12"])
def test_a_phone_number_is_said_in_pairs(typed):
    assert french.phone(typed) == "04\u00a067\u00a095\u00a000\u00a012"


def test_a_short_number_stays_as_it_is():
    assert french.phone("15") == "15"
    assert french.phone_link("15") == "tel:15"
    assert french.phone_link(None) == ""


def test_nothing_and_one_are_singular():
    assert french.count(0, "créneau", "créneaux") == "0\u00a0créneau"
    assert french.count(1_052, "créneau", "créneaux") == "1\u202f052\u00a0créneaux"


def test_accents_do_not_matter_to_a_search():
    assert french.folded("Hérépian Œil d’Été") == "herepian oeil d'ete"


def test_a_doctor_is_called_so_and_a_nurse_is_not():
    doctor = PractitionerDocument(new_id(1), "Ann Martin", "10", "SM54")
    nurse = PractitionerDocument(new_id(1), "Nina Petit", "60", None)

    assert french.practitioner_name(doctor) == "Dr\u00a0Ann Martin"
    assert french.practitioner_name(nurse) == "Nina Petit"
    assert french.profession("10", "SM15") == "Dermatologue"
    assert french.profession("70") == "Masseur-kinésithérapeute"


def test_typed_words_are_set_as_a_printer_would():
    assert french.typography("L'ordonnance ; oui ?") == "L’ordonnance\u202f; oui\u202f?"


@pytest.mark.parametrize(
    ("audience", "said"),
    [
        (["CPTS", "SNP"], ""),
        (["SNP"], "Centre 15 seulement"),
        (["CPTS"], "membres seulement"),
        (["CPTS", "SNP", "PRO"], "aussi aux CPTS voisines"),
        (["SNP", "PUBLIC"], "ouvert à tous"),
    ],
)
def test_a_row_says_who_may_book_where_one_would_not_expect_it(audience, said):
    assert french.seen_by(audience) == said
