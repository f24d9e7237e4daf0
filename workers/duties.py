"""What a worker does, and how often. The periods are a little odd, so that they do not march in step.

The work itself is in slots/reconcile and is tested there; here it is spread over the territories.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from slots.desk import LOOK_EVERY_S, Desk, look_for_territories
from slots.errors import BrokerUnavailable, Rebuilding
from slots.ids import INSTALLATION
from slots.reconcile.chain import chain
from slots.reconcile.copy_holds import copied_places, copy_holds
from slots.reconcile.mend import identity, mend
from slots.reconcile.purge import purge
from slots.reconcile.rebuild import rebuild_if_lost
from slots.reconcile.relay import relay
from slots.reconcile.revoke import revoke
from slots.reconcile.sweep import sweep
from slots.territory import Territory
from workers.courier import Courier
from workers.heads import keep_heads
from workers.loops import Loop
from workers.mails import send_mails
from workers.pushes import send_pushes
from workers.workshop import Workshop

SWEEP_EVERY_S: Final = 1.0
RELAY_EVERY_S: Final = 1.0
REBUILD_EVERY_S: Final = 1.0
REVOKE_EVERY_S: Final = 5.0
LEDGER_EVERY_S: Final = 1.0
MAILS_EVERY_S: Final = 7.0
PUSHES_EVERY_S: Final = 2.3
MEND_EVERY_S: Final = 61.0
CHAIN_EVERY_S: Final = 5.3
COPY_EVERY_S: Final = 5.9
PURGE_EVERY_S: Final = 29.0
HEADS_EVERY_S: Final = 600.0
TERRITORIES_AT_ONCE: Final = 2  # of one duty: a relay takes two of the pool's connections

log = structlog.get_logger()


def duties(workshop: Workshop) -> list[Loop]:
    """Every loop of a worker."""

    async def sweep_all() -> int:
        return await in_each_territory(workshop, lambda it: sweep(workshop.desk, it))

    async def relay_all() -> int:
        count = await in_each_territory(
            workshop, lambda it: relay(workshop.desk, it, datetime.now(UTC))
        )
        # Whoever changed a slot may have written to somebody about it.
        if count and workshop.queue:
            with contextlib.suppress(BrokerUnavailable):
                await workshop.queue.hurry_mails()
        return count

    async def revoke_all() -> int:
        return await in_each_territory(workshop, lambda it: revoke(workshop.desk, it))

    async def rebuild_all() -> int:
        return await in_each_territory(
            workshop,
            lambda it: rebuild_if_lost(workshop.desk, it, workshop.name, datetime.now(UTC)),
        )

    async def mend_all() -> int:
        return await in_each_territory(
            workshop, lambda it: mend(workshop.desk, it, workshop.name, datetime.now(UTC))
        )

    async def purge_all() -> int:
        return await purge(workshop.desk, workshop.desk.clock.now())

    ledger = ""

    async def mend_if_another_ledger() -> int:
        nonlocal ledger
        found = await identity(workshop.desk)
        if ledger and found != ledger:
            log.warning("ledger.another", ledger=found)
            await mend_all()
        ledger = found
        return 0

    async def mail_all() -> int:
        return await send_mails(workshop.desk, workshop.post, datetime.now(UTC))

    async def look_for_territories_again() -> int:
        return await look_for_territories(workshop.desk)

    return [
        # The sooner the better: nobody can hold a seat meanwhile.
        Loop("rebuild", REBUILD_EVERY_S, rebuild_all, patience_s=REBUILD_EVERY_S),
        Loop("sweep", SWEEP_EVERY_S, sweep_all),
        Loop("relay", RELAY_EVERY_S, relay_all),
        Loop("revoke", REVOKE_EVERY_S, revoke_all),
        Loop("mend", MEND_EVERY_S, mend_all),
        Loop("purge", PURGE_EVERY_S, purge_all),
        Loop("another-ledger", LEDGER_EVERY_S, mend_if_another_ledger),
        Loop("mails", MAILS_EVERY_S, mail_all),
        *_pushing(workshop.desk, workshop.courier),
        *_auditing(workshop),
        *_keeping_heads(workshop),
        Loop("territories", LOOK_EVERY_S, look_for_territories_again),
    ]


def _auditing(workshop: Workshop) -> list[Loop]:
    """Who held what, from the log; and a link for every row."""

    async def chain_all() -> int:
        count = await in_each_territory(workshop, lambda it: chain(workshop.desk, it.id))
        return count + await chain(workshop.desk, INSTALLATION)

    async def copy_all() -> int:
        places = await copied_places(workshop.desk, workshop.desk.territories.by_id)
        return await in_each_territory(
            workshop, lambda it: copy_holds(workshop.desk, it, places.get(it.id))
        )

    return [Loop("copy", COPY_EVERY_S, copy_all), Loop("chain", CHAIN_EVERY_S, chain_all)]


def _keeping_heads(workshop: Workshop) -> list[Loop]:
    """No loop where there is no place for them."""
    heads = workshop.heads
    if heads is None:
        return []

    async def keep() -> int:
        return await keep_heads(workshop.desk, heads, datetime.now(UTC), workshop.public_keys)

    return [Loop("heads", HEADS_EVERY_S, keep)]


def _pushing(desk: Desk, courier: Courier | None) -> list[Loop]:
    """No loop without a key to push with."""
    if courier is None:
        return []

    async def push_all() -> int:
        return await send_pushes(desk, courier, datetime.now(UTC))

    return [Loop("pushes", PUSHES_EVERY_S, push_all)]


async def in_each_territory(workshop: Workshop, act: Callable[[Territory], Awaitable[int]]) -> int:
    """Do *act* in every territory, whatever fails in another. Returns the sum.

    A territory that is being rebuilt is left alone: the rebuild reads the whole ledger.

    Raises:
        Exception: What failed first, after all had their turn.
    """
    gate = asyncio.Semaphore(TERRITORIES_AT_ONCE)

    async def act_in(territory: Territory) -> int:
        async with gate:
            try:
                return await act(territory)
            except Rebuilding:
                return 0

    territories = workshop.desk.territories.by_id.values()
    outcomes = await asyncio.gather(*map(act_in, territories), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return sum(outcome for outcome in outcomes if isinstance(outcome, int))
