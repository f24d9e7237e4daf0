"""Events of a territory's log, and what a reader who was away has missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NewType

from slots.ids import SlotId

# Generation and entry id: `7.1763769600000-0`. Compared by equality only, never by order.
Position = NewType("Position", str)

# The event that each verb of the ledger leaves; the broker's own verbs are in the Lua files.
EVENT_OF_VERB: Final = {
    "offer": "slot.offered",
    "amend": "slot.amended",
    "confirm": "slot.confirmed",
    "cancel": "slot.cancelled",
    "move": "slot.moved",
    "withdraw": "slot.withdrawn",
    "withdraw-day": "slot.withdrawn",
    "seen": "slot.seen",
    "address-told": "slot.seen",  # who knows where to go has seen that they must
    "fulfil": "slot.fulfilled",
    "noshow": "slot.noshow",
    "patient-told": "slot.patient-told",
    "revoke": "slot.revoked",
    "mend": "slot.mended",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One change, with the whole public slot after it. *live*: it is still on the boards."""

    at: Position
    prev: Position
    type: str
    slot_id: SlotId
    live: bool
    slot: bytes  # JSON of a SlotDocument


def position(generation: int, entry_id: str) -> Position:
    """The name of a place in a territory's log."""
    return Position(f"{generation}.{entry_id}")


def missed(after: Position, log: Sequence[Event]) -> Sequence[Event] | None:
    """The events after *after*, oldest first; None where *after* is not in the log.

    None means: take a fresh snapshot. Better a whole page than a page with a hole. A position is
    never given twice, so finding it proves that nothing before it differs.
    """
    for index in range(len(log) - 1, -1, -1):
        if log[index].at == after:
            return log[index + 1 :]
    if log and log[0].prev == after:
        return log
    return None
