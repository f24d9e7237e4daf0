"""Fills a Redis that has lost its data, or that may have lost the tail of its log (invariant 10)."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from slots.desk import Desk
from slots.events import EVENT_OF_VERB
from slots.reconcile.putting import put_all
from slots.store.slot import slots_on_the_books
from slots.store.territory import next_generation
from slots.territory import Territory
from slots.transaction import entered, looking

LEASE: Final = timedelta(seconds=15)  # a rebuilder that is silent for longer is dead
CLOCK_LEEWAY: Final = timedelta(minutes=5)  # Redis decides by its own clock what has ended
MEND: Final = EVENT_OF_VERB["mend"]

log = structlog.get_logger()


async def rebuild_if_lost(desk: Desk, territory: Territory, owner: str, now: datetime) -> int:
    """Rebuild a territory whose scripts would not answer. Each second; see `rebuild`."""
    if await desk.broker.is_trusted(territory):
        return 0
    return await rebuild(desk, territory, owner, now, only_if_lost=True)


async def rebuild(
    desk: Desk, territory: Territory, owner: str, now: datetime, *, only_if_lost: bool = False
) -> int:
    """Bring the whole ledger of a territory under a new generation, in place.

    *owner* names this process, which may start over at once; others wait for LEASE. Holds that
    nothing contradicts survive. Puts of requests meanwhile are kept: the newest version wins.
    With *only_if_lost*, what another process has rebuilt since somebody looked is left alone.
    Returns how many slots were read; 0 too where another process is at it, or where Redis was
    replaced meanwhile: the next second sees.

    Raises:
        BrokerUnavailable, Rebuilding, LedgerUnavailable: Not done; the next second starts over.
    """
    generation = await _begin(desk, territory, owner, only_if_lost=only_if_lost)
    if generation is None:
        return 0
    # Only now: a ledger read before `begin` could lack what a request has put meanwhile.
    async with entered(desk.pool, None, [territory.id]) as conn:
        slots = await slots_on_the_books(conn, territory.id, now - CLOCK_LEEWAY)
    await put_all(desk, territory, slots, MEND, generation=str(generation))
    dropped = await desk.broker.ready(territory, generation, owner)
    if dropped is None:
        log.warning("rebuild.lost", territory=territory.slug, generation=generation)
        return 0
    log.info(
        "rebuild.ready",
        territory=territory.slug,
        generation=generation,
        slots=len(slots),
        dropped=dropped,
    )
    return len(slots)


async def _begin(desk: Desk, territory: Territory, owner: str, *, only_if_lost: bool) -> int | None:
    begin = partial(desk.broker.begin, only_if_lost=only_if_lost)
    async with looking(desk.pool) as conn:
        generation = await next_generation(conn)
    word, found = await begin(territory, generation, owner, LEASE)
    if word == "stale":
        # PostgreSQL was restored to an earlier moment: its sequence lags behind Redis.
        async with looking(desk.pool) as conn:
            generation = await next_generation(conn, at_least=found + 1)
        word, found = await begin(territory, generation, owner, LEASE)
    return generation if word == "begun" else None
