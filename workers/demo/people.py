"""Invented people, always the same: who works where, with what skills and habits.

Names, RPPS numbers and phones come from a fixed seed, so that two demos show the same faces.
"""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from slots.numbers import luhn_holds
from workers.demo.ground import HAUTS_CANTONS, Place, Staff

SEED: Final = 48
FICTITIOUS_PHONES: Final = "04 65 71"  # what Arcep keeps for fiction in the south-east
FICTITIOUS_RPPS: Final = "999"  # no real RPPS begins so

GENERAL_PRACTITIONER: Final = "SM54"
DOCTOR, PHARMACIST, DENTIST, MIDWIFE, NURSE, PHYSIOTHERAPIST = "10", "21", "40", "50", "60", "70"
PODIATRIST, SPEECH_THERAPIST = "80", "91"

# Every so many people of these professions work at a second place too.
SECOND_PLACE_EVERY: Final = 7
MOBILE_PROFESSIONS: Final = (DOCTOR, NURSE, PHYSIOTHERAPIST)

# Members of both territories: their work in the first, and the place of their work in the second.
SHARED: Final = {
    ("polyclinique", DOCTOR): "hopital-sete",
    ("thezan", MIDWIFE): "ile-de-thau",
    ("roujan", SPEECH_THERAPIST): "loupian",
}

SKILLS: Final = {
    DOCTOR: ("petite chirurgie", "pédiatrie", "gynécologie", "échographie", "médecine du sport"),
    PHARMACIST: ("vaccination", "tests angine et cystite", "bilan partagé de médication"),
    DENTIST: ("urgences dentaires", "pédodontie"),
    MIDWIFE: ("suivi de grossesse", "allaitement", "rééducation périnéale"),
    NURSE: ("plaies et cicatrisation", "perfusion à domicile", "soins palliatifs", "pédiatrie"),
    PHYSIOTHERAPIST: ("kinésithérapie respiratoire", "rééducation vestibulaire", "sport"),
    PODIATRIST: ("pied diabétique", "semelles"),
    SPEECH_THERAPIST: ("déglutition", "aphasie"),
}
LANGUAGES: Final = ("es", "en", "ar", "pt", "it", "oc", "de")

GIVEN_NAMES: Final = (
    "Adèle Agathe Alain Alice Amandine Anaïs André Antoine Arnaud Audrey Bastien Béatrice Bruno "
    "Camille Carole Catherine Cécile Céline Chloé Claire Clément Damien David Delphine Denis "
    "Dominique Élodie Émilie Emma Éric Estelle Fabien Fanny Florence François Gaëlle Gilles "
    "Guillaume Hélène Hugo Inès Isabelle Jérôme Joël Julie Julien Karim Laetitia Laure Laurent "
    "Léa Lionel Louise Luc Lucie Magali Manon Marc Margaux Marie Marion Mathieu Maxime Mélanie "
    "Mickaël Nadia Nathalie Nicolas Noémie Olivier Pascale Patrick Pauline Philippe Quentin "
    "Rachid Raphaël Rémi Romain Sabine Samira Sandrine Sarah Sébastien Simon Solène Sophie "
    "Stéphane Sylvie Théo Thierry Thomas Valérie Véronique Victor Vincent Virginie Xavier Yannick"
).split()
FAMILY_NAMES: Final = (
    "Abadie Affre Albert Alric Andrieu Astruc Aubert Azéma Barral Barthès Bastide Bélaïd Benoît "
    "Bernard Bertrand Blanc Bonnet Bories Bousquet Bouzat Brun Cabanel Cabrol Calas Calvet "
    "Cambon Carrière Castan Cathala Caumette Cazals Chabbert Chaptal Clavel Combes Costes Crouzet "
    "Dardé Delmas Donnadieu Durand Espinasse Estève Fabre Farret Faucon Ferrier Fournier Fraisse "
    "Gaubert Gayraud Gazel Giraud Gleizes Granier Guibert Guiraud Izard Jalabert Jeanjean Julian "
    "Lacombe Lafon Lagarde Lautrec Lopez Malaval Marcou Martel Maurel Mazars Miquel Molinier "
    "Montagne Nadal Nègre Olivier Ortega Pages Palau Pastre Pélissier Peyre Pons Portal Puech "
    "Raynal Reboul Ricard Rigal Rivière Robert Roques Rouanet Roux Sabatier Salles Santini "
    "Ségura Sénégas Serres Sicard Tarbouriech Terral Théron Tournier Valette Vernet Vidal Viguier"
).split()


