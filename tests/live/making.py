"""Slots, events and viewers for the live view; a test names only what matters to it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from slots.account import Account
from slots.audience import Role
from slots.document import (
    LocationDocument,
    PractitionerDocument,
    ScheduleDocument,
    SlotCard,
    SlotDocument,
)
from slots.events import Event, Position
from slots.ids import (
    AccountId,
    HoldId,
    OrganisationId,
    PractitionerId,
    ScheduleId,
    SlotId,
    TerritoryId,
    new_id,
)
from slots.log import LOG_STARTED, NO_SLOT
from slots.slot import Slot
from slots.store.session import Alive
from slots.territory import Territory
from web.catalogue import ActLabels
from web.live.feed import Feed

HAUTS = Territory(TerritoryId(1), "hauts-cantons-et-vignobles", "Hauts Cantons", "34", 0)
THAU = Territory(TerritoryId(2), "bassin-de-thau", "Bassin de Thau", "34", 0)
STARTS_AT = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
ALIVE = Alive("rights", is_locked=False, attended_at=STARTS_AT)


def make_document(
    *,
    slot_id: UUID | None = None,
    territory: Territory = HAUTS,
    audience=("CPTS", "SNP"),
    schedule_id: UUID | None = None,
    starts_at: datetime = STARTS_AT,
    free: int = 1,
) -> SlotDocument:
    return SlotDocument(
        id=slot_id or new_id(territory.id),
        territory=territory.slug,
        schedule=ScheduleDocument(
            schedule_id or uuid4(),
            PractitionerDocument(uuid4(), "Ann Martin", "10", "SM54"),
            None,
            LocationDocument(uuid4(), "Maison", "Bédarieux", "34028", 43.6, 3.2, "0400000001"),
        ),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=20),
        modality="AMB",
        area=None,
        acts=["consultation"],
        audience=list(audience),
        note=None,
        capacity=1,
        free=free,
        held=0,
        booked=1 - free,
        held_until=None,
        status="free" if free else "busy",
        version=1,
    )


def make_slot(*, starts_at: datetime, territory: Territory = HAUTS, **fields) -> Slot:
    """A slot as the ledger would have it, to be put to the broker."""
    document = make_document(territory=territory, starts_at=starts_at, **fields)
    card = SlotCard(**{name: getattr(document, name) for name in SlotCard.__struct_fields__})
    return Slot(
        id=SlotId(document.id),
        territory_id=territory.id,
        schedule_id=ScheduleId(document.schedule.id),
        practitioner_id=PractitionerId(uuid4()),
        starts_at=starts_at,
        ends_at=document.ends_at,
        capacity=1,
        modality="AMB",
        audience=frozenset(document.audience),
        version=1,
        terms=1,
        withdrawn=False,
        daily_cap=None,
        seats=dict[int, HoldId | None](),
        card=card,
    )


class Log:
    """A territory's log as Redis would write it, in memory."""

    def __init__(self, territory: Territory = HAUTS, generation: int = 1) -> None:
        self.territory = territory
        self.generation = generation
        self.events: list[Event] = []
        self._number = 0
        self._last = f"{generation}."
        self.append(LOG_STARTED, None)

    def append(
        self,
        kind: str,
        document: SlotDocument | None,
        *,
        live: bool = True,
        prev: str | None = None,
    ) -> Event:
        self._number += 1
        at = Position(f"{self.generation}.{self._number}-0")
        event = Event(
            at=at,
            prev=Position(prev or self._last),
            type=kind,
            slot_id=SlotId(document.id) if document else NO_SLOT,
            live=live and document is not None,
            slot=msgspec.json.encode(document) if document else b"",
        )
        self._last = at
        self.events.append(event)
        return event

    @property
    def last(self) -> Position:
        return self.events[-1].at

    def feed(self, *documents: SlotDocument, history: list[Event] | None = None) -> Feed:
        """A feed that was loaded now, with these slots on the boards."""
        feed = Feed(self.territory, ActLabels())
        feed.load(self.last, [msgspec.json.encode(each) for each in documents], history or [])
        return feed


def make_account(
    *roles: Role, territory: Territory = HAUTS, schedules=(), neighbours=()
) -> Account:
    return Account(
        id=AccountId(uuid4()),
        name="Rita Simon",
        email="rita@example.test",
        phone="0600000010",
        organisation_id=OrganisationId(uuid4()),
        organisation="SAMU 34",
        organisation_kind="regulation",
        practitioner_id=None,
        roles={territory.id: frozenset(roles)} if roles else {},
        schedules={ScheduleId(each): territory.id for each in schedules},
        neighbours=frozenset(each.id for each in neighbours),
    )


def parsed(texts):
    """Frames as their reader understands them."""
    return [msgspec.json.decode(text) for text in texts]


def words(texts):
    """Only what kind of frames they are."""
    return [frame["t"] for frame in parsed(texts)]
