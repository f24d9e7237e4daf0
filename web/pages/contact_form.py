"""The fields of a patient's contact on a form: as they were typed, and what is wrong with them. Pure.

Their names begin with `patient_`: by that the browser's drafts leave them out, and so does the hash
that is kept beside an idempotency key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from slots.errors import FieldError
from slots.patient_contact import (
    EMPTY,
    PatientContact,
    field_errors,
    tidied,
    years,
)
from slots.search import HOME
from web.pages.page import PATIENT

YEAR_WRONG: Final = "Donnez l’année en quatre chiffres, comme {latest}."
PARTS: Final = ("name", "birth_year", "phone", "address")


@dataclass(frozen=True, slots=True)
class ContactForm:
    """What stands in the fields. *contact* is what it means, where nothing is wrong."""

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    contact: PatientContact = EMPTY

    @property
    def is_open(self) -> bool:
        """Whether there is anything to show of it."""
        return bool(self.errors) or any(self.typed.values())


def read_form(form: Any, now: datetime) -> ContactForm:
    """The contact that was typed; an empty one where nothing was.

    Whether an address has a place here only the booking knows: `contacts.write` says it.
    """
    typed = {PATIENT + part: str(form.get(PATIENT + part, "")).strip() for part in PARTS}
    year = typed[PATIENT + "birth_year"]
    is_year = year.isascii() and year.isdigit() and len(year) == len("2026")
    contact = tidied(
        PatientContact(
            typed[PATIENT + "name"],
            int(year) if is_year else None,
            typed[PATIENT + "phone"],
            typed[PATIENT + "address"],
        )
    )
    errors = [] if contact.is_empty else field_errors(contact, HOME, now)
    if year and not is_year:
        errors.append(FieldError("birth_year", YEAR_WRONG.format(latest=years(now)[1])))
    return ContactForm(typed, by_field(errors), contact)


def form_of(contact: PatientContact) -> ContactForm:
    """The fields that show a contact, to be changed."""
    said = {part: getattr(contact, part) for part in PARTS}
    typed = {PATIENT + part: "" if value is None else str(value) for part, value in said.items()}
    return ContactForm(typed, contact=contact)


def by_field(errors: list[FieldError]) -> dict[str, str]:
    """The sentences by the names of the form's fields."""
    return {PATIENT + error.field: error.message for error in errors}
