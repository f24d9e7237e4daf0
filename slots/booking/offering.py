"""offer, amend, withdraw: what a professional publishes stays the professional's."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, Final
from uuid import UUID

import asyncpg

from slots import letters
from slots.account import Account
from slots.appointment import Appointment, AppointmentStatus, Side
from slots.booking.offers import (
    Amendment,
    OfferedSlot,
    communes_named,
    field_errors,
)
from slots.booking.once import Outcome, once
from slots.database import Connection
from slots.desk import Desk
from slots.document import SlotDocument
from slots.errors import (
    BrokerUnavailable,
    CapacityBelowTaken,
    FieldError,
    Invalid,
    NotAllowed,
    OtherSlot,
    SeatsBooked,
    SlotInUse,
    SlotOverlap,
    SlotUnknown,
    SlotWithdrawn,
)
from slots.ids import ScheduleId, SlotId, new_id
from slots.slot import Slot
from slots.store import appointment as appointments
from slots.store import slot as store
from slots.store.command import Effect, Mailing
from slots.store.idempotency import Key
from slots.store.slot import NewSlot, ScheduleTerms
from slots.times import from_paris, paris_day
from slots.transaction import entered

OCCUPYING: Final = ("AMB", "HH")  # modalities that need the practitioner in person


async def offer(
    desk: Desk, account: Account, offers: list[OfferedSlot], key: Key, now: datetime
) -> list[SlotDocument]:
    """Publish slots, all or none.

    Raises:
        Invalid: With one entry per field that is wrong.
        NotAllowed: A schedule is not the account's own, nor delegated to it.
        SlotOverlap: The practitioner is elsewhere at that time, or the service has no free room.
    """
    foreign = [one.schedule_id for one in offers if not account.publishes_for(one.schedule_id)]
    if foreign:
        raise NotAllowed

    async def work(conn: Connection) -> Effect:
        terms = await store.schedules(conn, {one.schedule_id for one in offers})
        await _refuse_invalid(conn, offers, terms, now)
        await store.lock_owners(conn, terms.values())
        if await store.has_ended(conn, terms):
            raise NotAllowed
        made = []
        for one in offers:
            new = await _placed(conn, _new_slot(one, terms[one.schedule_id], account, now), terms)
            await _insert(conn, new)
            made.append(new)
        return Effect(
            answer={"slot_ids": [str(new.id) for new in made]},
            audited=[(new.territory_id, "slot", [new.id]) for new in made],
            new=[new.id for new in made],
        )

    outcome = await once(desk, account, "offer", key, work)
    return await _documents(desk, account, outcome)


async def amend(
    desk: Desk, account: Account, slot_id: SlotId, amendment: Amendment, key: Key, now: datetime
) -> SlotDocument:
    """Change what was published. Time, place, modality and acts only while no seat is taken.

    Raises:
        SlotInUse: A seat is held or booked, and the terms would change.
        CapacityBelowTaken, SlotOverlap, SlotWithdrawn, SlotUnknown, NotAllowed, Invalid.
    """
    territory = desk.territory(slot_id)
    if territory is None or territory.id not in account.reach:
        raise SlotUnknown
    try:
        is_held = await desk.broker.is_held(territory, slot_id)
    except BrokerUnavailable:
        # Nobody can confirm meanwhile; a hold that outlives this hears `slot-changed`.
        is_held = False

    async def work(conn: Connection) -> Effect:
        before = await _own_slot(conn, account, slot_id)
        terms = await store.schedules(conn, [before.schedule_id])
        await store.lock_owners(conn, terms.values())
        slot = await _locked(conn, slot_id)
        if slot.withdrawn:
            raise SlotWithdrawn
        was = _offered(slot)
        wanted = amendment.applied_to(was)
        await _refuse_invalid(conn, [wanted], terms, now, prefix="", carried=was.acts or ())
        new_terms = _terms(was) != _terms(wanted)
        if new_terms and (is_held or slot.seats):
            raise SlotInUse
        if wanted.capacity < len(slot.seats) or (is_held and wanted.capacity < slot.capacity):
            raise CapacityBelowTaken
        new = replace(_new_slot(wanted, terms[slot.schedule_id], account, now), id=slot_id)
        new = await _placed(conn, new, terms, but_slot_id=slot_id)
        try:
            await store.amend_slot(conn, new, new_terms=new_terms)
        except asyncpg.ExclusionViolationError as error:
            raise SlotOverlap from error
        return Effect(
            answer={"slot_ids": [str(slot_id)]},
            audited=[(slot.territory_id, "slot", [slot_id])],
            changed=[slot_id],
        )

    outcome = await once(desk, account, "amend", key, work)
    return (await _documents(desk, account, outcome))[0]


async def withdraw(
    desk: Desk,
    account: Account,
    slot_id: SlotId,
    key: Key,
    now: datetime,
    *,
    cancel_booked: bool,
) -> SlotDocument:
    """Take a slot back; this beats a hold. Booked seats are cancelled only if that is said.

    Raises:
        SeatsBooked: Patients are expected, and *cancel_booked* is false.
        SlotUnknown, NotAllowed.
    """

    async def work(conn: Connection) -> Effect:
        await _own_slot(conn, account, slot_id)
        return await _withdraw(conn, account, [slot_id], now, cancel_booked=cancel_booked)

    outcome = await once(desk, account, "withdraw", key, work)
    return (await _documents(desk, account, outcome))[0]


async def withdraw_day(
    desk: Desk,
    account: Account,
    key: Key,
    now: datetime,
    *,
    cancel_booked: bool,
    day: date | None = None,
) -> list[SlotDocument]:
    """Take back every slot of the account's schedules still ahead on a French day (today).

    Raises:
        SeatsBooked: Patients are expected, and *cancel_booked* is false.
    """
    morning = from_paris(day, time(12)) if day else now
    since, until = paris_day(morning)

    async def work(conn: Connection) -> Effect:
        slot_ids = await store.slots_to_withdraw(conn, account.schedules, max(since, now), until)
        return await _withdraw(conn, account, slot_ids, now, cancel_booked=cancel_booked)

    outcome = await once(desk, account, "withdraw-day", key, work)
    return await _documents(desk, account, outcome)


async def _withdraw(
    conn: Connection,
    account: Account,
    slot_ids: list[SlotId],
    now: datetime,
    *,
    cancel_booked: bool,
) -> Effect:
    slots = await store.lock_slots(conn, slot_ids)
    standing = {slot_id: slot for slot_id, slot in slots.items() if not slot.withdrawn}
    taken = await appointments.taken_in_slots(conn, standing)
    if sum(len(slot.seats) for slot in standing.values()) > len(taken):
        # The ledger does not show all of them to whoever asks: they act for these slots no more.
        raise NotAllowed
    booked = [one for one in taken if one.status is AppointmentStatus.BOOKED]
    if booked and not cancel_booked:
        raise SeatsBooked
    await appointments.cancel_appointments(
        conn, [one.id for one in booked], at=now, by=account.id, side=Side.PROFESSIONAL
    )
    await store.withdraw_slots(conn, standing, now, account.id)
    return Effect(
        answer={"slot_ids": [str(slot_id) for slot_id in slots]},
        audited=[(slot.territory_id, "slot", [slot.id]) for slot in standing.values()]
        + [(one.territory_id, "appointment", [one.id]) for one in booked],
        changed=list(standing),
        mailings=[_to_referrer(one, slots) for one in booked],
    )


def _to_referrer(cancelled: Appointment, slots: dict[SlotId, Slot]) -> Mailing:
    assert cancelled.slot_id is not None
    return Mailing(
        cancelled.territory_id,
        letters.cancelled_by_professional(cancelled, slots[cancelled.slot_id].card.schedule),
        account_id=cancelled.booked_by_account_id,
    )


async def _refuse_invalid(
    conn: Connection,
    offers: list[OfferedSlot],
    terms: dict[ScheduleId, ScheduleTerms],
    now: datetime,
    prefix: str = "slots[{}].",
    carried: Iterable[str] = (),  # acts of a slot that is there: one may have been retired since
) -> None:
    errors = []
    acts = {
        number: await store.act_codes(conn, number) | frozenset(carried)
        for number in {one.territory_id for one in terms.values()}
    }
    named = communes_named(offers)
    known = await store.known_communes(conn, named) if named else frozenset()
    for index, one in enumerate(offers):
        start = prefix.format(index)
        usual = terms[one.schedule_id]
        errors += field_errors(one, now, acts[usual.territory_id], start)
        if one.acts is None and not usual.default_acts:
            errors.append(FieldError(f"{start}acts", "Indiquez au moins un acte."))
        strangers = sorted(set(communes_named([one])) - known)
        if strangers:
            errors.append(FieldError(f"{start}area", f"Commune inconnue : {', '.join(strangers)}."))
    if errors:
        raise Invalid(errors)


def _new_slot(
    offered: OfferedSlot, terms: ScheduleTerms, account: Account, now: datetime
) -> NewSlot:
    return NewSlot(
        id=SlotId(new_id(terms.territory_id)),
        territory_id=terms.territory_id,
        schedule_id=terms.id,
        location_id=terms.location_id,
        practitioner_id=terms.practitioner_id,
        healthcare_service_id=terms.healthcare_service_id,
        room=1 if terms.healthcare_service_id else None,
        starts_at=offered.starts_at.replace(microsecond=0),
        ends_at=offered.ends_at.replace(microsecond=0),
        capacity=offered.capacity,
        modality=offered.modality,
        area=offered.area,
        acts=offered.acts or terms.default_acts,
        audience=offered.audience or terms.default_audience,
        note=offered.note or None,
        offered_at=now,
        offered_by=account.id,
    )


async def _placed(
    conn: Connection,
    new: NewSlot,
    terms: dict[ScheduleId, ScheduleTerms],
    but_slot_id: SlotId | None = None,
) -> NewSlot:
    """The slot in a free room, or with its practitioner free; asked under the owner's lock."""
    if new.modality not in OCCUPYING:
        return new
    if new.practitioner_id is not None:
        other = await store.overlapping_slot(
            conn, new.practitioner_id, new.starts_at, new.ends_at, but_slot_id
        )
        if other:
            raise SlotOverlap(
                other=OtherSlot(other.slot_id, other.starts_at, other.ends_at, other.place)
            )
        return new
    assert new.healthcare_service_id is not None
    rooms = terms[new.schedule_id].rooms
    room = await store.free_room(
        conn, new.healthcare_service_id, rooms, new.starts_at, new.ends_at, but_slot_id
    )
    if room is None:
        raise SlotOverlap("Every room of the service has another slot at that time.")
    return replace(new, room=room)


