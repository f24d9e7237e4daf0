"""English words for a table of people: what its columns hold, and what is wrong in one."""

from typing import Final

from slots.people.columns import HEADINGS, ORGANISATION_KINDS, PROFESSIONS
from slots.people.findings import Finding, Wrong
from slots.people.table import ACCESS_MAX, REFERRAL_MAX, ROOMS_MAX

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


assert COLUMNS.keys() == HEADINGS.keys()

# `{cell}` is what stands there, `{detail}` what there is to choose from, or the bound.
WORDS: Final = {
    Wrong.NOT_TEXT: "this is not a text file: save it again as “CSV UTF-8”",
    Wrong.BROKEN: "a quotation mark is not closed",
    Wrong.TOO_LARGE: "larger than {detail}",
    Wrong.TOO_MANY_LINES: "more than {detail} lines",
    Wrong.UNKNOWN_COLUMN: "unknown column; there are {detail}",
    Wrong.COLUMN_TWICE: "this column is there twice",
    Wrong.COLUMN_MISSING: "this column is missing",
    Wrong.TOO_MANY_CELLS: "more cells than columns: {detail}",
    Wrong.NOT_AN_ADDRESS: "{cell!r} is not an address",
    Wrong.NOT_AN_RPPS: "{cell!r} is not 11 digits",
    Wrong.ROUNDED: "{cell!r} is not 11 digits; a spreadsheet rounded it: make the column text",
    Wrong.NOT_A_FINESS: "{cell!r} is not 9 letters and digits",
    Wrong.NOT_AN_INSEE_CODE: "{cell!r} is not an INSEE code",
    Wrong.NOT_A_SPECIALTY: "{cell!r} is not a code such as SM54",
    Wrong.NOT_A_PHONE: "{cell!r} is not a telephone number",
    Wrong.NOT_A_LANGUAGE: "{cell!r} is not a language code such as fr",
    Wrong.TOO_LONG: "more than {detail} characters",
    Wrong.NOT_ONE_OF: "{cell!r} is none of {detail}",
    Wrong.NOT_WITHIN: "{cell!r} is not a number within {detail}",
    Wrong.NOT_DEGREES: "{cell!r} is not degrees, such as 43.61266",
    Wrong.NEITHER_YES_NOR_NO: "{cell!r} is neither yes nor no",
    Wrong.NEEDED: "needed",
    Wrong.NEEDED_WITH_PLACE: "needed with a place",
    Wrong.NEEDED_WITH_SERVICE: "needed with a service",
    Wrong.NEEDED_WITH_ROLE: "needed with a role",
    Wrong.NEEDED_WITH_EMAIL: "needed with an email",
    Wrong.NEEDED_WITH_RPPS: "needed with an RPPS",
    Wrong.NEEDED_FOR_PROFESSIONAL: "needed for a professional",
    Wrong.ROLE_OR_PROFESSION: "needed in the directory: this line has neither role nor profession",
    Wrong.RPPS_OR_EMAIL: "needed without an email: nothing else tells this person from another",
    Wrong.ORGANISATION_OR_PLACE: "needed with a role, unless there is a place",
    Wrong.ONLY_DOCTORS: "only doctors (profession 10) have one",
    Wrong.ONLY_DELEGATES: "only a delegate acts for others",
    Wrong.ONLY_SERVICES: "only a service has rooms",
    Wrong.ONLY_DIRECTORY: "only who is in the directory is referred to",
    Wrong.NO_PERSON: "a line with a service has no person",
    Wrong.NEEDS_PLACE: "needs a place",
    Wrong.LAT_WITH_LON: "lat and lon go together",
    Wrong.TERRITORY_UNKNOWN: "{cell!r} is unknown; there is {detail}",
    Wrong.OTHER_TERRITORY: "{cell!r} is another territory",
    Wrong.INSEE_UNKNOWN: "no commune has the code {cell}",
    Wrong.ACT_UNKNOWN: "{detail!r} is not in the catalogue of the territory",
    Wrong.ACTS_NEEDED: "needed: what this offers cannot be guessed",
    Wrong.NOBODY: "nobody with the number {detail} has a schedule there",
    Wrong.DISABLED: "this account was disabled; adding to it would change nothing",
    Wrong.SOMEBODY_ELSE: "this address already signs in another person",
    Wrong.LUHN: "{cell} fails the Luhn check: is it right?",
    Wrong.OF_NOBODY: "this delegate acts for nobody yet",
}


def words_of(finding: Finding) -> str:
    """What is wrong, without where. The answers of a coordinator's doors never come here."""
    return WORDS[finding.wrong].format(cell=finding.cell, detail=finding.detail)


def told(finding: Finding) -> str:
    """Where, and what."""
    return f"line {finding.line}, {finding.column}: {words_of(finding)}"
