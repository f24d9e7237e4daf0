"""What every command leaves beside its own rows: versions, outbox, audit, mails, its answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from slots import queries
from slots.appointment import Appointment
from slots.database import Connection
from slots.ids import AccountId, ScheduleId, SlotId, TerritoryId
from slots.letters import Letter
from slots.slot import Slot
from slots.store.idempotency import Key

QUERIES: Final = queries.load("command.sql")


@dataclass(frozen=True, slots=True)
class Mailing:
    """A letter, to everybody who acts for a schedule or to one account."""

    territory_id: TerritoryId
    letter: Letter
    schedule_id: ScheduleId | None = None
    account_id: AccountId | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command did, before it is committed.

    *answer* (ids) is kept under the key; *audited* are (territory, subject, ids); *changed*
    slots are locked, and get a new version; *new* ones are at version 1. *booked* is what a
    booking made, and *after* are changed slots as they are now: known, since they were read
    under their lock, so that nobody need read them again.
    """

    answer: dict[str, Any]
    audited: Sequence[tuple[TerritoryId, str, Sequence[UUID]]]
    changed: list[SlotId] = field(default_factory=list)
    new: list[SlotId] = field(default_factory=list)
    mailings: Sequence[Mailing] = ()
    booked: Appointment | None = None
    after: Sequence[Slot] = ()


async def write_down(
    conn: Connection, account_id: AccountId, verb: str, key: Key, effect: Effect
) -> bool:
    """Keep all of it, in one statement. False where another try was first: roll back, and replay."""
    audited = [
        (territory_id, subject, subject_id)
        for territory_id, subject, subject_ids in effect.audited
        for subject_id in subject_ids
    ]
    is_first = await QUERIES["write_down"].value(
        conn,
        changed_slot_ids=effect.changed,
        new_slot_ids=effect.new,
        verb=verb,
        account_id=account_id,
        audit_territories=[territory_id for territory_id, _, _ in audited],
        audit_subjects=[subject for _, subject, _ in audited],
        audit_subject_ids=[subject_id for _, _, subject_id in audited],
        letter_territories=[one.territory_id for one in effect.mailings],
        letter_schedules=[one.schedule_id for one in effect.mailings],
        letter_accounts=[one.account_id for one in effect.mailings],
        letter_subjects=[one.letter.subject for one in effect.mailings],
        letter_bodies=[one.letter.body for one in effect.mailings],
        key=key.value,
        body_hash=key.body_hash,
        answer=effect.answer,
    )
    return bool(is_first)
