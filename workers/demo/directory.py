"""The demo as rows: who is where, whose time it is, and the habits of each schedule.

Pure: the same rows at every call, with ids made from names. Accounts are in `accounts`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final
from uuid import UUID, uuid5

from slots.people.usual_acts import usual_acts
from workers.demo import catalogue, ground
from workers.demo.ground import BASSIN_DE_THAU, HAUTS_CANTONS, Place
from workers.demo.people import (
    DOCTOR,
    NURSE,
    PHARMACIST,
    SEED,
    Person,
    people,
    phone,
)

NAMESPACE: Final = UUID("48c48c48-0000-8000-8000-000000000034")
SPREAD: Final = 0.004  # degrees around a commune's centroid, so that places do not pile up
RADIOLOGY: Final = "SM44"
DERMATOLOGY: Final = "SM15"
ROOMS: Final = 2
PLACE_PHONES_FROM: Final = 1000  # serial numbers of phones, apart from those of people
SERVICE_PHONES_FROM: Final = 2000

# How people say that one should refer to them; "" where they have not said it.
REFERRALS: Final = {
    "10": (
        "",
        "Appeler le secrétariat ; hors créneau, avis du médecin entre 13 h et 14 h.",
        "Courrier par messagerie sécurisée, puis appel pour les urgences du jour.",
        "Appeler avant d'envoyer le patient.",
    ),
    "21": ("", "Sans rendez-vous ; appeler pour une préparation."),
    "40": ("", "Urgence dentaire : appeler à l'ouverture, avant 9 h."),
    "50": ("", "Appel direct ; apporter le dossier de grossesse."),
    "60": ("", "Laisser un message avec l'ordonnance ; rappel dans l'heure.", "Appel direct."),
    "70": ("", "Ordonnance nécessaire ; urgences respiratoires prises le jour même."),
}
REFERRALS_OF_OTHERS: Final = ("", "Bilan sur ordonnance ; liste d'attente, appeler.")
IMAGING_REFERRAL: Final = (
    "Ordonnance avec le motif et la date de l'examen ; urgences par téléphone."
)
TAKES_NEW: Final = (True, True, True, False, False, None)
WAYS_IN: Final = ("", "", "Entrée par la cour.", "Sonner, deuxième porte à droite.")

CENTRE_15: Final = "centre-15"
PRO_ONLY: Final = ("CPTS", "SNP", "PRO")
USUAL: Final = ("CPTS", "SNP")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one table, in the order of *columns*."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Service:
    """A healthcare service with rooms of its own. *place_key* is where it is."""

    key: str
    place_key: str
    name: str
    finess: str
    acts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody offers: the columns of a schedule that are theirs to choose."""

    audience: tuple[str, ...]
    acts: tuple[str, ...]
    daily_cap: int | None
    accepts_overflow: bool


SERVICES: Final = (
    Service("radio-bedarieux", "polyclinique", "Radiographie", "34DEMO001", ("radiography",)),
    Service("echo-bedarieux", "polyclinique", "Échographie", "34DEMO002", ("ultrasound",)),
    Service("radio-sete", "imagerie-sete", "Radiographie", "34DEMO003", ("radiography",)),
    Service("echo-sete", "imagerie-sete", "Échographie", "34DEMO004", ("ultrasound",)),
)


def demo_id(kind: str, key: str) -> UUID:
    """The id of the demo's *kind* called *key*: the same at every load."""
    return uuid5(NAMESPACE, f"{kind}/{key}")


def schedule_id(person: Person, place_key: str) -> UUID:
    """Of the time that *person* gives at a place."""
    return demo_id("schedule", f"{person.rpps}/{place_key}")


def tables() -> list[Table]:
    """Everything but accounts, in an order that foreign keys accept."""
    places = ground.places()
    persons = people(places)
    return [
        *_ground_tables(),
        *_place_tables(places),
        *_people_tables(persons, places),
        *_service_tables(places),
        _schedules(persons, places),
        *catalogue_tables([territory.id for territory in ground.TERRITORIES]),
    ]