async def _insert(conn: Connection, new: NewSlot) -> None:
    try:
        await store.insert_slot(conn, new)
    except asyncpg.ExclusionViolationError as error:
        raise SlotOverlap from error


async def _own_slot(conn: Connection, account: Account, slot_id: SlotId) -> Slot:
    """A slot that the account may change; read without a lock, to know whose it is."""
    slot = (await store.slots_by_id(conn, [slot_id])).get(slot_id)
    if slot is None:
        raise SlotUnknown
    if account.publishes_for(slot.schedule_id):
        return slot
    if account.may_see(slot.territory_id, slot.schedule_id, slot.audience):
        raise NotAllowed
    raise SlotUnknown


async def _locked(conn: Connection, slot_id: SlotId) -> Slot:
    return (await store.lock_slots(conn, [slot_id]))[slot_id]


def _offered(slot: Slot) -> OfferedSlot:
    """A slot as the offer that would make it."""
    return OfferedSlot(
        schedule_id=slot.schedule_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        capacity=slot.capacity,
        modality=slot.modality,
        acts=tuple(slot.card.acts),
        audience=tuple(slot.card.audience),
        area=slot.card.area,
        note=slot.card.note,
    )


def _terms(offered: OfferedSlot) -> tuple[Any, ...]:
    """What a holder has agreed to: nobody changes it under a patient."""
    return (
        offered.starts_at,
        offered.ends_at,
        offered.modality,
        offered.area,
        frozenset(offered.acts or ()),
    )


async def _documents(desk: Desk, account: Account, outcome: Outcome) -> list[SlotDocument]:
    """The slots of an answer: as committed, or read again where this try changed nothing."""
    wanted = [SlotId(UUID(slot_id)) for slot_id in outcome.answer["slot_ids"]]
    slots = {slot.id: slot for slot in outcome.slots}
    if unread := [slot_id for slot_id in wanted if slot_id not in slots]:
        async with entered(desk.pool, account.id, account.reach) as conn:
            slots |= await store.slots_by_id(conn, unread)
    return [slots[slot_id].document() for slot_id in wanted]
