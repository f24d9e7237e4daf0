"""The people of a territory, their delegations and its audit, for who coordinates it.

The ledger asks by itself whether whoever has entered may: who may not gets nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from slots import queries
from slots.audience import Role
from slots.database import Connection
from slots.ids import AccountId, ScheduleId, TerritoryId
from slots.letters import Letter

QUERIES: Final = queries.load("coordination.sql")
NEWEST: Final = 2**62  # above any row of the audit


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a territory, as its coordinator sees them."""

    account_id: AccountId
    email: str
    name: str
    phone: str | None
    organisation: str
    rpps: str | None
    roles: frozenset[Role]
    has_factor: bool
    has_password: bool
    invited_at: datetime | None
    seen_at: datetime | None
    is_elsewhere: bool  # also of another territory, or an administrator
    signed_in: int  # browsers
    keys: int  # of software
    screens: int  # on walls

    @property
    def is_waited_for(self) -> bool:
        """Whether they were invited and have not come yet."""
        return self.invited_at is not None and not self.has_password and not self.has_factor


class Invited(StrEnum):
    """What became of an invitation."""

    INVITED = "invited"  # a mail is on its way
    ADDED = "added"  # the address had an account, which has these roles here now
    NOT_ALLOWED = "not-allowed"
    RPPS_UNKNOWN = "rpps-unknown"  # a professional must be in the directory of the territory
    DISABLED = "disabled"
    SOMEBODY_ELSE = "somebody-else"  # the address is another practitioner's
    RPPS_TAKEN = (
        "rpps-taken"  # the number is another account's, or the address's owner works elsewhere
    )
    OWN_ROLES = "own-roles"  # nobody gives roles to themselves
    NOT_REGULATION = "not-regulation"  # only who works for a Centre 15 already regulates


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to invite. *rpps* "": not a practitioner of the directory."""

    email: str
    name: str
    phone: str
    organisation: str
    roles: frozenset[Role]
    rpps: str


@dataclass(frozen=True, slots=True)
class Delegate:
    """Somebody who acts for a schedule beside its owner."""

    schedule_id: ScheduleId
    account_id: AccountId
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the audit, with the names behind its ids where there are any."""

    id: int
    at: datetime
    account_id: AccountId | None
    name: str | None  # None: the service itself
    verb: str
    subject: str
    subject_id: UUID
    subject_name: str | None


async def people_of(conn: Connection, territory_id: TerritoryId) -> list[Member]:
    """Everybody who has a role there, by name."""
    rows = await QUERIES["people_of"].many(conn, territory_id=territory_id)
    return [Member(**{**dict(row), "roles": frozenset(map(Role, row["roles"]))}) for row in rows]


async def invite(
    conn: Connection, territory_id: TerritoryId, newcomer: Newcomer, letter: Letter, now: datetime
) -> tuple[Invited, AccountId | None]:
    """Somebody joins; a new address gets *letter*, with a link that lasts a day."""
    row = await QUERIES["invite"].one(
        conn,
        territory_id=territory_id,
        account_id=uuid4(),
        email=newcomer.email,
        name=newcomer.name,
        phone=newcomer.phone,
        organisation=newcomer.organisation,
        roles=sorted(newcomer.roles),
        rpps=newcomer.rpps,
        mail_id=uuid4(),
        subject=letter.subject,
        body=letter.body,
        at=now,
    )
    assert row is not None
    return Invited(row["outcome"]), row["account_id"]


async def set_roles(
    conn: Connection,
    territory_id: TerritoryId,
    account_id: AccountId,
    roles: Iterable[Role],
    now: datetime,
) -> bool | None:
    """These roles and no others; none at all takes them out of the territory.

    False: the territory would have no coordinator. None: it is not for whoever has entered, it is
    themselves, or it is a role that this person cannot have there.
    """
    done: bool | None = await QUERIES["set_roles"].value(
        conn, territory_id=territory_id, account_id=account_id, roles=sorted(roles), at=now
    )
    return done


