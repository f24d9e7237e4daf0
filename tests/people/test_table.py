"""The people table: every fault names its line and its column."""

import pytest

from slots.audience import Audience, Role
from slots.numbers import luhn_holds
from workers.people.table import read

HEADER = "territory,role,email,given_name,family_name,rpps,profession,specialty,place,insee,phone"
RIGHT = (
    "thau,professional+referrer,Anne.Roux@example.fr,Anne,Roux,10000000009,10,SM54,"
    "Cabinet du Port,34301,04 65 71 00 01"
)


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
        ("professional+referrer", "delegate", "delegate_of"),
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
    assert faults(header="territory,nom") == [(1, "nom")]
    assert (1, "email") in faults(header="territory,email,email")
    assert faults(header="email") == [(1, "territory")]


def test_too_many_cells_are_a_fault():
    assert faults(f"{RIGHT},more") == [(2, "phone")]


@pytest.mark.parametrize("content", [b"", b"\xe9\xe8", b"territory\n\x00", b'territory\n"open'])
def test_what_is_no_table_is_one_fault(content):
    assert len(read(content).faults) == 1
