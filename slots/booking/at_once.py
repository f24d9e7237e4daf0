"""The quick way of a confirmation: one statement, written only if the ledger agrees.

The seal brings the slot as the broker has it, with its version. What follows from that is decided
here, and `book_unchanged` writes it only where the ledger's slot still has this version: equal
versions are equal slots. Whatever else is the case, nothing is written, and `confirming` decides
again under the row lock, where it also finds the words for a refusal.
"""

from datetime import datetime
from typing import Final

from slots.account import Account
from slots.appointment import Appointment
from slots.audience import Audience
from slots.booking.applying import bring
from slots.booking.choice import Choice, new_appointment, to_owner
from slots.broker import Seal
from slots.desk import Desk
from slots.document import SlotDocument, decode_slot
from slots.ids import HoldId, PractitionerId, ScheduleId, made_at
from slots.slot import Slot
from slots.store.booking import Seen, book_unchanged
from slots.store.idempotency import Key
from slots.territory import Territory
from slots.transaction import RETRIED, deciding

VERB: Final = "confirm"


async def book_at_once(
    desk: Desk,
    account: Account,
    territory: Territory,
    hold_id: HoldId,
    seal: Seal,
    choice: Choice,
    key: Key,
    now: datetime,
) -> Appointment | None:
    """Make a sealed hold true; None, and nothing has happened, where the long way must decide.

    Atomic, and durable once it returns.

    Raises:
        LedgerUnavailable, OutcomeUnknown: Repeat with the same key.
    """
    document = decode_slot(seal.slot)
    schedule_id = ScheduleId(document.schedule.id)
    origins = account.origins_in(territory.id, schedule_id)
    if choice.origin not in (None, *origins) or not origins:
        return None
    origin = choice.origin or origins[0]
    new = new_appointment(
        account, territory.id, schedule_id, document.starts_at, choice, origin, now
    )
    booked = new.as_booked(seal.slot_id, seal.seat)
    generations = desk.broker.known_generations([territory.id])
    try:
        async with deciding(desk.pool) as conn:
            written = await book_unchanged(
                conn,
                new,
                Seen(seal.slot_id, document.version, seal.terms, account.hears(territory.id)),
                seat=seal.seat,
                hold_id=hold_id,
                held_at=made_at(hold_id),
                territories=account.reach,
                letter=to_owner(booked, document.schedule).letter,
                verb=VERB,
                key=key,
                answer={"appointment_id": str(new.id)},
            )
    except RETRIED:
        return None
    if written is None:
        return None
    slot = _slot(document, territory, seal, written)
    await bring(desk, [slot], VERB, generations)
    return booked


def _slot(
    document: SlotDocument,
    territory: Territory,
    seal: Seal,
    written: tuple[int, dict[int, HoldId | None]],
) -> Slot:
    """The slot as the ledger has it now: as it was seen, with this booking."""
    version, seats = written
    practitioner = document.schedule.practitioner
    return Slot(
        id=seal.slot_id,
        territory_id=territory.id,
        schedule_id=ScheduleId(document.schedule.id),
        practitioner_id=PractitionerId(practitioner.id) if practitioner else None,
        starts_at=document.starts_at,
        ends_at=document.ends_at,
        capacity=document.capacity,
        modality=document.modality,
        audience=frozenset(map(Audience, document.audience)),
        version=version,
        terms=seal.terms,
        withdrawn=False,
        daily_cap=None,
        seats=seats,
        card=document.card,
        horizon=document.starts_at - seal.live_from,
    )
