"""Bookings of days that are over: written into the ledger, since nobody can make them any more."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from slots.ids import RANDOM_TAIL_BITS, VARIANT, VERSION, TerritoryId, first_id_at
from tests.world import World

INSERT = """
INSERT INTO appointment (id, territory_id, schedule_id, reference, origin, reason, urgency, starts_at,
                         booked_by_account_id, booked_by_organisation_id, booked_by_name,
                         booked_by_organisation, booked_by_phone, booked_at, status)
VALUES ($1, $2, $3, $4, $5, 'other', 'today', $6, $7, $8, 'Somebody', 'Somewhere', '0400000000', $6, $9)
"""
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def made_at(instant: datetime, territory_id: TerritoryId) -> UUID:
    """An id as slots/ids.py makes them, of another time."""
    value = first_id_at(instant).int | VERSION << 76 | VARIANT << 62
    return UUID(int=value | territory_id << RANDOM_TAIL_BITS | secrets.randbits(RANDOM_TAIL_BITS))


async def write_bookings(
    owner_url: str,
    world: World,
    starts_at: datetime,
    *,
    count: int = 1,
    by: str = "rolf",
    of: str = "ann",
    origin: str = "referrer",
    status: str = "booked",
) -> None:
    """*count* overflow appointments of *of*, booked by *by* an hour before."""
    account = world.accounts[by]
    owner = await asyncpg.connect(owner_url)
    try:
        for _ in range(count):
            await owner.execute(
                INSERT,
                made_at(starts_at - timedelta(hours=1), world.hauts),
                world.hauts,
                world.schedules[of],
                "".join(secrets.choice(LETTERS) for _ in range(6)),
                origin,
                starts_at,
                account.id,
                account.organisation_id,
                status,
            )
    finally:
        await owner.close()
