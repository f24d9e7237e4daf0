"""The verbs and subjects of the audit, in French. What is not here is shown as it is written."""

from typing import Final

VERBS: Final = {
    "offer": "publié",
    "amend": "modifié",
    "withdraw": "retiré",
    "withdraw-day": "retiré (toute la journée)",
    "hold": "retenu",
    "release": "libéré",
    "expire": "retenue expirée",
    "revoke": "retenue révoquée",
    "confirm": "réservé",
    "overflow": "réservé en plus",
    "move": "déplacé",
    "cancel": "annulé",
    "seen": "vu",
    "fulfil": "venu",
    "noshow": "non venu",
    "patient-told": "patient prévenu",
    "address-told": "adresse transmise",
    "accept-overflow": "accepte en plus : changé",
    "add": "ajouté",
    "invite": "invité",
    "invite-again": "invité à nouveau",
    "set-roles": "rôles changés",
    "withdraw-person": "accès retiré",
    "end-sessions": "sessions fermées",
    "delegate": "délégué",
    "end-delegation": "délégation retirée",
    "reset-password": "mot de passe réinitialisé",
    "disable": "désactivé",
    "administer": "nommé à l’administration",
    "administer-no-more": "retiré de l’administration",
    "name-coordinator": "nommé à la coordination",
    "refuse": "refusé",
    "admit": "admis",
    "refuse-admission": "demande d’accès refusée",
    "unlock": "session rouverte",
    "unlock-refused": "ouverture refusée",
    "unlock-ended": "session fermée après trop d’essais",
    "pin-set": "code de déverrouillage choisi",
    "pin-removed": "code de déverrouillage retiré",
    "workstation-added": "poste enregistré",
    "workstation-confirmed": "poste confirmé",
    "workstation-ended": "poste retiré",
    "sign-in-at-workstation": "connecté au poste",
}
SUBJECTS: Final = {
    "slot": "créneau",
    "appointment": "rendez-vous",
    "hold": "retenue",
    "schedule": "agenda",
    "account": "compte",
    "territory": "territoire",
    "admission": "demande d’accès",
    "workstation": "poste",
}


def audited(verb: str) -> str:
    """`réservé`."""
    return VERBS.get(verb, verb)


def audited_subject(subject: str) -> str:
    """`créneau`."""
    return SUBJECTS.get(subject, subject)
