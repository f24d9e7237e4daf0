"""Who can sign in to the demo, with passwords made at load and written beside the data.

They exist on loopback only: their passwords are printed for whoever stands at this machine.
"""

import argparse
import asyncio
import json
import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from argon2 import PasswordHasher

from slots.settings import Settings
from workers.demo import directory
from workers.demo.directory import CENTRE_15, SERVICES, Table, demo_id
from workers.demo.ground import BASSIN_DE_THAU, HAUTS_CANTONS, Place
from workers.demo.people import (
    DOCTOR,
    MIDWIFE,
    NURSE,
    PHARMACIST,
    PHYSIOTHERAPIST,
    Person,
    phone,
    plain,
)

FILE_NAME: Final = "demo-accounts.jsonl"
MAIL_DOMAINS: Final = {
    HAUTS_CANTONS.slug: "hauts-cantons.example",
    BASSIN_DE_THAU.slug: "bassin-de-thau.example",
    CENTRE_15: "samu34.example",
}
RFC_9106: Final = PasswordHasher()  # argon2id, 64 MiB, three passes
PASSWORD_BYTES: Final = 12
HASHES_AT_ONCE: Final = 2  # each takes 64 MiB and a core
ROLES: Final = ("professional", "delegate", "referrer", "regulator", "coordinator")

# Professionals who sign in: their place, and their profession or specialty.
SIGNING_IN: Final = (
    *((key, "SM54") for key in ("herepian", "servian", "magalas", "le-bousquet")),
    ("bedarieux-medecins", "SM54"),
    ("bedarieux-infirmiers", NURSE),
    ("magalas", PHYSIOTHERAPIST),
    ("thezan", MIDWIFE),
    ("pharmacie-bedarieux", PHARMACIST),
    *((key, "SM54") for key in ("ile-de-thau", "quais", "frontignan", "meze")),
    ("balaruc-les-bains", "SM54"),
    ("frontignan", NURSE),
    ("meze", PHYSIOTHERAPIST),
    ("specialistes", "SM15"),
    ("pharmacie-sete-1", PHARMACIST),
)

# Secretaries: name, where they sit, and the places whose whole diary they keep.
SECRETARIES: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("Monique Fabregat", "polyclinique", ()),
    ("Odile Sirven", "herepian", ("herepian", "servian", "pouzolles", "saint-gervais")),
    ("Josiane Cros", "imagerie-sete", ()),
    ("Ghislaine Rey", "ile-de-thau", ("ile-de-thau", "frontignan", "meze")),
)
COORDINATORS: Final = (
    ("Aurélie Bonnafous", HAUTS_CANTONS.slug),
    ("Cédric Moulin", BASSIN_DE_THAU.slug),
)
# The last one works for one territory only, as an OSNP may.
REGULATORS: Final = (
    ("Sonia Hamdi", (HAUTS_CANTONS.slug, BASSIN_DE_THAU.slug)),
    ("Ludovic Perrin", (HAUTS_CANTONS.slug, BASSIN_DE_THAU.slug)),
    ("Dr Mireille Castel", (HAUTS_CANTONS.slug, BASSIN_DE_THAU.slug)),
    ("Kévin Lavergne", (BASSIN_DE_THAU.slug,)),
)
ACCOUNT_PHONES_FROM: Final = 3000


class NotOnLoopback(Exception):
    """Demo accounts exist on loopback only: their passwords lie in a file. Set HOST=127.0.0.1."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class Login:
    """One who signs in. *schedule_ids* are delegated; *memberships* are (territory, role)."""

    email: str
    name: str
    phone: str
    organisation_id: UUID
    practitioner_id: UUID | None
    memberships: tuple[tuple[str, str], ...]
    schedule_ids: tuple[tuple[str, UUID], ...] = ()

    @property
    def id(self) -> UUID:
        return demo_id("account", self.email)


@dataclass(frozen=True, slots=True)
class Password:
    """What one types, and what is kept of it."""

    text: str
    hash: str


def logins(persons: list[Person], places: list[Place]) -> list[Login]:
    """Everybody who signs in to the demo: every role in every territory."""
    return [
        *(_professional(key, code, persons, places) for key, code in SIGNING_IN),
        *(_secretary(name, key, diaries, persons, places) for name, key, diaries in SECRETARIES),
        *(
            _other(name, slug, demo_id("organisation", slug), [(slug, "coordinator")], serial)
            for serial, (name, slug) in enumerate(COORDINATORS)
        ),
        *(
            _other(
                name,
                CENTRE_15,
                demo_id("organisation", CENTRE_15),
                [(slug, "regulator") for slug in slugs],
                serial + len(COORDINATORS),
            )
            for serial, (name, slugs) in enumerate(REGULATORS)
        ),
    ]


def tables(who: list[Login], passwords: list[Password]) -> list[Table]:
    """The rows of accounts, memberships and delegations."""
    number = directory.territory_id
    return [
        Table(
            "account",
            (
                *("id", "email", "password_hash", "name", "phone"),
                *("organisation_id", "practitioner_id"),
            ),
            [
                (
                    *(login.id, login.email, password.hash, login.name, login.phone),
                    *(login.organisation_id, login.practitioner_id),
                )
                for login, password in zip(who, passwords, strict=True)
            ],
        ),
        Table(
            "membership",
            ("account_id", "territory_id", "role"),
            [(login.id, number(slug), role) for login in who for slug, role in login.memberships],
        ),
        Table(
            "delegation",
            ("account_id", "territory_id", "schedule_id"),
            [(login.id, number(slug), id_) for login in who for slug, id_ in login.schedule_ids],
        ),
    ]


async def make_passwords(count: int, hasher: PasswordHasher = RFC_9106) -> list[Password]:
    """New passwords with their argon2id hashes, made beside the event loop."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=HASHES_AT_ONCE) as pool:
        made = [loop.run_in_executor(pool, make_password, hasher) for _ in range(count)]
        return list(await asyncio.gather(*made))


