"""Sessions and sign-ins in the ledger. Only hashes of session ids are kept."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from slots import queries
from slots.account import Account, SignedIn
from slots.audience import Role
from slots.database import Connection
from slots.ids import AccountId, OrganisationId, PractitionerId, ScheduleId, TerritoryId
from slots.scope import Scope, SessionKind
from slots.second_factor import Proof
from slots.secret_id import hash_of, new_secret_id

IDLE_FOR: Final = timedelta(hours=12)  # a session unused this long has ended, but for a phone's
SESSION_FOR: Final = timedelta(hours=12)  # and so has one this old: a long day
PHONE_FOR: Final = timedelta(days=30)  # or, on a person's own phone, this old
LOCK_AFTER: Final = timedelta(minutes=30)  # without a sign of a person a PC locks
DEVICE_PREFIX: Final = "c48_"  # by which those who look for leaked secrets know ours
TOUCH_EVERY: Final = timedelta(minutes=5)  # how exactly "unused" is known

_sql = queries.load("session.sql")


async def answers(conn: Connection) -> bool:
    """Whether the ledger is there, with its schema."""
    return bool(await _sql["answers"].value(conn))


async def account_to_sign_in(conn: Connection, email: str) -> tuple[AccountId, str | None] | None:
    """The account of an address and its password's hash; None where nobody may sign in by it."""
    row = await _sql["account_to_sign_in"].one(conn, email=email)
    return (AccountId(row["account_id"]), row["password_hash"]) if row else None


async def sign_in_failures(
    conn: Connection, email: str, address: str
) -> tuple[int, datetime] | None:
    """How often signing in as *email* from *address* has failed, and when last."""
    row = await _sql["sign_in_failures"].one(conn, email=email, address=address)
    return (row["failures"], row["last_at"]) if row else None


async def one_try_at_a_time(conn: Connection, email: str, address: str) -> None:
    """Wait until no other process is counting a try of this account from this address."""
    await _sql["one_try_at_a_time"].none(conn, email=email, address=address)


async def record_sign_in_failure(conn: Connection, email: str, address: str, now: datetime) -> None:
    """Count one more failure."""
    await _sql["record_sign_in_failure"].none(conn, email=email, address=address, now=now)


async def forget_sign_in_failures(conn: Connection, email: str, address: str) -> None:
    """Count from zero again."""
    await _sql["forget_sign_in_failures"].none(conn, email=email, address=address)


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session as its owner sees it. *device*: browser and system, in two words."""

    id: UUID
    hash: bytes
    device: str
    created_at: datetime
    seen_at: datetime


async def open_session(
    conn: Connection,
    session_hash: bytes,
    account_id: AccountId,
    now: datetime,
    device: str = "",
    proof: Proof = Proof.PASSWORD,
    *,
    is_phone: bool = False,
) -> None:
    """Begin a session that lasts SESSION_FOR at most, or PHONE_FOR on a person's own phone."""
    await _sql["open_session"].none(
        conn,
        session_hash=session_hash,
        account_id=account_id,
        now=now,
        expires_at=now + (PHONE_FOR if is_phone else SESSION_FOR),
        device=device,
        proof=proof.value,
        is_phone=is_phone,
    )


async def session_proof(conn: Connection, session_hash: bytes) -> tuple[Proof, datetime] | None:
    """How and when who is behind a live session has last shown who they are."""
    row = await _sql["session_proof"].one(conn, session_hash=session_hash)
    return (Proof(row["proof"]), row["proved_at"]) if row else None


async def prove_session(
    conn: Connection, session_hash: bytes, new_hash: bytes, now: datetime, proof: Proof
) -> datetime | None:
    """They have shown it again: the session goes on under *new_hash* alone. Returns when it ends.

    None where it has ended already, or has another hash by now.
    """
    ends_at: datetime | None = await _sql["prove_session"].value(
        conn, session_hash=session_hash, new_hash=new_hash, now=now, proof=proof.value
    )
    return ends_at


async def end_sessions_of(
    conn: Connection, account_id: AccountId, kept_hash: bytes | None, now: datetime
) -> list[bytes]:
    """End every session of an account but *kept_hash*. Returns the hashes of those that ended."""
    rows = await _sql["end_sessions_of"].many(
        conn, account_id=account_id, kept_hash=kept_hash, now=now
    )
    return [row["id_hash"] for row in rows]


