"""My slots by day, with who comes to each: what the ledger knows, with the holds of the live board."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from starlette.requests import Request

from slots.account import Account
from slots.appointment import AppointmentStatus
from slots.database import Connection
from slots.document import SlotDocument
from slots.errors import BrokerUnavailable, Rebuilding
from slots.ids import AppointmentId, SlotId
from slots.slot import Slot
from slots.store.appointment import AppointmentView, appointments_of_schedules
from slots.store.patient_contact import contacts_kept
from slots.store.slot import slots_of_schedules
from slots.times import PARIS
from web.state import State


@dataclass(frozen=True, slots=True)
class OwnSlot:
    """One of my slots, or an overflow (no slot), with who comes and who was cancelled."""

    starts_at: datetime
    slot: SlotDocument | None
    booked: list[AppointmentView]
    cancelled: list[AppointmentView]


@dataclass(frozen=True, slots=True)
class OwnDay:
    """One French day of my slots."""

    day: date
    slots: list[OwnSlot]

    @property
    def expected(self) -> int:
        """How many patients come."""
        return sum(len(one.booked) for one in self.slots)


async def own_days(
    conn: Connection, account: Account, since: datetime, until: datetime, now: datetime
) -> list[OwnDay]:
    """The slots and overflows of the account's schedules in the span, by French day.

    A withdrawn slot stays while somebody was booked in it: its patients may not know yet.
    """
    schedule_ids = list(account.schedules)
    slots = await slots_of_schedules(conn, schedule_ids, since, until)
    views = await appointments_of_schedules(conn, schedule_ids, since, until)
    own = [_own(slot, views) for slot in slots if not slot.withdrawn or _of(slot, views)]
    own += [
        OwnSlot(view.appointment.starts_at, None, *_split([view]))
        for view in views
        if view.appointment.overflow
    ]
    days: dict[date, list[OwnSlot]] = {}
    today = now.astimezone(PARIS).date()
    for one in sorted(own, key=lambda one: one.starts_at):
        day = max(today, one.starts_at.astimezone(PARIS).date())
        days.setdefault(day, []).append(one)
    return [OwnDay(day, days[day]) for day in sorted(days)]


async def with_contacts(
    conn: Connection, days: Iterable[OwnDay], now: datetime
) -> frozenset[AppointmentId]:
    """The bookings of these days that have a contact of the patient."""
    views = (view for day in days for own in day.slots for view in own.booked)
    return await contacts_kept(conn, [view.appointment.id for view in views], now)


async def overlaid(request: Request[State], account: Account, day: OwnDay) -> OwnDay:
    """The same day, with the holds that only the live board knows."""
    boards = []
    for territory_id in set(account.schedules.values()):
        try:
            boards.append((await request.state["hub"].board(territory_id)).slots)
        except (BrokerUnavailable, Rebuilding):
            continue

    def newest(slot: SlotDocument | None) -> SlotDocument | None:
        for board in boards:
            known = board.get(SlotId(slot.id)) if slot else None
            if slot and known and known.version >= slot.version:
                return known
        return slot

    return OwnDay(day.day, [replace(one, slot=newest(one.slot)) for one in day.slots])


def _own(slot: Slot, views: list[AppointmentView]) -> OwnSlot:
    return OwnSlot(slot.starts_at, slot.document(), *_split(_of(slot, views)))


def _of(slot: Slot, views: list[AppointmentView]) -> list[AppointmentView]:
    return [view for view in views if view.appointment.slot_id == slot.id]


def _split(views: list[AppointmentView]) -> tuple[list[AppointmentView], list[AppointmentView]]:
    """Those who come or came, and those whom this side cancelled."""
    kept = [view for view in views if view.appointment.status is not AppointmentStatus.CANCELLED]
    gone = [view for view in views if view.appointment.cancelled_by_side == "professional"]
    return kept, gone
