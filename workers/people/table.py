"""The table that a CPTS fills in: one line a person at a place, or a service. Pure.

Every fault names its line and its column, so that a file is mended in one reading.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from slots.audience import Audience, Role
from slots.numbers import luhn_holds
from workers.people import cells

PROFESSIONS: Final = {
    "10": "médecin",
    "21": "pharmacien",
    "40": "chirurgien-dentiste",
    "50": "sage-femme",
    "60": "infirmier",
    "70": "masseur-kinésithérapeute",
    "80": "pédicure-podologue",
    "91": "orthophoniste",
    "92": "orthoptiste",
    "93": "psychologue",
    "94": "ergothérapeute",
    "95": "diététicien",
    "98": "manipulateur ERM",
}
DOCTOR: Final = "10"
ORGANISATION_KINDS: Final = ("practice", "centre", "hospital", "regulation", "emergency", "cpts")
ROOMS_MAX: Final = 50
CAP_MAX: Final = 200
ACCESS_MAX: Final = 200
REFERRAL_MAX: Final = 300

# What each column holds. `chrono48 people import --help` prints it.
COLUMNS: Final = {
    "territory": "slug of the territory, such as bassin-de-thau",
    "role": "professional, delegate, referrer, regulator, coordinator; several with +; "
    "empty: in the directory, without an account",
    "email": "address to sign in with; needed with a role",
    "given_name": "given name",
    "family_name": "family name",
    "rpps": "11 digits; a wrong Luhn digit is a warning only",
    "profession": f"TRE_G15: {', '.join(f'{code} {name}' for code, name in PROFESSIONS.items())}",
    "specialty": "TRE_R38, doctors only, such as SM54",
    "skills": "several with +",
    "languages": "ISO 639 codes, several with +; fr when empty",
    "place": "name of the place of care; a person at two places has two lines",
    "address": "street, postcode and town",
    "insee": "INSEE code of the commune of the place",
    "lat": "degrees; the commune's centre when empty",
    "lon": "degrees",
    "phone": "of the place, and to call this person about a booking",
    "step_free": "yes where there are no stairs, or a lift; of the place",
    "parking": "yes or no; of the place",
    "access": f"how one gets in, {ACCESS_MAX} characters; of the place",
    "new_patients": "yes where new patients are taken",
    "referral": f"how to refer somebody here, {REFERRAL_MAX} characters",
    "organisation": "who runs the place or employs the person; the place's name when empty",
    "organisation_kind": f"{', '.join(ORGANISATION_KINDS)}; practice when empty",
    "finess": "9 characters: of the service on its line, else of the organisation",
    "service": "name of a service with rooms (radiology); then the line has no person",
    "rooms": f"of the service, 1 to {ROOMS_MAX}",
    "acts": "codes of what is usually offered, several with +",
    "audience": "CPTS, SNP, PRO, PUBLIC, several with +; CPTS+SNP when empty",
    "daily_cap": "appointments a day at most; none when empty",
    "overflow": "yes where surplus patients are accepted",
    "delegate_of": "for a delegate: RPPS and FINESS numbers, several with +",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong or doubtful at one place of the file."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.message}"


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

    lines: list[Line]
    faults: list[Fault]
    warnings: list[Fault]


def read(content: bytes) -> Table:
    """Read a CSV file as a spreadsheet writes it: UTF-8, with commas or semicolons."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        message = "this is not UTF-8: save it again as “CSV UTF-8”"
        return Table([], [Fault(1, "file", message)], [])
    if "\0" in text:
        return Table([], [Fault(1, "file", "this is not a text file")], [])
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",", strict=True)
    table = Table([], [], [])
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        table.faults.extend(_header_faults(header))
        if not table.faults:
            for found in reader:
                if any(cell.strip() for cell in found):
                    _read_line(table, reader.line_num, header, found)
    except csv.Error as error:
        table.faults.append(Fault(reader.line_num, "file", str(error)))
    return table


