"""One search line: a profession, an act or a person, however they are typed."""

import msgspec
import pytest

from slots.ids import TerritoryId
from slots.store.directory import Act
from tests.live.making import make_document
from web.pages.finding import Search, find
from web.pages.search_form import act_meant, read, specialty_meant
from web.pages.wording import answers, meant, stems, words_of

LABELS = {"consultation": "Consultation", "suture": "Suture de plaie"}
KINE = ("Masseur-kinésithérapeute",)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("kiné", KINE),
        ("KINE", KINE),
        ("masseur kiné", KINE),
        ("infirmières", ("Infirmier",)),
        ("médecine générale", ("Médecin généraliste",)),
        ("sage-femme", ("Sage-femme",)),
        ("dr martin", ("Dr\u00a0Ann Martin", "Médecin généraliste")),
        ("Suture d’une plaie", ("Suture de plaie",)),
        ("écho", ("Échographie",)),
        ("œil", ("Corps étranger dans l’oeil",)),
        ("", KINE),
    ],
)
def test_it_is_understood(typed, said):
    assert answers(stems(typed), words_of(said))


@pytest.mark.parametrize(
    ("typed", "said"),
    [("thérapeute", KINE), ("kiné Sète", KINE), ("martin", ("Dr Ann Mart",))],
)
def test_it_is_not_confused(typed, said):
    assert not answers(stems(typed), words_of(said))


def test_one_label_alone_is_meant():
    labels = [("SM34", "ORL"), ("SM54", "Médecin généraliste"), ("SM40", "Médecin pédiatre")]

    assert meant("orl", labels) == "SM34"
    assert meant("médecin", labels) is None
    assert meant("plombier", labels) is None
    assert meant("", labels) is None


def test_the_line_finds_by_act_as_the_territory_calls_it():
    slot = msgspec.structs.replace(make_document(), acts=["suture"])
    form = read({"quoi": "plaie"}, {})

    def label_of(territory: str, code: str) -> str:
        return LABELS[code]

    assert [row.slot for row in find(form.search, [slot], slot.starts_at, label_of)] == [slot]
    assert not find(form.search, [slot], slot.starts_at)  # the code alone does not say so
    assert find(Search(), [slot], slot.starts_at)


def test_what_was_typed_becomes_the_reason_and_the_need(acts):
    assert act_meant(read({"quoi": "sutures"}, {}), acts) == "suture"
    assert act_meant(read({"quoi": "sutures", "acte": "dressing"}, {}), acts) == "dressing"
    assert specialty_meant(read({"quoi": "dermato"}, {})) == ("10", "SM15")
    assert specialty_meant(read({"quoi": "kiné"}, {})) == ("70", None)
    assert specialty_meant(read({"quoi": "kiné", "qui": "60"}, {})) == ("60", None)
    assert specialty_meant(read({"quoi": "Dr Martin"}, {})) == (None, None)


@pytest.fixture
def acts():
    return [Act(TerritoryId(1), code, label, "", False) for code, label in LABELS.items()]
