"""Identifiers: UUIDv8 that carry the number of their territory.

A slot's or a hold's id alone says under which Redis keys it lives and behind which wall of the
database, so that no look-up comes before the first useful statement.

Layout (RFC 9562 §5.8): 48 bits Unix milliseconds · version · 12 bits random · variant ·
14 bits territory · 48 bits random. An id is a name, never a proof: rights are checked elsewhere.
"""

import secrets
import time
from datetime import UTC, datetime
from typing import Final, NewType
from uuid import UUID

TerritoryId = NewType("TerritoryId", int)
AccountId = NewType("AccountId", UUID)
OrganisationId = NewType("OrganisationId", UUID)
PractitionerId = NewType("PractitionerId", UUID)
ScheduleId = NewType("ScheduleId", UUID)
SlotId = NewType("SlotId", UUID)
HoldId = NewType("HoldId", UUID)
AppointmentId = NewType("AppointmentId", UUID)

INSTALLATION: Final = TerritoryId(0)  # whose audit tells who signed in, and how

TERRITORY_BITS: Final = 14
TERRITORY_NUMBER_MAX: Final = (1 << TERRITORY_BITS) - 1
RANDOM_TAIL_BITS: Final = 48
VERSION: Final = 8
VARIANT: Final = 0b10


def new_id(territory_id: TerritoryId) -> UUID:
    """Make an id that sorts roughly by time and carries its territory."""
    assert 1 <= territory_id <= TERRITORY_NUMBER_MAX, territory_id
    milliseconds = time.time_ns() // 1_000_000 & (1 << 48) - 1
    random = secrets.randbits(12 + RANDOM_TAIL_BITS)
    value = milliseconds << 80
    value |= VERSION << 76
    value |= (random >> RANDOM_TAIL_BITS) << 64
    value |= VARIANT << 62
    value |= territory_id << RANDOM_TAIL_BITS
    value |= random & (1 << RANDOM_TAIL_BITS) - 1
    return UUID(int=value)


def territory_of(identifier: UUID) -> TerritoryId | None:
    """Read the territory that *identifier* carries; None if it is not one of ours."""
    if identifier.version != VERSION:
        return None
    number = identifier.int >> RANDOM_TAIL_BITS & TERRITORY_NUMBER_MAX
    return TerritoryId(number) if number else None


def made_at(identifier: UUID) -> datetime:
    """When one of our ids was made: the instant is in it."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


def first_id_at(instant: datetime) -> UUID:
    """A bound: ids that were made at *instant* or later are not less than it, all others are."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)
