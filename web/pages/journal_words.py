"""The verbs and subjects of the audit, in French. What is not here is shown as it is written."""

from typing import Final

VERBS: Final = {
    "offer": "publié",
    "amend": "modifié",
    "withdraw": "retiré",
    "withdraw-day": "retiré (toute la journée)",
    "hold": "retenu",
    "renew": "retenue prolongée",
    "release": "libéré",
    "expire": "retenue expirée",
    "revoke": "retenue révoquée",
    "gap": "retenues peut-être manquantes",
    "confirm": "réservé",
    "overflow": "réservé en plus",
    "move": "déplacé",
    "cancel": "annulé",
    "seen": "vu",
    "fulfil": "venu",
    "noshow": "non venu",
    "patient-told": "patient prévenu",
    "address-told": "adresse transmise",
    "write-contact": "coordonnées du patient écrites",
    "read-contact": "coordonnées du patient lues",
    "erase-contact": "coordonnées du patient effacées",
    "carry-contact": "coordonnées du patient déplacées",
    "purge-contact": "coordonnées du patient purgées",
    "keep-contacts": "coordonnées des patients : activées",
    "keep-no-contacts": "coordonnées des patients : désactivées",
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
    "import": "importé",
    "export": "exporté",
    "amend-person": "fiche modifiée",
    "amend-place": "lieu modifié",
    "merge": "fiches réunies",
    "amend-service": "service modifié",
    "add-place": "lieu d’exercice ajouté",
    "end-place": "lieu d’exercice terminé",
    "refuse": "refusé",
    "admit": "admis",
    "refuse-admission": "demande d’accès refusée",
    "set": "réglé",
    "retire": "retiré du catalogue",
    "restore": "remis au catalogue",
    "unlock": "session rouverte",
    "unlock-refused": "ouverture refusée",
    "unlock-ended": "session fermée après trop d’essais",
    "pin-set": "code de déverrouillage choisi",
    "pin-removed": "code de déverrouillage retiré",
    "key-added": "clé de logiciel créée",
    "wall-added": "écran mural créé",
    "wall-opened": "écran mural ouvert",
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
    "act": "acte",
    "location": "lieu",
    "practitioner": "professionnel",
    "practitioner-role": "lieu d’exercice",
    "service": "service",
    "workstation": "poste",
}
SETTINGS: Final = {
    "horizon_h": "horizon (h)",
    "hold_for_s": "durée d’une retenue (s)",
    "holds_per_account_max": "places retenues à la fois",
    "default_audience": "publics d’un nouvel agenda",
    "search_radius_km": "rayon d’une recherche (km)",
    "contact_kept_h": "coordonnées du patient gardées (h)",
}


def audited(verb: str) -> str:
    """`réservé`."""
    return VERBS.get(verb, verb)


def audited_subject(subject: str) -> str:
    """`créneau`; of what has no id of its own also which: `acte suture`, `horizon (h) : 48 → 72`."""
    match subject.split(" "):
        case ["setting", name, old, new]:
            return f"{SETTINGS.get(name, name)} : {old} → {new}"
        case [kind, which]:
            return f"{SUBJECTS.get(kind, kind)} {which}"
    return SUBJECTS.get(subject, subject)
