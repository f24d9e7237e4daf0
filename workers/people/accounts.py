"""Accounts made from the command line: their passwords, and what is written of them."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from argon2 import PasswordHasher

from slots import queries
from slots.audience import Role
from slots.database import Connection
from slots.ids import INSTALLATION
from slots.letters import invitation

RFC_9106: Final = PasswordHasher()  # argon2id, 64 MiB, three passes
PASSWORD_BYTES: Final = 16  # 128 bits


@dataclass(frozen=True, slots=True)
class Person:
    """Who an account is for. *phone* "" keeps the one that is there."""

    email: str
    name: str
    phone: str
    practitioner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A new account and its password, which is told once and kept as a hash only."""

    email: str
    password: str


class Disabled(Exception):
    """This account was disabled; adding to it would change nothing."""


class Unknown(Exception):
    """Nobody signs in with this address."""


class SomebodyElse(Exception):
    """This address already signs in another person."""


async def put(
    conn: Connection,
    person: Person,
    organisation_id: UUID,
    memberships: Iterable[tuple[int, Role]],
    hasher: PasswordHasher = RFC_9106,
) -> tuple[UUID, Made | None]:
    """Make the account, or bring the one with this address up to date; add memberships.

    The password is made for a new account only. Each new membership leaves an audit row.

    Raises:
        Disabled: There is such an account, switched off.
        SomebodyElse: The address belongs to another practitioner.
    """
    sql = queries.load("people.sql")
    there = await sql["account_called"].one(conn, email=person.email)
    made = None
    if there is None:
        account_id = uuid4()
        made = Made(person.email, new_password())
        await sql["add_account"].none(
            conn,
            account_id=account_id,
            email=person.email,
            password_hash=hasher.hash(made.password),
            name=person.name,
            phone=person.phone or None,
            organisation_id=organisation_id,
            practitioner_id=person.practitioner_id,
        )
    else:
        account_id = there["id"]
        if there["disabled_at"] is not None:
            raise Disabled
        known = there["practitioner_id"]
        if known and person.practitioner_id and known != person.practitioner_id:
            raise SomebodyElse
        await sql["amend_account"].none(
            conn,
            account_id=account_id,
            name=person.name,
            phone=person.phone or None,
            organisation_id=organisation_id,
            practitioner_id=person.practitioner_id,
        )
    for territory_id, role in memberships:
        is_new = await sql["put_membership"].value(
            conn, account_id=account_id, territory_id=territory_id, role=role.value
        )
        if is_new:
            await sql["record"].none(
                conn, territory_id=territory_id, verb="add", subject_id=account_id
            )
    return account_id, made


async def reset(conn: Connection, email: str, hasher: PasswordHasher = RFC_9106) -> Made:
    """Give an account a new password, and end its sessions.

    Raises:
        Unknown: Nobody signs in with this address.
    """
    sql = queries.load("people.sql")
    made = Made(email, new_password())
    account_id = await sql["set_password"].value(
        conn, email=email, password_hash=hasher.hash(made.password)
    )
    await _end(conn, account_id, "reset-password")
    return made


async def invite(conn: Connection, email: str, product_name: str) -> None:
    """Forget password, passkeys, app and codes, end the sessions, and mail a link to choose anew.

    Raises:
        Unknown: Nobody signs in with this address.
    """
    sql = queries.load("people.sql")
    account_id = await sql["forget_factors"].value(conn, email=email)
    await _end(conn, account_id, "invite-again")
    letter = invitation(product_name)
    await sql["mail_invitation"].none(
        conn,
        mail_id=uuid4(),
        account_id=account_id,
        subject=letter.subject,
        body=letter.body,
    )


async def administer(conn: Connection, email: str, *, is_on: bool) -> None:
    """Let an account add territories, or no more.

    Raises:
        Unknown: Nobody signs in with this address.
    """
    sql = queries.load("people.sql")
    account_id = await sql["set_administrator"].value(conn, email=email, is_on=is_on)
    if account_id is None:
        raise Unknown
    verb = "administer" if is_on else "administer-no-more"
    await sql["record"].none(conn, territory_id=INSTALLATION, verb=verb, subject_id=account_id)


async def disable(conn: Connection, email: str) -> None:
    """Switch an account off, and end its sessions; its open screens close within seconds.

    Raises:
        Unknown: Nobody signs in with this address.
    """
    account_id = await queries.load("people.sql")["disable_account"].value(conn, email=email)
    await _end(conn, account_id, "disable")


def new_password() -> str:
    """A password that nobody has seen yet."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


async def _end(conn: Connection, account_id: UUID | None, verb: str) -> None:
    if account_id is None:
        raise Unknown
    sql = queries.load("people.sql")
    await sql["end_sessions"].none(conn, account_id=account_id)
    await sql["record_everywhere"].none(conn, account_id=account_id, verb=verb)
