"""What mails say. Pure. Never a word about a patient: the reference is what people talk about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from slots.appointment import Appointment
from slots.document import ScheduleDocument
from slots.french import day_and_hour

_NOT_YOU: Final = (
    "Si ce n'était pas vous, fermez vos sessions depuis « Mon compte » et prévenez aussitôt la "
    "coordination de votre CPTS.\n"
)


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


def invitation(product_name: str) -> Letter:
    """To somebody who has an account from now on. `{link}` is filled in when it leaves."""
    return Letter(
        f"Votre accès à {product_name}",
        f"La coordination de votre CPTS vous a ouvert un accès à {product_name}, qui partage les "
        "créneaux de soins non programmés des 48 prochaines heures.\n\n"
        "Ouvrez ce lien dans les 24 heures pour choisir votre mot de passe ou votre clé d'accès ; "
        "il ne sert qu'une fois :\n\n{link}\n\n"
        "Trop tard ? Le lien en propose un autre.\n",
    )


def admission(territory: str, link: str, product_name: str) -> Letter:
    """To whoever asks to be let in: an address counts when somebody reads what is written there."""
    return Letter(
        f"Votre demande d'accès à {product_name}",
        f"Quelqu'un, sans doute vous, demande l'accès au territoire {territory}.\n\n"
        f"Ouvrez ce lien dans les 24 heures pour envoyer la demande :\n\n{link}\n\n"
        "Si ce n'était pas vous, ne faites rien.\n",
    )


def joined(territory: str, product_name: str) -> Letter:
    """To somebody with an account, whom a coordinator has added to a territory."""
    return Letter(
        f"{territory} vous a ajouté sur {product_name}",
        f"La coordination de {territory} vous a donné un rôle dans son territoire. Vous vous "
        "connectez comme d'habitude ; rien d'autre n'a changé.\n\n"
        "Vous ne vous y attendiez pas ? Demandez-lui de vous retirer.\n",
    )


def delegated(name: str, product_name: str) -> Letter:
    """To everybody who acts for a schedule: somebody else does so from now on."""
    return Letter(
        f"{name} agit désormais pour votre agenda sur {product_name}",
        f"{name} peut désormais publier et répondre pour cet agenda. Le journal dira toujours les "
        "deux noms.\n\nVous pouvez retirer cette délégation depuis « Mon compte », « Qui agit pour "
        "moi ».\n",
    )


def new_password(product_name: str) -> Letter:
    """To somebody who asked for a new password. `{link}` is filled in when it leaves."""
    return Letter(
        f"Nouveau mot de passe pour {product_name}",
        "Quelqu'un, sans doute vous, a demandé un nouveau mot de passe.\n\n"
        "Ouvrez ce lien dans l'heure ; il ne sert qu'une fois :\n\n{link}\n\n"
        "Votre double authentification restera demandée. Si ce n'était pas vous, ne faites rien.\n",
    )


def password_changed(at: datetime, product_name: str) -> Letter:
    """To the owner of an account, who may not have been it."""
    return Letter(
        f"Mot de passe changé sur {product_name}",
        f"Le mot de passe de votre compte a été changé, {day_and_hour(at)}.\n\n{_NOT_YOU}",
    )


def factor_removed(at: datetime, product_name: str) -> Letter:
    """To the owner of an account, who may not have been it."""
    return Letter(
        f"Moyen de connexion retiré sur {product_name}",
        "Une clé d'accès ou l'application d'authentification a été retirée de votre compte, "
        f"{day_and_hour(at)}.\n\n{_NOT_YOU}",
    )


def codes_renewed(at: datetime, product_name: str) -> Letter:
    """To the owner of an account, who may not have been it."""
    return Letter(
        f"Nouveaux codes de secours sur {product_name}",
        f"Les codes de secours de votre compte ont été remplacés, {day_and_hour(at)} ; les anciens "
        f"ne servent plus.\n\n{_NOT_YOU}",
    )


def factor_added(at: datetime, product_name: str) -> Letter:
    """To the owner of an account, who may not have been it."""
    return Letter(
        f"Nouveau moyen de connexion sur {product_name}",
        "Une clé d'accès ou une application d'authentification a été ajoutée à votre compte, "
        f"{day_and_hour(at)}.\n\n{_NOT_YOU}",
    )


def owner(schedule: ScheduleDocument) -> str:
    """The name of whoever the time belongs to, and the place."""
    who = schedule.practitioner or schedule.service
    assert who is not None
    return f"{who.name} ({schedule.location.name}, {schedule.location.commune})"


def _caller(appointment: Appointment) -> str:
    by = appointment.booked_by
    return f"Orienté par : {by.name}, {by.organisation}, {by.phone}\n"