async def invite_again(
    conn: Connection,
    territory_id: TerritoryId,
    account_id: AccountId,
    letter: Letter,
    now: datetime,
) -> bool:
    """Forget what shows who somebody is, and invite them anew. False where that is not for us."""
    return bool(
        await QUERIES["invite_again"].value(
            conn,
            territory_id=territory_id,
            account_id=account_id,
            mail_id=uuid4(),
            subject=letter.subject,
            body=letter.body,
            at=now,
        )
    )


async def end_sessions_of_person(
    conn: Connection, territory_id: TerritoryId, account_id: AccountId, now: datetime
) -> bool:
    """End all sessions, keys and screens of one person of the territory."""
    return bool(
        await QUERIES["end_sessions_of_person"].value(
            conn, territory_id=territory_id, account_id=account_id, at=now
        )
    )


async def schedules_of(
    conn: Connection, territory_ids: Iterable[TerritoryId]
) -> dict[ScheduleId, TerritoryId]:
    """All schedules of these territories, as far as whoever has entered reaches."""
    rows = await QUERIES["schedules_of"].many(conn, territory_ids=list(territory_ids))
    return {ScheduleId(row["id"]): TerritoryId(row["territory_id"]) for row in rows}


async def delegates_of(conn: Connection, schedule_ids: Iterable[ScheduleId]) -> list[Delegate]:
    """Who acts for these schedules, as far as whoever has entered may name them."""
    rows = await QUERIES["delegates_of"].many(conn, schedule_ids=list(schedule_ids))
    return [Delegate(**dict(row)) for row in rows]


async def delegate_to(conn: Connection, schedule_id: ScheduleId, email: str) -> AccountId | None:
    """Let somebody act for a schedule. None: nobody of the territory has this address, or not ours."""
    account_id = await QUERIES["delegate_to"].value(conn, schedule_id=schedule_id, email=email)
    return AccountId(account_id) if account_id else None


async def write_to_schedule(
    conn: Connection, schedule_id: ScheduleId, letter: Letter, now: datetime
) -> None:
    """A mail to everybody who acts for a schedule."""
    await QUERIES["write_to_schedule"].none(
        conn,
        mail_id=uuid4(),
        schedule_id=schedule_id,
        subject=letter.subject,
        body=letter.body,
        at=now,
    )


async def end_delegation(conn: Connection, schedule_id: ScheduleId, account_id: AccountId) -> bool:
    """Let them act for it no more. False where there was nothing to end, or not for us."""
    return bool(
        await QUERIES["end_delegation"].value(conn, schedule_id=schedule_id, account_id=account_id)
    )


async def audit_of(
    conn: Connection, territory_id: TerritoryId, most: int, before_id: int = NEWEST
) -> list[Entry]:
    """The newest rows of the audit before *before_id*."""
    rows = await QUERIES["audit_of"].many(
        conn, territory_id=territory_id, before_id=before_id, most=most
    )
    return [Entry(**dict(row)) for row in rows]


async def add_territory(
    conn: Connection,
    slug: str,
    name: str,
    department: str,
    like: TerritoryId,
    neighbours: Sequence[TerritoryId],
) -> TerritoryId | None:
    """A territory with the words of another to begin with. None: not for whoever has entered."""
    number = await QUERIES["add_territory"].value(
        conn,
        slug=slug,
        name=name,
        department=department,
        like_territory_id=like,
        neighbour_ids=list(neighbours),
    )
    return TerritoryId(number) if number else None


async def name_coordinator(
    conn: Connection,
    territory_id: TerritoryId,
    email: str,
    name: str,
    letter: Letter,
    now: datetime,
) -> AccountId | None:
    """Give a territory a coordinator; a new address gets *letter*. None: not for us."""
    account_id = await QUERIES["name_coordinator"].value(
        conn,
        territory_id=territory_id,
        account_id=uuid4(),
        email=email,
        name=name,
        mail_id=uuid4(),
        subject=letter.subject,
        body=letter.body,
        at=now,
    )
    return AccountId(account_id) if account_id else None


async def delegable(conn: Connection, schedule_ids: Iterable[ScheduleId]) -> set[ScheduleId]:
    """Those of these schedules whose delegates whoever has entered may name."""
    rows = await QUERIES["delegable"].many(conn, schedule_ids=list(schedule_ids))
    return {ScheduleId(row["id"]) for row in rows}
