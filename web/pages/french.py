"""French words for what the service knows by codes: people, places, times, states. Pure.

Typography: a no-break space inside hours, numbers and before `:`; a narrow one (U+202F) before
`;`, `!` and `?`.
"""

import unicodedata
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Final

from slots.document import PractitionerDocument, ScheduleDocument
from slots.french import NARROW_NBSP, NBSP, day, hour
from slots.times import PARIS

# TRE_G15, in the order in which a search proposes them.
PROFESSIONS: Final = {
    "10": "Médecin",
    "70": "Masseur-kinésithérapeute",
    "60": "Infirmier",
    "50": "Sage-femme",
    "40": "Chirurgien-dentiste",
    "80": "Pédicure-podologue",
    "91": "Orthophoniste",
    "92": "Orthoptiste",
    "93": "Psychologue",
    "94": "Ergothérapeute",
    "95": "Diététicien",
    "98": "Manipulateur d’électroradiologie",
    "21": "Pharmacien",
}
DOCTORS: Final = frozenset({"10", "40"})  # whom one calls “Dr”

# TRE_R38, of doctors only.
SPECIALTIES: Final = {
    "SM54": "Médecine générale",
    "SM26": "Médecine générale",
    "SM53": "Médecine générale",
    "SM04": "Cardiologie",
    "SM08": "Chirurgie orthopédique",
    "SM15": "Dermatologie",
    "SM18": "Gériatrie",
    "SM20": "Gynécologie",
    "SM24": "Gastro-entérologie",
    "SM34": "ORL",
    "SM38": "Ophtalmologie",
    "SM40": "Pédiatrie",
    "SM41": "Pneumologie",
    "SM42": "Psychiatrie",
    "SM44": "Imagerie médicale",
    "SM48": "Rhumatologie",
}
SPECIALISTS: Final = {
    "SM54": "Médecin généraliste",
    "SM26": "Médecin généraliste",
    "SM53": "Médecin généraliste",
    "SM04": "Cardiologue",
    "SM08": "Chirurgien orthopédiste",
    "SM15": "Dermatologue",
    "SM18": "Gériatre",
    "SM20": "Gynécologue",
    "SM24": "Gastro-entérologue",
    "SM34": "ORL",
    "SM38": "Ophtalmologue",
    "SM40": "Pédiatre",
    "SM41": "Pneumologue",
    "SM42": "Psychiatre",
    "SM44": "Radiologue",
    "SM48": "Rhumatologue",
}

# ISO 639, of those whom one is likely to meet.
LANGUAGES: Final = {
    "de": "allemand",
    "en": "anglais",
    "ar": "arabe",
    "ber": "berbère",
    "ca": "catalan",
    "zh": "chinois",
    "es": "espagnol",
    "fr": "français",
    "it": "italien",
    "fsl": "langue des signes",
    "nl": "néerlandais",
    "oc": "occitan",
    "fa": "persan",
    "pl": "polonais",
    "pt": "portugais",
    "ro": "roumain",
    "ru": "russe",
    "tr": "turc",
    "uk": "ukrainien",
    "vi": "vietnamien",
}
PUBLISHING: Final = {
    "free": "Places libres",
    "none": "Aucune place libre en ce moment",
    "silent": "Ne publie pas ses disponibilités",
    "unknown": "Disponibilités inconnues",
}

MODALITIES: Final = {"AMB": "Au cabinet", "HH": "Visite à domicile", "VR": "Téléconsultation"}
AUDIENCES: Final = {
    "CPTS": "Membres de la CPTS",
    "SNP": "Centre 15",
    "PRO": "Aussi les CPTS voisines",
    "PUBLIC": "Ouvert à tous",
}
# What a row says of who may book, the widest first; members and Centre 15 is what one expects.
SEEN_BY: Final = (
    ({"PUBLIC"}, "ouvert à tous"),
    ({"PRO"}, "aussi aux CPTS voisines"),
    ({"CPTS", "SNP"}, ""),
    ({"SNP"}, "Centre 15 seulement"),
    ({"CPTS"}, "membres seulement"),
)
SLOT_STATES: Final = {
    "free": "Libre",
    "busy-tentative": "Retenu",
    "busy": "Complet",
    "busy-unavailable": "Retiré",
}
APPOINTMENT_STATES: Final = {
    "booked": "Réservé",
    "fulfilled": "Venu",
    "noshow": "Pas venu",
    "cancelled": "Annulé",
}
ORIGINS: Final = {
    "referrer": "Adressé par un professionnel",
    "regulation": "Adressé par la régulation",
    "emergency": "Adressé par les urgences",
    "self": "Pris par le cabinet",
}
ROLES: Final = {
    "professional": "Professionnel",
    "delegate": "Délégataire",
    "referrer": "Orienteur",
    "regulator": "Régulation",
    "coordinator": "Coordination",
}


