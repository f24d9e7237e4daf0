"""The table that a CPTS fills in: one line a person at a place, or a service. Pure.

Every fault names its line and its column, so that a file is mended in one reading.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final

from slots.audience import Audience, Role
from slots.numbers import finess_is_doubtful, luhn_holds
from slots.people import cells
from slots.people.columns import (
    COLUMN_OF,
    DOCTOR,
    HEADINGS,
    ORGANISATION_KINDS,
    PROFESSIONS,
    folded,
)
from slots.people.findings import CellWrong, Finding, Wrong
from slots.spreadsheet import as_typed

ROOMS_MAX: Final = 50
CAP_MAX: Final = 200
TEXT_MAX: Final = 200  # characters of a name, an address, a list
ACCESS_MAX: Final = 200
REFERRAL_MAX: Final = 300
# Of a page; the command line has no bound.
FILE_BYTES_MAX: Final = 256 * 1024
LINES_MAX: Final = 350
# What programs on a French PC write: the second is read where it is not the first.
ENCODINGS: Final = ("utf-8-sig", "windows-1252")
FILE: Final = "file"  # the column of what is wrong with the whole


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. Texts are "" and the rest None where a cell is empty."""

    line: int
    territory: str
    role: tuple[Role, ...]
    email: str
    given_name: str
    family_name: str
    rpps: str
    profession: str
    specialty: str
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    place: str
    address: str
    insee: str
    lat: float | None
    lon: float | None
    phone: str
    step_free: bool | None
    parking: bool | None
    access: str
    new_patients: bool | None
    referral: str
    organisation: str
    organisation_kind: str
    finess: str
    service: str
    rooms: int | None
    acts: tuple[str, ...]
    audience: tuple[Audience, ...]
    daily_cap: int | None
    overflow: bool | None
    delegate_of: tuple[str, ...]

    @property
    def name(self) -> str:
        """As people say it."""
        return f"{self.given_name} {self.family_name}".strip()


@dataclass(frozen=True, slots=True)
class Table:
    """What was read: the lines that make sense, what does not, and what looks odd."""

    lines: list[Line] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)


def read(content: bytes, *, territory: str = "", lines_max: int | None = None) -> Table:
    """Read a CSV file as a spreadsheet writes it, with commas or semicolons.

    *territory* is where all lines belong, where the file is one territory's: then its column may
    be missing, and another one in it is a fault.
    """
    text = _text(content)
    if text is None:
        return Table(faults=[Finding(1, FILE, Wrong.NOT_TEXT)])
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",", strict=True)
    table = Table()
    try:
        header = [_column(heading) for heading in next(reader, [])]
        table.faults.extend(_header_faults(header, needs_territory=not territory))
        if not table.faults:
            for number, found in enumerate(_filled(reader), start=1):
                if lines_max is not None and number > lines_max:
                    wrong = Finding(reader.line_num, FILE, Wrong.TOO_MANY_LINES, "", str(lines_max))
                    return Table(faults=[wrong])
                _read_line(table, reader.line_num, header, found, territory)
    except csv.Error:
        table.faults.append(Finding(reader.line_num, FILE, Wrong.BROKEN))
    return table