def make_password(hasher: PasswordHasher = RFC_9106) -> Password:
    """A password that nobody has seen yet, and its argon2id hash."""
    text = secrets.token_urlsafe(PASSWORD_BYTES)
    return Password(text, hasher.hash(text))


def lines(who: list[Login], passwords: list[Password]) -> list[str]:
    """One JSON object for each role that somebody has in a territory; a regulator's first only."""
    found = []
    for login, password in zip(who, passwords, strict=True):
        regulates = all(role == "regulator" for _, role in login.memberships)
        reach = len({slug for slug, _ in login.memberships})
        for slug, role in login.memberships[:1] if regulates else login.memberships:
            found.append((slug, ROLES.index(role), reach, login.email, password.text))
    # Whoever works in one territory only comes first: the plainest to begin with.
    found.sort(key=lambda row: (row[0] == BASSIN_DE_THAU.slug, row[1], row[2]))
    return [
        json.dumps({"email": email, "password": text, "role": ROLES[role], "territory": slug})
        for slug, role, _, email, text in found
    ]


def write(path: Path, text_lines: list[str]) -> None:
    """Write the accounts file, whole, for its owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{line}\n" for line in text_lines)
    draft.replace(path)


def refuse_off_loopback(settings: Settings) -> None:
    """Make sure that only this machine can reach us.

    Raises:
        NotOnLoopback: Others can.
    """
    if not settings.on_loopback:
        raise NotOnLoopback


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`demo accounts`."""
    parser = subparsers.add_parser("accounts", help="print who can sign in, one JSON a line")
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the accounts file."""
    path = settings.data_dir / FILE_NAME
    try:
        refuse_off_loopback(settings)
        sys.stdout.write(path.read_text(encoding="utf-8"))
    except NotOnLoopback as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except FileNotFoundError:
        print(f"There is no {path}: run `chrono48 demo load` first.", file=sys.stderr)
        return 1
    return 0


def _professional(key: str, code: str, persons: list[Person], places: list[Place]) -> Login:
    person = next(
        person
        for person in persons
        if person.place_keys[0] == key and code in (person.specialty, person.profession)
    )
    by_key = {place.key: place for place in places}
    slugs = list(dict.fromkeys(by_key[key].territory for key in person.place_keys))
    roles = {PHARMACIST: ("referrer",), DOCTOR: ("professional", "referrer")}.get(
        person.profession, ("professional",)
    )
    return Login(
        email=f"{person.mailbox}@{MAIL_DOMAINS[slugs[0]]}",
        name=person.name,
        phone=directory.place_phone(by_key[key], places),
        organisation_id=demo_id("organisation", key),
        practitioner_id=demo_id("practitioner", person.rpps),
        memberships=tuple((slug, role) for slug in slugs for role in roles),
    )


def _secretary(
    name: str, key: str, diaries: tuple[str, ...], persons: list[Person], places: list[Place]
) -> Login:
    """Without diaries she keeps those of the services at her place."""
    place = next(place for place in places if place.key == key)
    schedule_ids = [
        directory.schedule_id(person, at)
        for person in persons
        for at in person.place_keys
        if at in diaries and person.profession != PHARMACIST
    ] or [demo_id("schedule", service.key) for service in SERVICES if service.place_key == key]
    return Login(
        email=f"{_mailbox(name)}@{MAIL_DOMAINS[place.territory]}",
        name=name,
        phone=directory.place_phone(place, places),
        organisation_id=demo_id("organisation", key),
        practitioner_id=None,
        memberships=((place.territory, "delegate"),),
        schedule_ids=tuple((place.territory, id_) for id_ in schedule_ids),
    )


def _other(
    name: str, domain: str, organisation_id: UUID, memberships: list[tuple[str, str]], serial: int
) -> Login:
    return Login(
        email=f"{_mailbox(name)}@{MAIL_DOMAINS[domain]}",
        name=name,
        phone=phone(ACCOUNT_PHONES_FROM + serial),
        organisation_id=organisation_id,
        practitioner_id=None,
        memberships=tuple(memberships),
    )


def _mailbox(name: str) -> str:
    return plain(name.removeprefix("Dr ").replace(" ", "."))
