"""`chrono48 territory add`: a CPTS, with its communes and the catalogue that it starts with."""

import argparse
import sys
from pathlib import Path
from typing import Final

import asyncpg

from slots import queries
from slots.database import Connection
from workers.demo.directory import catalogue_tables
from workers.demo.ground import COMMUNES_CSV, communes
from workers.embedded.running import settings_of_installation
from workers.people.command import connect

PARTITIONS_MAX: Final = 1_000  # far more than a cluster has nodes
SAME_NAME: Final = "territory_slug_unique"


class NotPossible(Exception):
    """The territory cannot be made so. The message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`territory add --slug … --name … --department …`."""
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


async def run(arguments: argparse.Namespace) -> int:
    """Make it, and say its number."""
    conn = await connect(settings_of_installation())
    try:
        async with conn.transaction():
            number = await add(conn, arguments)
    except NotPossible as refusal:
        print(f"chrono48 territory: {refusal}", file=sys.stderr)
        return 1
    finally:
        await conn.close()
    print(
        f"Territory {number}, {arguments.slug}. Running processes find it by themselves. "
        "Next: chrono48 people import, account add."
    )
    return 0


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