def _text(content: bytes) -> str | None:
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _filled(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    return (row for row in rows if any(cell.strip() for cell in row))


def _column(heading: str) -> str:
    """The column that a heading names; the heading itself where it names none."""
    return COLUMN_OF.get(folded(heading), heading.strip())


def _header_faults(header: list[str], *, needs_territory: bool) -> Iterator[Finding]:
    for name in header:
        if name not in HEADINGS:
            yield Finding(1, name, Wrong.UNKNOWN_COLUMN, name, ", ".join(HEADINGS))
        elif header.count(name) > 1:
            yield Finding(1, name, Wrong.COLUMN_TWICE)
    if needs_territory and "territory" not in header:
        yield Finding(1, "territory", Wrong.COLUMN_MISSING)


def _read_line(
    table: Table, number: int, header: list[str], found: list[str], territory: str
) -> None:
    if len(found) > len(header):
        detail = f"{len(found)} / {len(header)}"
        table.faults.append(Finding(number, header[-1], Wrong.TOO_MANY_CELLS, "", detail))
        return
    row = dict.fromkeys(HEADINGS, "") | {
        name: as_typed(" ".join(cell.split())) for name, cell in zip(header, found, strict=False)
    }
    row["territory"] = row["territory"] or territory
    values: dict[str, Any] = {}
    faults: list[Finding] = []
    for name, cell in row.items():
        try:
            values[name] = PARSERS.get(name, cells.at_most(TEXT_MAX))(cell)
        except CellWrong as error:
            faults.append(Finding(number, name, error.wrong, cell, error.detail))
    if not faults:
        line = Line(line=number, **values)
        faults += [
            Finding(number, column, wrong, row[column])
            for column, wrong in _contradictions(line, territory)
        ]
        if not faults:
            table.lines.append(line)
            table.warnings.extend(_doubts(line))
    table.faults.extend(faults)


def _contradictions(line: Line, territory: str) -> Iterator[tuple[str, Wrong]]:
    """What is well written and makes no sense together."""
    if not line.territory:
        yield "territory", Wrong.NEEDED
    if territory and line.territory != territory:
        yield "territory", Wrong.OTHER_TERRITORY
    if line.place and not line.insee:
        yield "insee", Wrong.NEEDED_WITH_PLACE
    if line.place and not line.phone:
        yield "phone", Wrong.NEEDED_WITH_PLACE
    if line.specialty and line.profession not in ("", DOCTOR):
        yield "specialty", Wrong.ONLY_DOCTORS
    if (line.lat is None) != (line.lon is None):
        yield "lat", Wrong.LAT_WITH_LON
    for column in ("step_free", "parking", "access", "new_patients", "referral"):
        if getattr(line, column) not in (None, "") and not line.place:
            yield column, Wrong.NEEDS_PLACE
    if (line.new_patients is not None or line.referral) and not (line.service or line.profession):
        yield "referral", Wrong.ONLY_DIRECTORY
    yield from _service_contradictions(line) if line.service else _person_contradictions(line)


def _service_contradictions(line: Line) -> Iterator[tuple[str, Wrong]]:
    for column in ("role", "email", "given_name", "family_name", "rpps", "delegate_of"):
        if getattr(line, column):
            yield column, Wrong.NO_PERSON
    if not line.place:
        yield "place", Wrong.NEEDED_WITH_SERVICE


def _person_contradictions(line: Line) -> Iterator[tuple[str, Wrong]]:
    if not line.family_name:
        yield "family_name", Wrong.NEEDED
    if line.profession and not line.given_name:
        yield "given_name", Wrong.NEEDED
    if line.rooms is not None:
        yield "rooms", Wrong.ONLY_SERVICES
    if line.role and not line.email:
        yield "email", Wrong.NEEDED_WITH_ROLE
    if line.email and not line.role:
        yield "role", Wrong.NEEDED_WITH_EMAIL
    if not line.role and not line.profession:
        yield "profession", Wrong.ROLE_OR_PROFESSION
    if line.profession and not line.rpps and not line.email:
        yield "rpps", Wrong.RPPS_OR_EMAIL
    if line.rpps and not line.profession:
        yield "profession", Wrong.NEEDED_WITH_RPPS
    if line.profession and not line.place and Role.PROFESSIONAL in line.role:
        yield "place", Wrong.NEEDED_FOR_PROFESSIONAL
    if Role.PROFESSIONAL in line.role and not line.profession:
        yield "profession", Wrong.NEEDED_FOR_PROFESSIONAL
    if line.delegate_of and Role.DELEGATE not in line.role:
        yield "role", Wrong.ONLY_DELEGATES
    if line.role and not line.place and not line.organisation:
        yield "organisation", Wrong.ORGANISATION_OR_PLACE


def _doubts(line: Line) -> Iterator[Finding]:
    if line.rpps and not luhn_holds(line.rpps):
        yield Finding(line.line, "rpps", Wrong.LUHN, line.rpps)
    if finess_is_doubtful(line.finess):
        yield Finding(line.line, "finess", Wrong.LUHN, line.finess)
    if Role.DELEGATE in line.role and not line.delegate_of:
        yield Finding(line.line, "delegate_of", Wrong.OF_NOBODY)


PARSERS: Final[Mapping[str, Callable[[str], Any]]] = MappingProxyType(
    {
        "role": cells.several(cells.role),
        "email": cells.email,
        "rpps": cells.rpps,
        "profession": cells.one_of(PROFESSIONS),
        "specialty": cells.specialty,
        "skills": cells.several(),
        "languages": cells.several(cells.language),
        "insee": cells.insee,
        "lat": cells.degrees(90),
        "lon": cells.degrees(180),
        "phone": cells.phone,
        "step_free": cells.yes_or_no,
        "parking": cells.yes_or_no,
        "access": cells.at_most(ACCESS_MAX),
        "new_patients": cells.yes_or_no,
        "referral": cells.at_most(REFERRAL_MAX),
        "organisation_kind": cells.one_of(ORGANISATION_KINDS),
        "finess": cells.finess,
        "rooms": cells.whole(1, ROOMS_MAX),
        "acts": cells.several(),
        "audience": cells.several(cells.audience),
        "daily_cap": cells.whole(1, CAP_MAX),
        "overflow": cells.yes_or_no,
        "delegate_of": cells.several(cells.number),
    }
)

assert set(HEADINGS) == {field.name for field in fields(Line)} - {"line"}
