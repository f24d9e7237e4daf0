"""Idempotency keys in the ledger: the same key has one effect and one answer (invariant 5)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from slots import queries
from slots.database import Connection
from slots.ids import AccountId, AppointmentId, HoldId, TerritoryId

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("idempotency.sql")


@dataclass(frozen=True, slots=True)
class Key:
    """What a client calls one intention, with the hash of what it asked for."""

    value: str
    body_hash: bytes

    @classmethod
    def of(cls, said: str, asked: bytes) -> Self:
        """The key that a client *said* for what it *asked*. Only hashes of both are kept.

        A careless client may say the name of a patient, and Redis must not have it.
        """
        return cls(hashlib.sha256(said.encode()).hexdigest(), hashlib.sha256(asked).digest())


@dataclass(frozen=True, slots=True)
class Answered:
    """What a key was answered before: ids, from which the answer is read again."""

    body_hash: bytes
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody is about to book: under which key, out of which hold, with which codes."""

    account_id: AccountId
    verb: str
    key: Key
    hold_id: HoldId
    territory_id: TerritoryId
    reason: str
    urgency: str


@dataclass(frozen=True, slots=True)
class BeforeConfirm:
    """What is known before a hold is sealed."""

    answered: Answered | None
    hold_has_ended: bool
    appointment_id: AppointmentId | None  # what the hold became; None where it was revoked
    is_own: bool  # the caller booked that appointment
    reason_known: bool
    urgency_known: bool


async def answered(conn: Connection, account_id: AccountId, verb: str, key: Key) -> Answered | None:
    """What this key was answered, if it was."""
    row = await QUERIES["answered"].one(conn, account_id=account_id, verb=verb, key=key.value)
    return Answered(row["body_hash"], row["answer"]) if row else None


async def before_confirms(conn: Connection, intents: Sequence[Intent]) -> list[BeforeConfirm]:
    """Everything that is to be known before sealing, of each in its order, in one look without a
    transaction.
    """
    rows = await QUERIES["before_confirms"].many(
        conn,
        account_ids=[one.account_id for one in intents],
        verbs=[one.verb for one in intents],
        keys=[one.key.value for one in intents],
        hold_ids=[one.hold_id for one in intents],
        territory_ids=[one.territory_id for one in intents],
        reasons=[one.reason for one in intents],
        urgencies=[one.urgency for one in intents],
    )
    return [_before_confirm(row) for row in rows]


def _before_confirm(row: "Record") -> BeforeConfirm:
    return BeforeConfirm(
        answered=Answered(row["body_hash"], row["answer"]) if row["body_hash"] else None,
        hold_has_ended=row["hold_has_ended"],
        appointment_id=row["appointment_id"],
        is_own=row["is_own"],
        reason_known=row["reason_known"],
        urgency_known=row["urgency_known"],
    )


async def as_durable_as_ours(conn: Connection) -> None:
    """Make this transaction's commit wait until all that is visible now is durable.

    What a first try has committed may be seen before the standby has it: where the primary was
    restarted meanwhile, or somebody cancelled the wait. An answer that rests on it must not be
    given sooner than the first would have been (invariant 3).
    """
    await QUERIES["write_a_mark"].none(conn)


async def forget_old_keys(conn: Connection, before: datetime) -> int:
    """Drop keys that protect nothing any more. Returns how many."""
    return int(await QUERIES["forget_old_keys"].value(conn, before=before))
