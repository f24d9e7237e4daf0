"""The people table: every fault names its line and its column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.audience import Audience, Role
from slots.numbers import finess_is_doubtful, luhn_holds
from slots.people.findings import Finding, Wrong
from slots.people.table import read
from slots.spreadsheet import FORMULA_STARTS, as_typed, harmless
from workers.people.wording import WORDS, words_of

HEADER = "territory,role,email,given_name,family_name,rpps,profession,specialty,place,insee,phone"
RIGHT = (
    "thau,professional+referrer,Anne.Roux@example.fr,Anne,Roux,10000000009,10,SM54,"
    "Cabinet du Port,34301,04 65 71 00 01"
)

# What only a coordinator's doors answer: the command line runs as the owner, whom none of it stops.
ANSWERS_OF_DOORS = {
    *(Wrong.WITHDRAWN, Wrong.ORGANISATION_ELSEWHERE, Wrong.PERSON_ELSEWHERE, Wrong.OWN_ROLES),
    *(Wrong.ACCOUNT_ELSEWHERE, Wrong.ACCOUNT_UNTIED, Wrong.RPPS_TAKEN, Wrong.RPPS_OF_ACCOUNT),
    *(Wrong.RPPS_UNKNOWN, Wrong.NOT_REGULATION, Wrong.NOT_ALLOWED, Wrong.STILL_TO_COME),
    *(Wrong.FINESS_TAKEN, Wrong.TWO_PEOPLE, Wrong.TWO_ACCOUNTS, Wrong.ACCOUNT_IN_USE),
    Wrong.OVERLAP,
}


def table(*lines, header=HEADER):
    return read("\n".join((header, *lines)).encode())


def faults(*lines, header=HEADER):
    return [(fault.line, fault.column) for fault in table(*lines, header=header).faults]


def test_a_right_line_is_read_without_a_fault():
    found = table(RIGHT)

    assert found.faults == []
    assert found.lines[0].role == (Role.PROFESSIONAL, Role.REFERRER)
    assert found.lines[0].email == "anne.roux@example.fr"
    assert found.lines[0].line == 2


def test_a_spreadsheet_s_semicolons_and_byte_order_mark_are_understood():
    content = f"\ufeff{HEADER}\n{RIGHT}".replace(",", ";").encode()

    assert len(read(content).lines) == 1


def test_empty_lines_are_passed_over():
    assert len(table("", RIGHT, ",,,,,,,,,,").lines) == 1


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ("10000000009", "1000000000", "rpps"),
        ("10000000009", "1.00E+10", "rpps"),
        ("10,SM54", "11,SM54", "profession"),
        ("10,SM54", "60,SM54", "specialty"),
        ("10,SM54", "10,généraliste", "specialty"),
        ("34301", "3430", "insee"),
        ("34301", "", "insee"),
        ("04 65 71 00 01", "", "phone"),
        ("professional+referrer", "boss", "role"),
        ("professional+referrer", "", "role"),
        ("Anne.Roux@example.fr", "", "email"),
        ("Anne.Roux@example.fr", "Anne", "email"),
        ("Roux,", ",", "family_name"),
        ("thau", "", "territory"),
    ],
)
def test_what_makes_no_sense_names_its_column(old, new, column):
    assert (3, column) in faults(RIGHT, RIGHT.replace(old, new, 1))


def test_several_faults_of_a_line_are_all_named():
    line = RIGHT.replace("10000000009", "1").replace("34301", "x")

    assert faults(line) == [(2, "rpps"), (2, "insee")]


def test_a_failing_luhn_check_is_a_warning_and_never_a_fault():
    found = table(RIGHT.replace("10000000009", "10000000008"))

    assert found.faults == []
    assert [(w.line, w.column) for w in found.warnings] == [(2, "rpps")]


def test_a_delegate_of_nobody_is_a_warning_and_never_a_fault():
    line = "thau,delegate,eva@example.fr,Eva,Puech,0465710003,Imagerie"
    header = "territory,role,email,given_name,family_name,phone,organisation"

    found = table(line, header=header)

    assert found.faults == []
    assert [(one.column, one.wrong) for one in found.warnings] == [("delegate_of", Wrong.OF_NOBODY)]


def test_luhn_knows_a_right_number_from_a_wrong_one():
    assert luhn_holds("79927398713")
    assert not luhn_holds("79927398710")


def test_the_national_person_id_is_read_as_its_rpps():
    assert table(RIGHT.replace("10000000009", "810000000009")).lines[0].rpps == "10000000009"


def test_a_service_has_rooms_and_no_person():
    header = "territory,service,place,insee,phone,finess,rooms,acts,audience,family_name"
    right = "thau,Radiographie,Imagerie,34301,04 65 71 00 02,34abcd001,2,radiography,cpts+PRO,"

    line = table(right, header=header).lines[0]

    assert (line.rooms, line.finess) == (2, "34ABCD001")
    assert line.audience == (Audience.CPTS, Audience.PRO)
    assert faults(f"{right}Roux", header=header) == [(2, "family_name")]
    assert faults(right.replace(",2,", ",0,"), header=header) == [(2, "rooms")]
    assert faults(right.replace("34abcd001", "34abcd0012"), header=header) == [(2, "finess")]


def test_access_and_how_to_refer_are_read_and_stay_short():
    header = f"{HEADER},languages,step_free,parking,access,new_patients,referral"
    right = f"{RIGHT},FR+oc,oui,no,Deuxième porte,non,Appeler avant midi"

    line = table(right, header=header).lines[0]

    assert (line.languages, line.step_free, line.parking) == (("fr", "oc"), True, False)
    assert (line.access, line.new_patients) == ("Deuxième porte", False)
    assert line.referral == "Appeler avant midi"
    for old, new, column in (
        ("FR+oc", "français", "languages"),
        (",oui,", ",peut-être,", "step_free"),
        ("Deuxième porte", "x" * 201, "access"),
        ("Appeler avant midi", "x" * 301, "referral"),
    ):
        assert faults(right.replace(old, new), header=header) == [(2, column)], column


def test_what_is_said_of_a_place_needs_one():
    header = "territory,role,email,given_name,family_name,phone,organisation,parking,referral"
    line = "thau,referrer,eva@example.fr,Eva,Puech,0465710003,CPTS,oui,Appeler"

    assert (2, "parking") in faults(line, header=header)
    assert (2, "referral") in faults(line, header=header)


def test_an_unknown_or_repeated_column_is_a_fault_of_the_first_line():
    assert faults(header="territory,patronyme") == [(1, "patronyme")]
    assert (1, "email") in faults(header="territory,email,email")
    assert faults(header="email") == [(1, "territory")]


def test_too_many_cells_are_a_fault():
    assert faults(f"{RIGHT},more") == [(2, "phone")]


@pytest.mark.parametrize("content", [b"", b"\x81\x8d", b"territory\n\x00", b'territory\n"open'])
def test_what_is_no_table_is_one_fault(content):
    assert len(read(content).faults) == 1


def test_headings_and_words_may_be_french_and_in_the_letters_of_an_old_excel():
    content = (
        "Rôles;Courriel;Prénom;Nom;RPPS;Profession;Lieu;Code INSEE;Téléphone\r\n"
        "professionnel+orienteur;a@example.fr;Zoé;Roux;10000000009;médecin;Cabinet;34301;0465710001\r\n"
    )

    for encoding in ("utf-8", "utf-8-sig", "windows-1252"):
        found = read(content.encode(encoding), territory="thau")
        assert found.faults == []
        assert found.lines[0].role == (Role.PROFESSIONAL, Role.REFERRER)
        assert (found.lines[0].given_name, found.lines[0].profession) == ("Zoé", "10")
        assert found.lines[0].territory == "thau"


def test_a_file_of_one_territory_has_no_line_of_another():
    found = read(f"{HEADER}\n{RIGHT}".encode(), territory="hauts")

    assert [(one.column, one.wrong) for one in found.faults] == [
        ("territory", Wrong.OTHER_TERRITORY)
    ]


def test_too_many_lines_are_one_fault_and_empty_ones_do_not_count():
    content = f"{HEADER}\n{RIGHT}\n\n{RIGHT}".encode()

    assert len(read(content, lines_max=2).lines) == 2
    assert [one.wrong for one in read(content, lines_max=1).faults] == [Wrong.TOO_MANY_LINES]


def test_a_failing_check_digit_of_a_finess_is_a_warning_and_letters_have_none():
    assert finess_is_doubtful("340000001")
    assert not finess_is_doubtful("2A0000001")
    assert not finess_is_doubtful("")


@given(st.text(min_size=0, max_size=30))
def test_what_was_made_harmless_is_read_as_it_was(cell):
    assert as_typed(harmless(cell)) == cell
    assert not harmless(cell).lstrip(" ").startswith(FORMULA_STARTS)


def test_every_fault_that_a_file_can_have_has_words():
    for wrong in WORDS:
        assert words_of(Finding(1, "rpps", wrong, "12", "34"))
    assert {wrong for wrong in Wrong if wrong not in WORDS} == ANSWERS_OF_DOORS
