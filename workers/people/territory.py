"""`chrono48 territory …`: a CPTS, with its communes and the catalogue that it starts with.

`territory contacts` says whether it keeps contacts of patients, and for how long.
"""

import argparse
import sys
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from slots import queries
from slots.database import Connection
from slots.patient_contact import KEPT_H_MAX, KEPT_H_MIN
from slots.sealing import Sealer
from workers.demo.directory import catalogue_tables
from workers.demo.ground import COMMUNES_CSV, communes
from workers.embedded.running import settings_of_installation
from workers.people.command import connect

PARTITIONS_MAX: Final = 1_000  # far more than a cluster has nodes
SAME_NAME: Final = "territory_slug_unique"


class NotPossible(Exception):
    """The territory cannot be made or be so. The message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`territory add --slug … --name … --department …`, `territory contacts --slug …`."""
    subparsers = parser.add_subparsers(dest="territory_command", metavar="COMMAND", required=True)
    new = subparsers.add_parser("add", help="make a territory, with acts, reasons and urgencies")
    new.add_argument("--slug", required=True, help="its name in addresses: bassin-de-thau")
    new.add_argument("--name", required=True, help="its name on screens: CPTS du Bassin de Thau")
    new.add_argument("--department", required=True, help="such as 34")
    new.add_argument("--neighbour", default=[], action="append", help="slug; may be repeated")
    new.add_argument(
        "--partition",
        type=int,
        default=0,
        choices=range(PARTITIONS_MAX),
        metavar="NUMBER",
        help="where its keys live: on a Redis Cluster, territories of one number share a node",
    )
    new.add_argument(
        "--communes",
        type=Path,
        default=COMMUNES_CSV,
        help="CSV with insee, name, postcodes, population, lat, lon (default: the Hérault)",
    )
    contacts = subparsers.add_parser(
        "contacts", help="keep contacts of patients for some hours after the slot, or none"
    )
    contacts.add_argument("--slug", required=True)
    choice = contacts.add_mutually_exclusive_group(required=True)
    choice.add_argument(
        "--hours",
        type=int,
        choices=range(KEPT_H_MIN, KEPT_H_MAX + 1),
        metavar="HOURS",
        help=f"from {KEPT_H_MIN} to {KEPT_H_MAX}",
    )
    choice.add_argument("--off", action="store_true", help="none; those that are kept are purged")


async def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what was done."""
    settings = settings_of_installation()
    conn = await connect(settings)
    try:
        async with conn.transaction():
            if arguments.territory_command == "contacts":
                is_able = Sealer.of(settings.secret_keys).is_able
                told = await keep_contacts(conn, arguments.slug, arguments.hours, is_able=is_able)
            else:
                told = _told(await add(conn, arguments), arguments.slug)
    except NotPossible as refusal:
        print(f"chrono48 territory: {refusal}", file=sys.stderr)
        return 1
    finally:
        await conn.close()
    print(told)
    return 0


def _told(number: int, slug: str) -> str:
    return (
        f"Territory {number}, {slug}. Running processes find it by themselves. "
        "Next: chrono48 people import, account add."
    )


async def keep_contacts(conn: Connection, slug: str, hours: int | None, *, is_able: bool) -> str:
    """Keep patients' contacts for *hours* after the slot; None: keep none. The words to print.

    Raises:
        NotPossible: The slug is unknown, or there is no key to seal them with (*is_able*).
    """
    if hours is not None and not is_able:
        raise NotPossible("SECRET_KEYS is missing, which seals contacts; see .env.example")
    sql = queries.load("people.sql")
    number = await sql["keep_contacts"].value(conn, slug=slug, hours=hours)
    if number is None:
        raise NotPossible(f"there is no territory {slug}")
    await sql["record_of_territory"].none(
        conn,
        territory_id=number,
        verb="keep-no-contacts" if hours is None else "keep-contacts",
        subject_id=UUID(int=number),
    )
    if hours is None:
        return f"{slug} keeps no contacts of patients. Nobody reads those it had; a worker purges them."
    return f"{slug} keeps contacts of patients, sealed, until {hours} h after the slot."


async def add(conn: Connection, arguments: argparse.Namespace) -> int:
    """Make the territory; its number.

    Raises:
        NotPossible: The slug is taken or malformed, a neighbour is unknown, the communes cannot
            be read.
    """
    sql = queries.load("people.sql")
    rows = {row["slug"]: row["id"] for row in await sql["territories"].many(conn)}
    unknown = [slug for slug in arguments.neighbour if slug not in rows]
    if unknown:
        raise NotPossible(f"unknown neighbours: {', '.join(unknown)}")
    try:
        ground = communes(arguments.communes)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotPossible(f"{arguments.communes}: {error!r}") from error
    try:
        number: int = await sql["add_territory"].value(
            conn,
            slug=arguments.slug,
            name=arguments.name,
            department=arguments.department,
            partition=arguments.partition,
        )
        for commune in ground:
            await sql["put_commune"].none(
                conn,
                insee=commune.insee,
                name=commune.name,
                postcodes=list(commune.postcodes),
                population=commune.population,
                lat=commune.lat,
                lon=commune.lon,
            )
    except asyncpg.IntegrityConstraintViolationError as error:
        taken = error.constraint_name == SAME_NAME
        raise NotPossible(f"{arguments.slug} is there already" if taken else str(error)) from error
    for other_id in (rows[slug] for slug in arguments.neighbour):
        await sql["join_neighbours"].none(conn, territory_id=number, other_id=other_id)
    for table in catalogue_tables([number]):
        await conn.copy_records_to_table(
            table.name, records=table.rows, columns=list(table.columns), schema_name="public"
        )
    return number
