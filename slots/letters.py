"""What mails say. Pure. Never a word about a patient: the reference is what people talk about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from slots.appointment import Appointment
from slots.document import ScheduleDocument
from slots.times import PARIS

WEEKDAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS: Final = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
NARROW_SPACE: Final = "\u202f"


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject and a body, in French."""

    subject: str
    body: str


def booked(appointment: Appointment, schedule: ScheduleDocument) -> Letter:
    """To the professional's side: somebody comes."""
    when = french_instant(appointment.starts_at)
    extra = (
        "\nCe patient vient en surnuméraire, sans place publiée.\n" if appointment.overflow else ""
    )
    return Letter(
        f"Nouveau rendez-vous {appointment.reference}, {when}",
        f"Un rendez-vous vient d'être pris chez {owner(schedule)}, {when}.\n{extra}\n"
        f"Référence : {appointment.reference}\n{_caller(appointment)}\n"
        "Ouvrez « Mes disponibilités » pour indiquer que vous l'avez vu.\n",
    )


def cancelled_by_referrer(appointment: Appointment, schedule: ScheduleDocument) -> Letter:
    """To the professional's side: the place is free again."""
    when = french_instant(appointment.starts_at)
    return Letter(
        f"Rendez-vous {appointment.reference} annulé, {when}",
        f"Le rendez-vous {appointment.reference} chez {owner(schedule)}, {when}, est annulé "
        f"par l'orienteur.\n\n{_caller(appointment)}",
    )


def cancelled_by_professional(appointment: Appointment, schedule: ScheduleDocument) -> Letter:
    """To the referrer: a patient is to be told."""
    when = french_instant(appointment.starts_at)
    return Letter(
        f"Patient à prévenir : rendez-vous {appointment.reference} annulé",
        f"Le rendez-vous {appointment.reference} chez {owner(schedule)}, {when}, est annulé par "
        f"le professionnel ({schedule.location.phone}).\n\n"
        "Prévenez le patient, puis cochez « patient prévenu » sur votre page, ou réorientez-le.\n",
    )


def owner(schedule: ScheduleDocument) -> str:
    """The name of whoever the time belongs to, and the place."""
    who = schedule.practitioner or schedule.service
    assert who is not None
    return f"{who.name} ({schedule.location.name}, {schedule.location.commune})"


def french_instant(instant: datetime) -> str:
    """`jeudi 26 novembre 2026 à 17 h 30`, on France's wall clock."""
    local = instant.astimezone(PARIS)
    day = "1er" if local.day == 1 else str(local.day)
    date = f"{WEEKDAYS[local.weekday()]} {day} {MONTHS[local.month - 1]} {local.year}"
    return f"{date} à {local.hour}{NARROW_SPACE}h{NARROW_SPACE}{local.minute:02}"


def _caller(appointment: Appointment) -> str:
    by = appointment.booked_by
    return f"Orienté par : {by.name}, {by.organisation}, {by.phone}\n"
