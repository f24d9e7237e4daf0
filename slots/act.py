"""Acts: what is offered, in the words of a territory. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ACTS_MAX: Final = 200  # of one territory, retired ones too
LABEL_LENGTH_MAX: Final = 80
PREPARATION_LENGTH_MAX: Final = 500
CODE_LENGTH_MAX: Final = 40
LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae"})


@dataclass(frozen=True, slots=True)
class ActWords:
    """What an act is called, what is told to the patient, and whether an ordonnance is needed."""

    label: str
    preparation: str
    prescription_required: bool


def code_of(label: str) -> str:
    """`Échographie du cœur` → `echographie-du-coeur`: words of a to z and 0 to 9."""
    plain = unicodedata.normalize("NFD", label.lower().translate(LIGATURES))
    without_accents = "".join(one for one in plain if not unicodedata.combining(one))
    words = re.findall(r"[a-z0-9]+", without_accents)
    return "-".join(words)[:CODE_LENGTH_MAX].strip("-")


def faults(words: ActWords) -> Mapping[str, str]:
    """What is wrong with them; at most one sentence a field."""
    found = {}
    if not code_of(words.label):
        found["label"] = "Le nom de l’acte est attendu, comme Suture."
    elif len(words.label) > LABEL_LENGTH_MAX:
        found["label"] = f"Le nom a au plus {LABEL_LENGTH_MAX} caractères."
    if len(words.preparation) > PREPARATION_LENGTH_MAX:
        found["preparation"] = f"La préparation a au plus {PREPARATION_LENGTH_MAX} caractères."
    return found