def catalogue_tables(territory_ids: list[int]) -> list[Table]:
    """Acts, reasons and urgencies that each of these territories starts with."""
    acts, reasons, urgencies = catalogue.ACTS, catalogue.REASONS, catalogue.URGENCIES
    labelled = ("territory_id", "code", "label", "position")
    return [
        Table(
            "act",
            ("territory_id", "code", "label", "preparation", "prescription_required"),
            [
                (number, act.code, act.label, act.preparation, act.prescription_required)
                for number in territory_ids
                for act in acts
            ],
        ),
        Table("reason", labelled, [row for n in territory_ids for row in _labelled(n, reasons)]),
        Table("urgency", labelled, [row for n in territory_ids for row in _labelled(n, urgencies)]),
    ]


def commune_table(communes: list[ground.Commune]) -> Table:
    """The communes as rows."""
    return Table(
        "commune",
        ("insee", "name", "postcodes", "population", "lat", "lon"),
        [(c.insee, c.name, list(c.postcodes), c.population, c.lat, c.lon) for c in communes],
    )


def _ground_tables() -> Iterator[Table]:
    yield commune_table(ground.communes())
    yield Table(
        "territory",
        ("id", "slug", "name", "department"),
        [(t.id, t.slug, t.name, t.department) for t in ground.TERRITORIES],
    )
    yield Table(
        "territory_neighbour",
        ("territory_id", "neighbour_id"),
        list(permutations([territory.id for territory in ground.TERRITORIES], 2)),
    )


def _place_tables(places: list[Place]) -> Iterator[Table]:
    chance = random.Random(SEED)  # noqa: S311  (where a pin is drawn, no secret)
    way_in = random.Random(SEED + 1)  # noqa: S311  (of its own, so that the pins stay where they are)
    communes = {commune.insee: commune for commune in ground.communes()}
    organisations: list[tuple[Any, ...]] = [
        (
            demo_id("organisation", CENTRE_15),
            "Centre 15, SAMU 34",
            "regulation",
            phone(PLACE_PHONES_FROM),
        ),
        *(
            (demo_id("organisation", t.slug), t.name, "cpts", phone(PLACE_PHONES_FROM + t.id))
            for t in ground.TERRITORIES
        ),
    ]
    locations = []
    for place in places:
        organisation_id = demo_id("organisation", place.key)
        organisations.append((organisation_id, place.name, place.kind, place_phone(place, places)))
        commune = communes[place.insee]
        locations.append(
            (
                demo_id("location", place.key),
                territory_id(place.territory),
                organisation_id,
                place.name,
                f"{place.address}, {commune.postcodes[0]} {commune.name}",
                place.insee,
                round(commune.lat + chance.uniform(-SPREAD, SPREAD), 5),
                round(commune.lon + chance.uniform(-SPREAD, SPREAD), 5),
                place_phone(place, places),
                chance.choice(WAYS_IN),
                *_stairs_and_parking(place, way_in),
            )
        )
    yield Table("organisation", ("id", "name", "kind", "phone"), organisations)
    yield Table(
        "location",
        (
            *("id", "territory_id", "organisation_id", "name", "address"),
            *("insee", "lat", "lon", "phone", "access", "step_free", "parking"),
        ),
        locations,
    )


def _stairs_and_parking(place: Place, chance: random.Random) -> tuple[bool | None, bool | None]:
    """Centres and hospitals are built for all; of some practices nobody has said."""
    if place.kind in ("centre", "hospital"):
        return True, True
    return chance.choice((True, True, False, None)), chance.choice((True, True, False, None))


def place_phone(place: Place, places: list[Place]) -> str:
    """The number of a place's desk."""
    return phone(PLACE_PHONES_FROM + 10 + places.index(place))


