"""Whose holds began, went on and ended, as a territory's log has it: what screens are not told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from slots import keys, redis_url
from slots.errors import BrokerUnavailable
from slots.ids import AccountId, HoldId
from slots.territory import Territory

BEGINNING: Final = ""  # before the first entry of a log
# The audit's word for each event of one hold. A confirmation and a revocation are audited where they
# are committed; a hold that ends with its slot ends with what the audit says of the slot.
VERB_OF_EVENT: Final = {
    "slot.held": "hold",
    "slot.renewed": "renew",
    "slot.released": "release",
    "slot.expired": "expire",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader stands: the last entry that it has read, of which log."""

    generation: int
    entry_id: str


@dataclass(frozen=True, slots=True)
class HoldTold:
    """Somebody took, kept or gave back a seat, or its time ran out."""

    at: datetime
    verb: str
    hold_id: HoldId
    account_id: AccountId


@dataclass(frozen=True, slots=True)
class Read:
    """What follows a place: where one stands now, the holds told between, and whether some may be missing."""

    place: Place
    holds: Sequence[HoldTold]
    is_gap: bool


async def read_after(
    redis: Any, territory: Territory, after: Place | None, most: int
) -> Read | None:
    """At most *most* entries after a place; from the log's beginning for None. None: there are none.

    Some may be missing where the log was trimmed beyond the place, or was begun anew since.

    Raises:
        BrokerUnavailable: The server is dead, frozen or unreachable.
    """
    try:
        entries = await _entries(redis, territory, after.entry_id if after else BEGINNING, most)
        if after and entries and _generation(entries[0][1]) != after.generation:
            entries = await _entries(redis, territory, BEGINNING, most)
    except redis_url.UNAVAILABLE as error:
        raise BrokerUnavailable from error
    if not entries:
        return None
    last_id, last_fields = entries[-1]
    follows = after is None or (
        _generation(entries[0][1]) == after.generation
        and entries[0][1][b"prev"].decode() == after.entry_id
    )
    return Read(
        Place(_generation(last_fields), last_id.decode()),
        [_told(entry_id.decode(), fields) for entry_id, fields in entries if b"hold_id" in fields],
        is_gap=not follows,
    )


async def _entries(
    redis: Any, territory: Territory, after: str, most: int
) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
    start = f"({after}" if after else "-"
    found: list[tuple[bytes, Mapping[bytes, bytes]]] = await redis.xrange(
        keys.named(territory, "log"), min=start, count=most
    )
    return found


def _generation(fields: Mapping[bytes, bytes]) -> int:
    return int(fields[b"generation"])


def _told(entry_id: str, fields: Mapping[bytes, bytes]) -> HoldTold:
    # An entry is named after the server's clock, in milliseconds.
    at_ms = int(entry_id.partition("-")[0])
    return HoldTold(
        at=datetime.fromtimestamp(at_ms / 1000, UTC),
        verb=VERB_OF_EVENT[fields[b"type"].decode()],
        hold_id=HoldId(UUID(fields[b"hold_id"].decode())),
        account_id=AccountId(UUID(fields[b"account_id"].decode())),
    )