async def own_sessions(conn: Connection, now: datetime) -> list[OwnSession]:
    """The live sessions of whoever has entered, the one used last first."""
    rows = await _sql["own_sessions"].many(conn, now=now, idle_since=now - IDLE_FOR)
    return [
        OwnSession(row["id"], row["id_hash"], row["device"], row["created_at"], row["seen_at"])
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Device:
    """A key for software or a screen on a wall, as its owner sees it. *seen_at* None: never used.

    is_offered: a screen whose link was not used yet, and which ends with it.
    """

    id: UUID
    kind: SessionKind
    name: str
    scopes: frozenset[Scope]
    walls: frozenset[TerritoryId]
    created_at: datetime
    seen_at: datetime | None
    expires_at: datetime
    is_offered: bool


async def open_key(
    conn: Connection, name: str, scopes: Iterable[Scope], now: datetime, expires_at: datetime
) -> str:
    """A key of whoever has entered. Returns its secret, which is told once."""
    secret = DEVICE_PREFIX + new_secret_id()
    await _sql["open_key"].none(
        conn,
        session_hash=hash_of(secret),
        name=name,
        scopes=[scope.value for scope in scopes],
        now=now,
        expires_at=expires_at,
    )
    return secret


async def own_devices(conn: Connection, now: datetime) -> list[Device]:
    """The live keys and screens of whoever has entered, the newest first."""
    return [
        Device(
            id=row["id"],
            kind=SessionKind(row["kind"]),
            name=row["device"],
            scopes=frozenset(map(Scope, row["scopes"])),
            walls=frozenset(map(TerritoryId, row["walls"])),
            created_at=row["created_at"],
            seen_at=row["seen_at"],
            expires_at=row["expires_at"],
            is_offered=row["is_offered"],
        )
        for row in await _sql["own_devices"].many(conn, now=now)
    ]


async def end_own_sessions(
    conn: Connection, session_id: UUID | None, kept_hash: bytes, now: datetime
) -> list[bytes]:
    """End one session, key or screen of whoever has entered. Safe to repeat.

    session_id: None ends all of their browsers' but the one in use.

    Returns the hashes of those that ended. Another's session is none of theirs: nothing happens.
    """
    rows = await _sql["end_own_sessions"].many(
        conn, session_id=session_id, kept_hash=kept_hash, now=now
    )
    return [row["id_hash"] for row in rows]


async def end_session(conn: Connection, session_hash: bytes, now: datetime) -> None:
    """End a session. Safe to repeat."""
    await _sql["end_session"].none(conn, session_hash=session_hash, now=now)


@dataclass(frozen=True, slots=True)
class Alive:
    """A session that is still good. Equal as long as nothing has changed that anybody must hear of.

    rights: a word that changes when the account's rights do.
    """

    rights: str
    is_locked: bool
    attended_at: datetime = field(compare=False)


async def sessions_alive(
    conn: Connection, session_hashes: Iterable[bytes], now: datetime
) -> dict[bytes, Alive]:
    """Those that are still good."""
    rows = await _sql["sessions_alive"].many(
        conn,
        session_hashes=list(session_hashes),
        now=now,
        idle_since=now - IDLE_FOR,
        unattended_since=now - LOCK_AFTER,
    )
    return {
        row["id_hash"]: Alive(row["rights"], row["is_locked"], row["attended_at"]) for row in rows
    }


async def forget_old_sessions(conn: Connection, before: datetime) -> int:
    """Drop sessions that ended before *before*. Returns how many."""
    return int(await _sql["forget_old_sessions"].value(conn, before=before))


async def account_of_session(
    conn: Connection, session_hash: bytes, now: datetime
) -> SignedIn | None:
    """Who is behind a session, with roles and reach; None where it has ended. Marks it as used."""
    row = await _sql["account_of_session"].one(
        conn, session_hash=session_hash, now=now, idle_since=now - IDLE_FOR
    )
    if row is None:
        return None
    if now - row["seen_at"] > TOUCH_EVERY:
        await _sql["touch_session"].none(conn, session_hash=session_hash, now=now)
    return SignedIn(
        _account(row),
        session_hash,
        row["seen_at"],
        SessionKind(row["kind"]),
        frozenset(map(Scope, row["scopes"])),
        is_phone=row["is_phone"],
        proved_at=row["proved_at"],
    )


async def account_and_rights(
    conn: Connection, session_hash: bytes, now: datetime
) -> tuple[SignedIn, Alive] | None:
    """Who is behind a session, and what `sessions_alive` says of it."""
    # This first: rights that change in between then differ at the next check.
    alive = (await sessions_alive(conn, [session_hash], now)).get(session_hash)
    if alive is None:
        return None
    found = await account_of_session(conn, session_hash, now)
    return (replace(found, is_locked=alive.is_locked), alive) if found else None


def _account(row: Any) -> Account:
    roles: defaultdict[TerritoryId, set[Role]] = defaultdict(set)
    for membership in row["memberships"]:
        roles[TerritoryId(membership["territory_id"])].add(Role(membership["role"]))
    practitioner_id = row["practitioner_id"]
    return Account(
        id=AccountId(row["account_id"]),
        name=row["name"],
        email=row["email"],
        phone=row["phone"] or "",
        organisation_id=OrganisationId(row["organisation_id"]),
        organisation=row["organisation"],
        organisation_kind=row["organisation_kind"],
        practitioner_id=PractitionerId(practitioner_id) if practitioner_id else None,
        roles={territory_id: frozenset(held) for territory_id, held in roles.items()},
        schedules={
            ScheduleId(UUID(schedule["schedule_id"])): TerritoryId(schedule["territory_id"])
            for schedule in row["schedules"]
        },
        neighbours=frozenset(
            TerritoryId(neighbour["territory_id"]) for neighbour in row["neighbours"]
        ),
        walls=frozenset(map(TerritoryId, row["walls"])),
        is_administrator=row["is_administrator"],
    )


async def forget_old_sign_in_failures(conn: Connection, before: datetime) -> int:
    """Forget wrong passwords of which the last was before then. Returns how many addresses."""
    return int(await _sql["forget_old_sign_in_failures"].value(conn, before=before))
