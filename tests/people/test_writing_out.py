"""A table of people that is written out reads as it was."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from slots.audience import Audience, Role
from slots.people.columns import HEADINGS, ORGANISATION_KINDS, PROFESSIONS
from slots.people.table import ACCESS_MAX, Line, read
from slots.people.writing_out import written

# What people type, with what makes a table difficult: separators, quotes, formulas, accents.
SIGNS = st.sampled_from("abcéÉœ’ '\"=+-@;,|&<\u0660\uff1d0123")


def words(*, least=0, most=ACCESS_MAX):
    typed = st.text(SIGNS, min_size=least, max_size=min(most, 30))
    return typed.map(lambda text: " ".join(text.split())).filter(lambda text: len(text) >= least)


def several(one):
    return st.lists(one, max_size=3, unique=True).map(tuple)


word = st.text(st.sampled_from("abcdé"), min_size=1, max_size=8)
yes_or_no = st.sampled_from([True, False, None])
degrees = st.floats(-80, 80).map(lambda value: round(value, 7) + 0.0)


@st.composite
def lines(draw):
    is_service = draw(st.booleans())
    profession = draw(st.sampled_from(sorted(PROFESSIONS)))
    values = {field.name: "" for field in fields(Line)} | {
        **{name: draw(words()) for name in ("address", "access", "referral", "organisation")},
        **{name: draw(yes_or_no) for name in ("step_free", "parking", "new_patients", "overflow")},
        "line": 2,
        "territory": "thau",
        "role": (),
        "place": draw(words(least=1)),
        "insee": draw(st.sampled_from(["34301", "2A004"])),
        "lat": draw(degrees),
        "lon": draw(degrees),
        "phone": draw(st.sampled_from(["+33 4 65 71 00 01", "0465710001"])),
        "profession": profession,
        "specialty": draw(st.sampled_from(["", "SM54"])) if profession == "10" else "",
        "organisation_kind": draw(st.sampled_from(["", *ORGANISATION_KINDS])),
        "finess": draw(st.sampled_from(["", "34ABCD001", "340000001"])),
        "acts": draw(several(word)),
        "audience": draw(several(st.sampled_from(list(Audience)))),
        "daily_cap": draw(st.none() | st.integers(1, 200)),
        "rooms": draw(st.none() | st.integers(1, 50)) if is_service else None,
        **dict.fromkeys(("skills", "languages", "delegate_of"), ()),
    }
    if is_service:
        return Line(**values | {"service": draw(words(least=1))})
    return Line(**values | draw(people()))


@st.composite
def people(draw):
    roles = draw(several(st.sampled_from([Role.PROFESSIONAL, Role.DELEGATE, Role.REFERRER])))
    numbers = several(st.sampled_from(["10000000009", "34ABCD001"]))
    return {
        "role": roles,
        "email": "eva@example.fr" if roles else "",
        "given_name": draw(words(least=1)),
        "family_name": draw(words(least=1)),
        "rpps": "10000000017",
        "skills": draw(several(word)),
        "languages": draw(several(st.sampled_from(["fr", "oc", "ber"]))),
        "delegate_of": draw(numbers) if Role.DELEGATE in roles else (),
    }


@given(lines())
def test_what_is_written_out_reads_as_it_was(line):
    found = read(written([line]), territory="thau")

    assert found.faults == []
    assert found.lines == [line]


def test_every_column_is_written_but_the_territory_which_is_the_file_s():
    header = written([]).decode("utf-8-sig").strip().split(";")

    assert header == [name for column, name in HEADINGS.items() if column != "territory"]
