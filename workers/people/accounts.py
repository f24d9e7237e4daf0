"""Accounts made from the command line: the links by which they begin, and what is written of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from slots import queries
from slots.audience import Role
from slots.database import Connection
from slots.ids import INSTALLATION, AccountId
from slots.letters import invitation
from slots.store.ticket import GOOD_FOR, Purpose, open_ticket


@dataclass(frozen=True, slots=True)
class Person:
    """Who an account is for. *phone* "" keeps the one that is there."""

    email: str
    name: str
    phone: str
    practitioner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """Whose first or new password is due, and the link to choose it: told once, kept as a hash only."""

    email: str
    link: str
    good_for_h: int  # hours


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
    base_url: str,
    now: datetime,
) -> tuple[UUID, Made | None]:
    """Make the account, or bring the one with this address up to date; add memberships.

    A new account has no password: its person chooses one by the link, which is made for a new
    account only. Each new membership leaves an audit row.

    Raises:
        Disabled: There is such an account, switched off.
        SomebodyElse: The address belongs to another practitioner.
    """
    sql = queries.load("people.sql")
    there = await sql["account_called"].one(conn, email=person.email)
    made = None
    if there is None:
        account_id = uuid4()
        await sql["add_account"].none(
            conn,
            account_id=account_id,
            email=person.email,
            name=person.name,
            phone=person.phone or None,
            organisation_id=organisation_id,
            practitioner_id=person.practitioner_id,
        )
        made = await _made(conn, Purpose.INVITATION, account_id, person.email, base_url, now)
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


async def reset(conn: Connection, email: str, base_url: str, now: datetime) -> Made:
    """Forget the password, end the sessions, and make a link to choose another.

    It is the link of who has forgotten theirs, not an invitation: it goes round no second factor.

    Raises:
        Unknown: Nobody signs in with this address.
    """
    account_id = await queries.load("people.sql")["forget_password"].value(conn, email=email)
    # Older links end with the sessions; so the new one is made after them.
    ended = await _end(conn, account_id, "reset-password")
    return await _made(conn, Purpose.RESET, ended, email, base_url, now)


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


async def _made(
    conn: Connection, purpose: Purpose, account_id: UUID, email: str, base_url: str, now: datetime
) -> Made:
    token = await open_ticket(conn, purpose, AccountId(account_id), now)
    hours = round(GOOD_FOR[purpose].total_seconds() / 3600)
    return Made(email, f"{base_url}/lien/{token}", hours)


async def _end(conn: Connection, account_id: UUID | None, verb: str) -> UUID:
    if account_id is None:
        raise Unknown
    sql = queries.load("people.sql")
    await sql["end_sessions"].none(conn, account_id=account_id)
    await sql["record_everywhere"].none(conn, account_id=account_id, verb=verb)
    return account_id
