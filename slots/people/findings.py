"""What is wrong or doubtful in a table of people, as codes: each shell has its own words for them. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Wrong(StrEnum):
    """Why a cell, a line, or the whole file cannot be taken as it is."""

    # The file.
    NOT_TEXT = "not-text"
    BROKEN = "broken"  # quotes that do not end
    TOO_LARGE = "too-large"
    TOO_MANY_LINES = "too-many-lines"
    UNKNOWN_COLUMN = "unknown-column"
    COLUMN_TWICE = "column-twice"
    COLUMN_MISSING = "column-missing"
    TOO_MANY_CELLS = "too-many-cells"
    # A cell.
    NOT_AN_ADDRESS = "not-an-address"
    NOT_AN_RPPS = "not-an-rpps"
    ROUNDED = "rounded"  # a number that a spreadsheet made 1.00E+10 of
    NOT_A_FINESS = "not-a-finess"
    NOT_AN_INSEE_CODE = "not-an-insee-code"
    NOT_A_SPECIALTY = "not-a-specialty"
    NOT_A_PHONE = "not-a-phone"
    NOT_A_LANGUAGE = "not-a-language"
    TOO_LONG = "too-long"
    NOT_ONE_OF = "not-one-of"
    NOT_WITHIN = "not-within"
    NOT_DEGREES = "not-degrees"
    NEITHER_YES_NOR_NO = "neither-yes-nor-no"
    # What is well written and makes no sense together.
    NEEDED = "needed"
    NEEDED_WITH_PLACE = "needed-with-place"
    NEEDED_WITH_SERVICE = "needed-with-service"
    NEEDED_WITH_ROLE = "needed-with-role"
    NEEDED_WITH_EMAIL = "needed-with-email"
    NEEDED_WITH_RPPS = "needed-with-rpps"
    NEEDED_FOR_PROFESSIONAL = "needed-for-professional"
    ROLE_OR_PROFESSION = "role-or-profession"
    RPPS_OR_EMAIL = "rpps-or-email"
    ORGANISATION_OR_PLACE = "organisation-or-place"
    ONLY_DOCTORS = "only-doctors"
    ONLY_DELEGATES = "only-delegates"
    ONLY_SERVICES = "only-services"
    ONLY_DIRECTORY = "only-directory"
    NO_PERSON = "no-person"  # on the line of a service
    NEEDS_PLACE = "needs-place"
    LAT_WITH_LON = "lat-with-lon"
    # What only the ledger knows; these are also the answers of the coordinator's doors in SQL.
    TERRITORY_UNKNOWN = "territory-unknown"
    OTHER_TERRITORY = "other-territory"
    INSEE_UNKNOWN = "insee-unknown"
    ACT_UNKNOWN = "act-unknown"
    ACTS_NEEDED = "acts-needed"
    NOBODY = "nobody"  # with the number that a delegate is to act for
    DISABLED = "disabled"
    WITHDRAWN = "withdrawn"
    SOMEBODY_ELSE = "somebody-else"
    ORGANISATION_ELSEWHERE = "organisation-elsewhere"
    PERSON_ELSEWHERE = "person-elsewhere"
    ACCOUNT_ELSEWHERE = "account-elsewhere"
    ACCOUNT_UNTIED = (
        "account-untied"  # an account that is no professional's becomes nobody's by a table
    )
    RPPS_TAKEN = "rpps-taken"
    RPPS_OF_ACCOUNT = "rpps-of-account"  # whoever has it signs in with it
    RPPS_UNKNOWN = "rpps-unknown"
    FINESS_TAKEN = "finess-taken"
    NOT_REGULATION = "not-regulation"
    OWN_ROLES = "own-roles"
    NOT_ALLOWED = "not-allowed"
    STILL_TO_COME = "still-to-come"  # slots or appointments, at a place that is to end
    # Why two entries stay two.
    TWO_PEOPLE = "two-people"
    TWO_ACCOUNTS = "two-accounts"
    ACCOUNT_IN_USE = "account-in-use"
    OVERLAP = "overlap"
    # Only doubts.
    LUHN = "luhn"
    OF_NOBODY = "of-nobody"  # a delegate who acts for nobody yet


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing at one place of the file. *detail* is what there is to choose from, or the bound."""

    line: int
    column: str
    wrong: Wrong
    cell: str = ""
    detail: str = ""


class CellWrong(ValueError):
    """A cell cannot be read."""

    def __init__(self, wrong: Wrong, detail: str = "") -> None:
        """It is *wrong*."""
        super().__init__(wrong)
        self.wrong = wrong
        self.detail = detail