def profession(code: str | None, specialty: str | None = None) -> str:
    """What somebody is: the specialist's word where there is a specialty."""
    return SPECIALISTS.get(specialty or "") or PROFESSIONS.get(code or "", "")


def practitioner_name(practitioner: PractitionerDocument) -> str:
    """The name as it is said on the phone: “Dr” for doctors and dentists."""
    title = "Dr" + NBSP if practitioner.profession in DOCTORS else ""
    return practitioner.name if practitioner.name.startswith("Dr") else title + practitioner.name


def schedule_name(schedule: ScheduleDocument) -> str:
    """Whose time it is, in one name."""
    if schedule.practitioner is not None:
        return practitioner_name(schedule.practitioner)
    return schedule.service.name if schedule.service is not None else schedule.location.name


def schedule_profession(schedule: ScheduleDocument) -> str:
    """What the schedule's owner is; nothing for a service, whose name says it."""
    if schedule.practitioner is None:
        return ""
    return profession(schedule.practitioner.profession, schedule.practitioner.specialty)


def seen_by(audience: Collection[str]) -> str:
    """Who may book, where it is not members and Centre 15."""
    return next((words for codes, words in SEEN_BY if codes <= set(audience)), "")


def near_day(when: date | datetime, now: datetime) -> str:
    """`aujourd’hui`, `demain`, `après-demain`, or the day by its name."""
    if isinstance(when, datetime):
        when = when.astimezone(PARIS).date()
    ahead = (when - now.astimezone(PARIS).date()).days
    words = {-1: "hier", 0: "aujourd’hui", 1: "demain", 2: "après-demain"}
    return words.get(ahead) or day(when, year=False)


def near_day_and_hour(instant: datetime, now: datetime) -> str:
    """`demain à 9 h`."""
    return f"{near_day(instant, now)} à {hour(instant)}"


def duration(span: timedelta) -> str:
    """`35 min`, `2 h`, `2 h 05`: to the minute, downwards."""
    minutes = max(0, int(span.total_seconds()) // 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}{NBSP}min"
    return f"{hours}{NBSP}h" + (f"{NBSP}{rest:02}" if rest else "")


def minutes(number: int) -> str:
    """A number of minutes as a duration."""
    return duration(timedelta(minutes=number))


def delay(instant: datetime, now: datetime) -> str:
    """How soon it is: `dans 2 h 05`, or `maintenant` once it has begun."""
    ahead = instant - now
    if ahead < timedelta(minutes=1):
        return "maintenant"
    if ahead >= timedelta(hours=10):
        return f"dans {round(ahead / timedelta(hours=1))}{NBSP}h"
    return f"dans {duration(ahead)}"


def phone(number: str | None) -> str:
    """`04 67 95 00 00`; a number of another shape stays as it is."""
    digits = "".join(sign for sign in number or "" if sign.isdigit())
    if (number or "").startswith("+33"):
        digits = "0" + digits.removeprefix("33")
    if len(digits) != len("0467950000"):
        return number or ""
    return NBSP.join(digits[start : start + 2] for start in range(0, len(digits), 2))


def phone_link(number: str | None) -> str:
    """The number as a `tel:` link takes it; empty where there is none."""
    kept = "".join(sign for sign in number or "" if sign.isdigit() or sign == "+")
    return f"tel:{kept}" if kept else ""


def distance(kilometres: float) -> str:
    """`à 12 km`; it is as the crow flies, and the page says so once."""
    if kilometres < 1:
        return f"à moins de 1{NBSP}km"
    return f"à {round(kilometres)}{NBSP}km"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 créneau`, `2 créneaux`, `0 créneau`: French counts nothing in the singular."""
    many = many or f"{one}s"
    written = f"{number:,}".replace(",", NARROW_NBSP)
    return f"{written}{NBSP}{one if abs(number) < 2 else many}"


def span(lasting: timedelta) -> str:
    """`3 minutes`, `90 secondes`."""
    seconds = round(lasting.total_seconds())
    return count(seconds, "seconde") if seconds % 60 else count(seconds // 60, "minute")


def places(free: int, capacity: int) -> str:
    """Seats of a plage: `3 places sur 8`; nothing for a créneau."""
    if capacity == 1:
        return ""
    return f"{count(free, 'place')} sur{NBSP}{capacity}"


def folded(words: str) -> str:
    """The words without accents and in lower case: `Hérépian` is found by `herepian`."""
    decomposed = unicodedata.normalize("NFD", words.casefold().replace("œ", "oe"))
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).replace("’", "'")


def iso(instant: datetime) -> str:
    """The instant for `<time datetime>`: UTC, with Z."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def typography(words: str) -> str:
    """Typed words as a printer sets them: curly apostrophes, no-break spaces where French has them."""
    for plain, printed in (("'", "’"), (" ;", NARROW_NBSP + ";"), (" ?", NARROW_NBSP + "?")):
        words = words.replace(plain, printed)
    return words.replace(" !", NARROW_NBSP + "!").replace(" :", NBSP + ":")
