"""The optional contact of a patient: what may be in it, and until when it is kept. Pure.

Off until a territory switches it on. It is sealed for the row of its appointment (slots/sealing.py),
read by the two sides of the booking only, and never in Redis, a log, an address, a mail or a push.
"""

import re
from datetime import datetime, timedelta
from typing import Final

import msgspec

from slots.errors import FieldError
from slots.ids import AppointmentId, TerritoryId
from slots.search import HOME
from slots.times import PARIS

KEPT_H_MIN: Final = 24  # hours after the slot, as the table's constraint
KEPT_H_MAX: Final = 72
NAME_LENGTH_MAX: Final = 80
PHONE_LENGTH_MAX: Final = 20
ADDRESS_LENGTH_MAX: Final = 200
AGE_MAX: Final = 125  # years
PHONE: Final = re.compile(r"\+?[0-9]{6,15}")
BETWEEN_DIGITS: Final = re.compile(r"[ .\-\u00a0\u202f]")

NOTHING_SAID: Final = "Donnez au moins un renseignement."
NOT_READABLE: Final = "Des signes ne peuvent pas être lus : tapez ce texte à nouveau."
PHONE_WRONG: Final = "Donnez un numéro de téléphone, comme 06 12 34 56 78."
NOT_AT_HOME: Final = "Une adresse ne se laisse que pour une visite à domicile."


class PatientContact(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How to reach one patient; each part may be left out. *name* may be initials."""

    name: str = ""
    birth_year: int | None = None
    phone: str = ""
    address: str = ""  # of a visit at home

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return self == EMPTY


EMPTY: Final = PatientContact()


class KeptContact(msgspec.Struct, frozen=True):
    """A contact as it was left, with the instant at which it goes."""

    contact: PatientContact
    written_at: datetime
    purge_at: datetime


def tidied(contact: PatientContact) -> PatientContact:
    """Without spaces that say nothing."""
    return PatientContact(
        name=" ".join(contact.name.split()),
        birth_year=contact.birth_year,
        phone=" ".join(contact.phone.split()),
        address=" ".join(contact.address.split()),
    )


def field_errors(contact: PatientContact, modality: str | None, now: datetime) -> list[FieldError]:
    """What is wrong with a tidied contact for a booking of this *modality*; one sentence a field."""
    if contact.is_empty:
        return [FieldError("name", NOTHING_SAID)]
    wrong = (
        ("name", _text_fault(contact.name, NAME_LENGTH_MAX)),
        ("birth_year", _year_fault(contact.birth_year, now)),
        ("phone", _phone_fault(contact.phone)),
        ("address", _address_fault(contact.address, modality)),
    )
    return [FieldError(field, fault) for field, fault in wrong if fault]


def purge_instant(ends_at: datetime, kept_h: int) -> datetime:
    """When the contact of a slot that ends at *ends_at* goes."""
    return ends_at + timedelta(hours=kept_h)


def place_of(appointment_id: AppointmentId, territory_id: TerritoryId) -> str:
    """Where it is sealed for: table, column, territory and row. It opens nowhere else."""
    return f"patient_contact.sealed/{territory_id}/{appointment_id}"


def as_bytes(contact: PatientContact) -> bytes:
    """What is sealed."""
    return msgspec.json.encode(contact)


def from_bytes(opened: bytes) -> PatientContact:
    """What was sealed."""
    return msgspec.json.decode(opened, type=PatientContact)


def years(now: datetime) -> tuple[int, int]:
    """The earliest and the latest year of a birth."""
    this_year = now.astimezone(PARIS).year
    return this_year - AGE_MAX, this_year


def _text_fault(text: str, length_max: int) -> str | None:
    if len(text) > length_max:
        return f"{length_max} caractères au plus."
    return None if text.isprintable() else NOT_READABLE


def _year_fault(year: int | None, now: datetime) -> str | None:
    earliest, latest = years(now)
    if year is None or earliest <= year <= latest:
        return None
    return f"L’année de naissance va de {earliest} à {latest}."


def _phone_fault(phone: str) -> str | None:
    if not phone:
        return None
    digits = BETWEEN_DIGITS.sub("", phone)
    fits = len(phone) <= PHONE_LENGTH_MAX and PHONE.fullmatch(digits)
    return None if fits else PHONE_WRONG


def _address_fault(address: str, modality: str | None) -> str | None:
    if address and modality != HOME:
        return NOT_AT_HOME
    return _text_fault(address, ADDRESS_LENGTH_MAX)