@dataclass(frozen=True, slots=True)
class Person:
    """A professional of the demo. *place_keys* are where they work, the first one mainly."""

    rpps: str
    given_name: str
    family_name: str
    profession: str
    specialty: str | None
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    place_keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """As people say it."""
        title = "Dr " if self.profession in (DOCTOR, DENTIST) else ""
        return f"{title}{self.given_name} {self.family_name}"

    @property
    def mailbox(self) -> str:
        """What stands before the @, in plain letters."""
        return plain(f"{self.given_name}.{self.family_name}")

    @property
    def is_general_practitioner(self) -> bool:
        return self.specialty == GENERAL_PRACTITIONER


def people(places: list[Place]) -> list[Person]:
    """Everybody who works at *places*, as many as each asks for. The same at every call."""
    chance = random.Random(SEED)  # noqa: S311  (invented people, no secret)
    names = _names(chance)
    found: list[Person] = []
    shared: dict[tuple[str, str, str | None], Person] = {}
    for place in places:
        for staff in place.staff:
            for _ in range(staff.number):
                code = (place.key, staff.profession, staff.specialty)
                if code in shared:
                    person = shared.pop(code)
                    position = found.index(person)
                    keys = (*person.place_keys, place.key)
                    found[position] = replace(person, place_keys=keys)
                    continue
                person = _person(chance, next(names), len(found) + 1, place, staff)
                found.append(person)
                elsewhere = SHARED.get((place.key, staff.profession))
                if elsewhere and place.territory == HAUTS_CANTONS.slug:
                    shared[elsewhere, staff.profession, staff.specialty] = person
    assert not shared, "a shared professional found no second place"
    return _with_second_places(found, places)


def rpps(serial: int) -> str:
    """A fictitious RPPS: eleven digits whose Luhn check fails, as the official examples do."""
    digits = f"{FICTITIOUS_RPPS}{serial:07}"
    right = next(digit for digit in "0123456789" if luhn_holds(digits + digit))
    return digits + str((int(right) + 5) % 10)


def phone(serial: int) -> str:
    """A telephone number that nobody has."""
    return f"{FICTITIOUS_PHONES} {serial // 100 % 100:02} {serial % 100:02}"


def plain(text: str) -> str:
    """Lower case, without accents or spaces: fit for an address."""
    letters = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in letters if c.isascii() and (c.isalnum() or c in ".-"))


def _names(chance: random.Random) -> Iterator[tuple[str, str]]:
    pairs = [(given, family) for given in GIVEN_NAMES for family in FAMILY_NAMES]
    chance.shuffle(pairs)
    return iter(pairs)


def _person(
    chance: random.Random, name: tuple[str, str], serial: int, place: Place, staff: Staff
) -> Person:
    # A specialist's skill is the specialty.
    is_specialist = staff.specialty not in (None, GENERAL_PRACTITIONER)
    skills = () if is_specialist else SKILLS.get(staff.profession, ())
    return Person(
        rpps=rpps(serial),
        given_name=name[0],
        family_name=name[1],
        profession=staff.profession,
        specialty=staff.specialty,
        skills=tuple(sorted(chance.sample(skills, min(len(skills), chance.randint(0, 2))))),
        languages=("fr", *chance.sample(LANGUAGES, chance.choice((0, 0, 1, 1, 2)))),
        place_keys=(place.key,),
    )


def _with_second_places(found: list[Person], places: list[Place]) -> list[Person]:
    """Some work at a second place of the same territory that has colleagues of theirs."""
    by_key = {place.key: place for place in places}
    result = []
    for serial, person in enumerate(found):
        first = by_key[person.place_keys[0]]
        elsewhere = [
            place
            for place in places
            if place.territory == first.territory
            and place is not first
            and person.profession in {staff.profession for staff in place.staff}
            and place.kind != "hospital"
        ]
        moves = person.profession in MOBILE_PROFESSIONS and len(person.place_keys) == 1
        if moves and elsewhere and serial % SECOND_PLACE_EVERY == 0:
            second = elsewhere[serial % len(elsewhere)]
            result.append(replace(person, place_keys=(first.key, second.key)))
        else:
            result.append(person)
    return result