def _people_tables(persons: list[Person], places: list[Place]) -> Iterator[Table]:
    territories = {place.key: territory_id(place.territory) for place in places}
    yield Table(
        "practitioner",
        (
            *("id", "rpps", "given_name", "family_name", "profession", "specialty"),
            *("skills", "languages"),
        ),
        [
            (
                demo_id("practitioner", person.rpps),
                person.rpps,
                person.given_name,
                person.family_name,
                person.profession,
                person.specialty,
                list(person.skills),
                list(person.languages),
            )
            for person in persons
        ],
    )
    chance = random.Random(SEED)  # noqa: S311  (invented habits, no secret)
    yield Table(
        "practitioner_role",
        ("id", "territory_id", "practitioner_id", "location_id", "new_patients", "referral"),
        [
            (
                demo_id("role", f"{person.rpps}/{key}"),
                territories[key],
                demo_id("practitioner", person.rpps),
                demo_id("location", key),
                *_reception(person, chance),
            )
            for person in persons
            for key in person.place_keys
        ],
    )


def _reception(person: Person, chance: random.Random) -> tuple[bool | None, str]:
    """Whether new patients are taken, and how to refer; of some nobody has said."""
    takes_new = None if person.profession == PHARMACIST else chance.choice(TAKES_NEW)
    return takes_new, chance.choice(REFERRALS.get(person.profession, REFERRALS_OF_OTHERS))


def _service_tables(places: list[Place]) -> Iterator[Table]:
    territories = {place.key: territory_id(place.territory) for place in places}
    yield Table(
        "healthcare_service",
        (
            *("id", "territory_id", "location_id", "name", "finess", "phone"),
            *("profession", "specialty", "rooms", "new_patients", "referral"),
        ),
        [
            (
                demo_id("service", service.key),
                territories[service.place_key],
                demo_id("location", service.place_key),
                service.name,
                service.finess,
                phone(SERVICE_PHONES_FROM + serial),
                DOCTOR,
                RADIOLOGY,
                ROOMS,
                True,
                IMAGING_REFERRAL,
            )
            for serial, service in enumerate(SERVICES)
        ],
    )


def _schedules(persons: list[Person], places: list[Place]) -> Table:
    """Everyone's but the pharmacists', who see people as they come."""
    territories = {place.key: territory_id(place.territory) for place in places}
    chance = random.Random(SEED)  # noqa: S311  (invented habits, no secret)
    rows: list[tuple[Any, ...]] = []
    for person in persons:
        if person.profession == PHARMACIST:
            continue
        for key in person.place_keys:
            habits = _habits(person, chance)
            rows.append(
                (
                    schedule_id(person, key),
                    territories[key],
                    demo_id("role", f"{person.rpps}/{key}"),
                    None,
                    list(habits.audience),
                    list(habits.acts),
                    habits.daily_cap,
                    habits.accepts_overflow,
                )
            )
    rows += [
        (
            demo_id("schedule", service.key),
            territories[service.place_key],
            None,
            demo_id("service", service.key),
            list(PRO_ONLY),
            list(service.acts),
            None,
            False,
        )
        for service in SERVICES
    ]
    return Table(
        "schedule",
        (
            *("id", "territory_id", "practitioner_role_id", "healthcare_service_id"),
            *("default_audience", "default_acts", "daily_cap", "accepts_overflow"),
        ),
        rows,
    )


def _habits(person: Person, chance: random.Random) -> Habits:
    acts = usual_acts(person.profession)
    if person.is_general_practitioner:
        acts += tuple(act for act in ("home-visit", "suture") if chance.random() < 0.5)
    elif person.profession == NURSE and chance.random() < 0.5:
        acts += ("home-visit",)
    elif person.specialty == DERMATOLOGY:
        acts = ("dermatology-opinion", "consultation")
    return Habits(
        audience=PRO_ONLY if chance.random() < 0.3 else USUAL,
        acts=acts,
        daily_cap=chance.choice((6, 8, 10)) if chance.random() < 0.15 else None,
        accepts_overflow=person.profession == DOCTOR and chance.random() < 0.25,
    )


def _labelled(number: int, labels: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    for position, (code, label) in enumerate(labels.items(), start=1):
        yield number, code, label, position


def territory_id(slug: str) -> int:
    """The number of a demo territory."""
    return {t.slug: t.id for t in (HAUTS_CANTONS, BASSIN_DE_THAU)}[slug]
