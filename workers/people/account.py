"""`chrono48 account …`: one account at a time, from the command line."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID, uuid4

from slots import queries
from slots.audience import Role
from slots.database import Connection
from slots.people import cells
from slots.people.columns import ORGANISATION_KINDS
from slots.people.findings import CellWrong, Finding
from slots.settings import Settings
from workers.embedded.running import settings_of_installation
from workers.people import accounts
from workers.people.accounts import Disabled, SomebodyElse, Unknown
from workers.people.command import connect
from workers.people.wording import words_of

Value = TypeVar("Value")

# The kind of an organisation that is new, by the first role that has one of its own.
KIND_OF: Final = {Role.REGULATOR: "regulation", Role.COORDINATOR: "cpts"}


class NotPossible(Exception):
    """The account cannot be made so. The message says what is missing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`account add|invite|reset|disable|administrator --email …`."""
    subparsers = parser.add_subparsers(dest="account_command", metavar="COMMAND", required=True)
    add = subparsers.add_parser("add", help="make an account, or add roles to one")
    add.add_argument("--email", required=True)
    add.add_argument("--name", required=True, help="given name and family name")
    add.add_argument(
        "--role",
        required=True,
        help=f"{', '.join(Role)}; several with +, such as delegate+referrer",
    )
    add.add_argument(
        "--territory", required=True, help="slug; several with +, for who covers several"
    )
    add.add_argument("--organisation", help="whom the person works for (default: the CPTS itself)")
    add.add_argument("--organisation-kind", choices=ORGANISATION_KINDS)
    add.add_argument("--phone", default="", help="to call about a booking")
    add.add_argument("--rpps", default="", help="of a professional who is in the directory")
    for name, purpose in (
        ("invite", "forget what shows who it is, and mail a link to choose anew; ends sessions"),
        ("reset", "forget the password, print a link to choose another; ends sessions"),
        ("disable", "switch an account off and end its sessions"),
    ):
        subparsers.add_parser(name, help=purpose).add_argument("--email", required=True)
    administrator = subparsers.add_parser("administrator", help="who adds territories")
    administrator.add_argument("--email", required=True)
    administrator.add_argument("--off", action="store_true", help="no more")


async def run(arguments: argparse.Namespace) -> int:
    """Do it, and print a link to a first or a new password once."""
    settings = settings_of_installation()
    conn = await connect(settings)
    try:
        async with conn.transaction():
            print(await _do(conn, arguments, settings))
    except (NotPossible, Disabled, SomebodyElse, Unknown) as refusal:
        print(
            f"chrono48 account: {refusal.args[0] if refusal.args else refusal.__doc__}",
            file=sys.stderr,
        )
        return 1
    finally:
        await conn.close()
    return 0


async def _do(conn: Connection, arguments: argparse.Namespace, settings: Settings) -> str:
    email = _read(cells.email, arguments.email)
    match arguments.account_command:
        case "add":
            return await add(conn, email, arguments, settings.base_url)
        case "reset":
            return _told(await accounts.reset(conn, email, settings.base_url, datetime.now(UTC)))
        case "invite":
            await accounts.invite(conn, email, settings.product_name)
            return f"A link to {email} leaves with the next mails. It lasts a day."
        case "administrator":
            await accounts.administer(conn, email, is_on=not arguments.off)
            return f"{email} administers the installation{' no more' if arguments.off else ''}."
        case "disable":
            await accounts.disable(conn, email)
            return f"{email} is disabled."
        case other:
            raise AssertionError(other)


async def add(conn: Connection, email: str, arguments: argparse.Namespace, base_url: str) -> str:
    """Make the account, or add roles to the one that has this address; the words to print.

    Raises:
        NotPossible: Something is unknown or missing.
        Disabled: The account was switched off.
        SomebodyElse: The address belongs to another practitioner.
    """
    sql = queries.load("people.sql")
    await sql["lock_people"].none(conn)
    roles: tuple[Role, ...] = _read(cells.several(cells.role), arguments.role)
    rows = {row["slug"]: row for row in await sql["territories"].many(conn)}
    slugs = _read(cells.several(), arguments.territory)
    unknown = [slug for slug in slugs if slug not in rows]
    if unknown or not slugs or not roles:
        raise NotPossible(
            f"unknown territory {', '.join(unknown) or '(none)'}; there is {', '.join(rows) or 'none'}"
            if roles
            else "a role is needed"
        )
    first = rows[slugs[0]]
    practitioner_id = await _practitioner(conn, arguments.rpps, roles, first["id"])
    name = arguments.organisation or first["name"]
    if Role.REGULATOR in roles and not arguments.organisation:
        raise NotPossible("a regulator needs --organisation, such as “Centre 15, SAMU 34”")
    organisation_id = await _organisation(conn, name, arguments, roles, first["id"])
    person = accounts.Person(
        email,
        " ".join(arguments.name.split()),
        _read(cells.phone, arguments.phone),
        practitioner_id,
    )
    memberships = [(rows[slug]["id"], role) for slug in slugs for role in roles]
    _, made = await accounts.put(
        conn, person, organisation_id, memberships, base_url, datetime.now(UTC)
    )
    if made is None:
        return f"{email} had an account: it has these roles now, and signs in as before."
    return _told(made)


async def _practitioner(
    conn: Connection, rpps: str, roles: tuple[Role, ...], territory_id: int
) -> UUID | None:
    number = _read(cells.rpps, rpps)
    if not number:
        if Role.PROFESSIONAL in roles:
            raise NotPossible(
                "a professional needs --rpps, of somebody in the directory "
                "(`chrono48 people import` brings them in)"
            )
        return None
    found: UUID | None = await queries.load("people.sql")["practitioner_with_rpps"].value(
        conn, rpps=number, territory_id=territory_id
    )
    if found is None:
        raise NotPossible(f"nobody with the RPPS {number} works in this territory")
    return found


async def _organisation(
    conn: Connection,
    name: str,
    arguments: argparse.Namespace,
    roles: tuple[Role, ...],
    territory_id: int,
) -> UUID:
    sql = queries.load("people.sql")
    there = await sql["organisation_called"].one(
        conn, name=name, finess=None, territory_id=territory_id
    )
    if there is not None:
        organisation_id: UUID = there["id"]
        return organisation_id
    usual = next((KIND_OF[role] for role in roles if role in KIND_OF), "practice")
    organisation_id = uuid4()
    await sql["put_organisation"].value(
        conn,
        organisation_id=organisation_id,
        name=name,
        kind=arguments.organisation_kind or ("cpts" if not arguments.organisation else usual),
        phone=arguments.phone or None,
        finess=None,
    )
    return organisation_id


def _told(made: accounts.Made) -> str:
    return (
        f"{made.email}\n"
        f"Hand over this link to choose a password; it is good once, for {made.good_for_h} h, "
        f"and shown only now:\n{made.link}"
    )


def _read(parse: Callable[[str], Value], text: str) -> Value:
    try:
        return parse(text.strip())
    except CellWrong as error:
        found = Finding(0, "", error.wrong, text, error.detail)
        raise NotPossible(words_of(found)) from error
