"""What mails say. Pure. Never a word about a patient: the reference is what people talk about."""

from dataclasses import dataclass

from slots.appointment import Appointment
from slots.document import ScheduleDocument
from slots.french import day_and_hour


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject and a body, in French."""

    subject: str
    body: str


def booked(appointment: Appointment, schedule: ScheduleDocument) -> Letter:
    """To the professional's side: somebody comes."""
    when = day_and_hour(appointment.starts_at)
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
    when = day_and_hour(appointment.starts_at)
    return Letter(
        f"Rendez-vous {appointment.reference} annulé, {when}",
        f"Le rendez-vous {appointment.reference} chez {owner(schedule)}, {when}, est annulé "
        f"par l'orienteur.\n\n{_caller(appointment)}",
    )


def cancelled_by_professional(appointment: Appointment, schedule: ScheduleDocument) -> Letter:
    """To the referrer: a patient is to be told."""
    when = day_and_hour(appointment.starts_at)
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


def _caller(appointment: Appointment) -> str:
    by = appointment.booked_by
    return f"Orienté par : {by.name}, {by.organisation}, {by.phone}\n"
