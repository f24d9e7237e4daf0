from datetime import UTC, datetime, timedelta

import pytest

from slots.store.directory import Commune
from tests.live.making import make_slot
from web.pages.finding import Search, commune_of
from web.pages.search_form import COMMUNE_UNKNOWN, prefilled, read

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # 21 h in France
COMMUNES = {
    commune.insee: commune
    for commune in (
        Commune("34028", "Bédarieux", ("34600",), 43.61266, 3.16624),
        Commune("34119", "Hérépian", ("34600",), 43.59178, 3.11792),
        Commune("34301", "Sète", ("34200", "34207"), 43.39187, 3.64697),
    )
}


def slot_in(hours: float, **fields):
    return make_slot(starts_at=NOW + timedelta(hours=hours), **fields).document()


@pytest.mark.parametrize("typed", ["34301", "Sète", "sete", " Sète (34200) ", "34207"])
def test_a_commune_is_found_however_it_is_typed(typed):
    assert commune_of(typed, COMMUNES) is COMMUNES["34301"]


@pytest.mark.parametrize("typed", ["34600", "Ys", ""])
def test_an_unknown_or_ambiguous_commune_is_not_guessed(typed):
    assert commune_of(typed, COMMUNES) is None


def test_a_search_is_a_link():
    form = read({"specialite": "SM54", "insee": "34028", "delai": "24", "rayon": "15"}, COMMUNES)

    assert form.search == Search(
        profession="10",
        specialty="SM54",
        commune=COMMUNES["34028"],
        radius_km=15,
        within_h=24,
    )
    assert form.commune_typed == "Bédarieux (34600)"
    assert form.search.who == "10:SM54"


def test_an_unknown_commune_is_said_and_nonsense_is_left_out():
    form = read({"commune": "Ys", "delai": "beaucoup", "modalite": "XX", "qui": "70"}, COMMUNES)

    assert form.error == COMMUNE_UNKNOWN
    assert form.commune_typed == "Ys"
    assert form.search == Search(profession="70")


@pytest.mark.parametrize(
    "act,delay,waits_h,reason,urgency",
    [
        ("suture", "", 3, "wound-suture", "today"),
        ("consultation", "24", 40, "other", "within-24h"),
        ("x-ray", "", 40, "imaging", "within-48h"),
    ],
)
def test_reason_and_urgency_are_prefilled_from_the_search(act, delay, waits_h, reason, urgency):
    assert prefilled(act, delay, waits_h) == (reason, urgency)
