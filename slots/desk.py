"""The desk: what every use case needs at hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from slots.broker import Broker
from slots.clock import MACHINES_CLOCK, Clock
from slots.database import Pool, create_pool
from slots.ids import TerritoryId, territory_of
from slots.sealing import Sealer
from slots.settings import Settings
from slots.store import territory as store
from slots.store.idempotency import BeforeConfirm, Intent, before_confirms
from slots.territory import Territories, Territory
from slots.together import Together
from slots.transaction import looking

LOOK_EVERY_S: Final = 2.9  # how late a process knows what a coordinator has set elsewhere


@dataclass(frozen=True, slots=True)
class Desk:
    """The ledger's connections, the broker, the territories, and how far ahead boards look.

    *horizon*: of territories that have set none. *before_confirm*: what the ledger knows before a hold
    is sealed; a crowd asks in one statement. *sealer*: for what is secret at rest.
    """

    pool: Pool
    broker: Broker
    territories: Territories
    horizon: timedelta
    before_confirm: Together[Intent, BeforeConfirm]
    sealer: Sealer
    clock: Clock = MACHINES_CLOCK

    def territory(self, identifier: UUID) -> Territory | None:
        """The territory that a slot's, hold's or appointment's id carries, if it is one of ours."""
        number = territory_of(identifier)
        return self._by_id.get(number) if number else None

    def horizon_in(self, territory_ids: Iterable[TerritoryId]) -> timedelta:
        """How far ahead a board of these territories looks: as far as the farthest of them."""
        known = [self._by_id[number] for number in territory_ids if number in self._by_id]
        return max((one.horizon(self.horizon) for one in known), default=self.horizon)

    @property
    def _by_id(self) -> Mapping[TerritoryId, Territory]:
        return self.territories.by_id


async def open_desk(settings: Settings, clock: Clock = MACHINES_CLOCK) -> Desk:
    """Connect to both servers. The database must be up; Redis need not.

    Raises:
        LedgerUnavailable: The territories cannot be read.
    """
    pool = await create_pool(settings)
    async with looking(pool) as conn:
        territories = Territories(await store.territories(conn))

    async def ask_before_confirm(intents: Sequence[Intent]) -> Sequence[BeforeConfirm]:
        async with looking(pool) as conn:
            return await before_confirms(conn, intents)

    return Desk(
        pool=pool,
        broker=Broker.connect(settings.redis_url, clock),
        territories=territories,
        horizon=timedelta(hours=settings.horizon_hours),
        before_confirm=Together(ask_before_confirm),
        sealer=Sealer.of(settings.secret_keys),
        clock=clock,
    )


async def look_for_territories(desk: Desk) -> int:
    """Know territories that were added or changed since. Returns how many are new.

    Each process does, every LOOK_EVERY_S; the one that changed something at once.

    Raises:
        LedgerUnavailable: They cannot be read; those known before stay.
    """
    async with looking(desk.pool) as conn:
        return desk.territories.renew(await store.territories(conn))


async def close_desk(desk: Desk) -> None:
    """End all connections."""
    await desk.broker.close()
    await desk.pool.close()
