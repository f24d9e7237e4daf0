"""What a territory starts with: acts, reasons and urgencies, with the labels that people read.

A first list: each territory edits its own rows.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is offered. *preparation* is told to the patient."""

    code: str
    label: str
    preparation: str = ""
    prescription_required: bool = False


ACTS: Final = (
    Act("consultation", "Consultation"),
    Act("home-visit", "Visite à domicile", "Code d'entrée et étage à donner par téléphone."),
    Act("teleconsultation", "Téléconsultation", "Téléphone chargé, endroit calme et éclairé."),
    Act("suture", "Suture", "Plaie de moins de 6 heures, carnet de vaccination."),
    Act(
        "complex-dressing",
        "Pansement complexe",
        "Ordonnance requise ; apporter le matériel délivré en pharmacie.",
        prescription_required=True,
    ),
    Act(
        "blood-sample",
        "Prélèvement",
        "Ordonnance requise ; à jeun si elle le demande.",
        prescription_required=True,
    ),
    Act(
        "radiography",
        "Radiographie",
        "Ordonnance requise ; clichés antérieurs ; dire une grossesse possible.",
        prescription_required=True,
    ),
    Act(
        "ultrasound",
        "Échographie",
        "Ordonnance requise ; abdomen : à jeun 6 heures ; pelvis : vessie pleine.",
        prescription_required=True,
    ),
    Act(
        "ct-scan",
        "Scanner",
        "Ordonnance requise ; créatinine récente si injection ; dire une grossesse possible.",
        prescription_required=True,
    ),
    Act(
        "respiratory-physiotherapy",
        "Kinésithérapie respiratoire",
        "Ordonnance requise ; nourrisson : plus de 2 heures après le repas.",
        prescription_required=True,
    ),
    Act(
        "rehabilitation",
        "Rééducation",
        "Ordonnance requise ; apporter les imageries.",
        prescription_required=True,
    ),
    Act("midwife-consultation", "Consultation sage-femme", "Carnet de maternité et bilans."),
    Act("urgent-dental-care", "Soins dentaires urgents", "Liste des traitements en cours."),
    Act("dermatology-opinion", "Avis dermatologique (télé-expertise)", "Photographies nettes."),
)

REASONS: Final = {
    "fever-infection": "Fièvre, infection",
    "pain": "Douleur",
    "wound-suture": "Plaie, suture",
    "trauma": "Traumatisme",
    "breathing": "Gêne respiratoire",
    "digestive": "Troubles digestifs",
    "urinary": "Troubles urinaires",
    "skin": "Peau",
    "eye-ent": "Œil, ORL",
    "child": "Enfant malade",
    "after-emergency": "Suites de passage aux urgences",
    "imaging": "Imagerie",
    "nursing-care": "Soins infirmiers",
    "other": "Autre motif",
}

URGENCIES: Final = {
    "today": "Aujourd'hui",
    "within-24h": "Sous 24 h",
    "within-48h": "Sous 48 h",
}
