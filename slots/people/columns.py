"""The columns of the table of people: what they are called, and the words that stand in them. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from slots.audience import Role

# By the name that the code has for it; a file may use either, in any order, in capitals or not.
HEADINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "territory": "Territoire",
        "role": "Rôles",
        "email": "Courriel",
        "given_name": "Prénom",
        "family_name": "Nom",
        "rpps": "RPPS",
        "profession": "Profession",
        "specialty": "Spécialité",
        "skills": "Compétences",
        "languages": "Langues",
        "place": "Lieu",
        "address": "Adresse",
        "insee": "Code INSEE",
        "lat": "Latitude",
        "lon": "Longitude",
        "phone": "Téléphone",
        "step_free": "De plain-pied",
        "parking": "Parking",
        "access": "Accès",
        "new_patients": "Nouveaux patients",
        "referral": "Pour adresser",
        "organisation": "Organisation",
        "organisation_kind": "Genre d’organisation",
        "finess": "FINESS",
        "service": "Service",
        "rooms": "Salles",
        "acts": "Actes",
        "audience": "Ouvert à",
        "daily_cap": "Rendez-vous par jour",
        "overflow": "Patients en plus",
        "delegate_of": "Délégué de",
    }
)
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
ORGANISATION_KINDS: Final = {
    "practice": "cabinet",
    "centre": "centre",
    "hospital": "hôpital",
    "regulation": "régulation",
    "emergency": "urgences",
    "cpts": "CPTS",
}
ROLES: Final = {
    Role.PROFESSIONAL: "professionnel",
    Role.DELEGATE: "délégué",
    Role.REFERRER: "orienteur",
    Role.REGULATOR: "régulateur",
    Role.COORDINATOR: "coordination",
}


def folded(words: str) -> str:
    """Letters and digits only, without accents and capitals: as people write headings."""
    plain = unicodedata.normalize("NFKD", words).lower()
    return re.sub(r"[^a-z0-9]", "", plain)


# From how a heading is written, folded, to the column.
COLUMN_OF: Final[Mapping[str, str]] = MappingProxyType(
    {folded(name): name for name in HEADINGS}
    | {folded(heading): name for name, heading in HEADINGS.items()}
)
