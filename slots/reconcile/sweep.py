"""Time passes only by events: emit what it has changed."""

from typing import Final

from slots.broker import DUE_BATCH_MAX
from slots.desk import Desk
from slots.territory import Territory

ROUNDS_MAX: Final = 10  # batches in one call; the next second takes the rest


async def sweep(desk: Desk, territory: Territory) -> int:
    """Settle holds that ran out and slots that went live or ended. Each second.

    Every script settles its own slot first, so a late sweep delays the news of a free seat, never
    the seat. Returns how many slots time has changed.

    Raises:
        BrokerUnavailable, Rebuilding: The next sweep finds the same and more.
    """
    settled = 0
    for _ in range(ROUNDS_MAX):
        batch = await desk.broker.due(territory)
        settled += batch
        if batch < DUE_BATCH_MAX:
            break
    return settled