def _header_faults(header: list[str]) -> Iterator[Fault]:
    for name in header:
        if name not in COLUMNS:
            yield Fault(1, name or "(empty)", f"unknown column; there are {', '.join(COLUMNS)}")
        elif header.count(name) > 1:
            yield Fault(1, name, "this column is there twice")
    if "territory" not in header:
        yield Fault(1, "territory", "this column is missing")


def _read_line(table: Table, number: int, header: list[str], found: list[str]) -> None:
    if len(found) > len(header):
        table.faults.append(Fault(number, header[-1], f"{len(found)} cells under {len(header)}"))
        return
    row = dict.fromkeys(COLUMNS, "") | {
        name: " ".join(cell.split()) for name, cell in zip(header, found, strict=False)
    }
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, cell in row.items():
        try:
            values[name] = PARSERS.get(name, str)(cell)
        except ValueError as error:
            faults.append(Fault(number, name, str(error)))
    if not faults:
        line = Line(line=number, **values)
        faults += [Fault(number, column, words) for column, words in _contradictions(line)]
        if not faults:
            table.lines.append(line)
            table.warnings.extend(_doubts(line))
    table.faults.extend(faults)


def _contradictions(line: Line) -> Iterator[tuple[str, str]]:
    """What is well written and makes no sense together."""
    if not line.territory:
        yield "territory", "needed"
    if line.place and not line.insee:
        yield "insee", "needed with a place"
    if line.place and not line.phone:
        yield "phone", "needed with a place"
    if line.specialty and line.profession not in ("", DOCTOR):
        yield "specialty", "only doctors (profession 10) have one"
    if (line.lat is None) != (line.lon is None):
        yield "lat", "lat and lon go together"
    for column in ("step_free", "parking", "access", "new_patients", "referral"):
        if getattr(line, column) not in (None, "") and not line.place:
            yield column, "needs a place"
    if (line.new_patients is not None or line.referral) and not (line.service or line.profession):
        yield "referral", "only who is in the directory is referred to"
    yield from _service_contradictions(line) if line.service else _person_contradictions(line)


def _service_contradictions(line: Line) -> Iterator[tuple[str, str]]:
    for column in ("role", "email", "given_name", "family_name", "rpps", "delegate_of"):
        if getattr(line, column):
            yield column, "a line with a service has no person"
    if not line.place:
        yield "place", "needed with a service"


def _person_contradictions(line: Line) -> Iterator[tuple[str, str]]:
    for column in ("given_name", "family_name"):
        if not getattr(line, column):
            yield column, "needed"
    if line.rooms is not None:
        yield "rooms", "only a service has rooms"
    if line.role and not line.email:
        yield "email", "needed with a role"
    if line.email and not line.role:
        yield "role", "needed with an email"
    if not line.role and not line.profession:
        yield "profession", "needed in the directory: this line has neither role nor profession"
    if line.profession and not line.rpps and not line.email:
        yield "rpps", "needed without an email: nothing else tells this person from another"
    if line.rpps and not line.profession:
        yield "profession", "needed with an RPPS"
    if line.profession and not line.place and Role.PROFESSIONAL in line.role:
        yield "place", "needed for a professional"
    if Role.PROFESSIONAL in line.role and not line.profession:
        yield "profession", "needed for a professional"
    if Role.DELEGATE in line.role and not line.delegate_of:
        yield "delegate_of", "needed for a delegate"
    if line.delegate_of and Role.DELEGATE not in line.role:
        yield "role", "only a delegate acts for others"
    if line.role and not line.place and not line.organisation:
        yield "organisation", "needed with a role, unless there is a place"


def _doubts(line: Line) -> Iterator[Fault]:
    if line.rpps and not luhn_holds(line.rpps):
        yield Fault(line.line, "rpps", f"{line.rpps} fails the Luhn check: is it right?")


PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "role": cells.several(cells.member_of(Role)),
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
    "audience": cells.several(cells.member_of(Audience)),
    "daily_cap": cells.whole(1, CAP_MAX),
    "overflow": cells.yes_or_no,
    "delegate_of": cells.several(cells.number),
}

assert set(COLUMNS) == {field.name for field in fields(Line)} - {"line"}
