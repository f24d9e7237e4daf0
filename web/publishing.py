"""Who has a free place now, who has none, who does not publish, and of whom one cannot say."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from slots.account import Account
from slots.audience import Audience
from slots.database import Connection
from slots.document import SlotDocument
from slots.publishing import PUBLISHES_WITHIN, Offers
from slots.store.directory import DirectoryLine, offered_since, with_account

EVERY_AUDIENCE: Final = frozenset(Audience)


def free_by_schedule(slots: Iterable[SlotDocument]) -> dict[UUID, Offers]:
    """The free seats of each schedule, and when the first of them begins."""
    offers: dict[UUID, Offers] = {}
    for slot in slots:
        if not slot.free:
            continue
        before = offers.get(slot.schedule.id, Offers())
        next_at = min(before.next_at or slot.starts_at, slot.starts_at)
        offers[slot.schedule.id] = Offers(before.free + slot.free, next_at)
    return offers


async def offers_of(
    conn: Connection,
    account: Account,
    lines: Iterable[DirectoryLine],
    free: dict[UUID, Offers],
    now: datetime,
) -> dict[UUID, Offers]:
    """What the account may know of the offers at each of these lines, by the line's id.

    *free*: of the live boards that the account sees.
    """
    shown = list(lines)
    reachable = await with_account(conn, [line.id for line in shown])
    heard = {
        line.schedule_id: heard_by(account, line)
        for line in shown
        if line.schedule_id is not None and line.schedule_id not in free
    }
    offered = await offered_since(conn, heard, now - PUBLISHES_WITHIN) if heard else {}
    offers = {}
    for line in shown:
        to_viewer, to_anybody = (
            offered.get(line.schedule_id, (False, False)) if line.schedule_id else (False, False)
        )
        known = free.get(line.schedule_id, Offers()) if line.schedule_id else Offers()
        offers[line.id] = replace(
            known,
            to_viewer=to_viewer,
            to_anybody=to_anybody,
            has_account=line.id in reachable,
        )
    return offers


def heard_by(account: Account, line: DirectoryLine) -> frozenset[Audience]:
    """The audiences that the account belongs to where this schedule is."""
    acts_for = line.schedule_id is not None and account.acts_for(line.schedule_id)
    return EVERY_AUDIENCE if acts_for else account.sees_as(line.territory_id)
