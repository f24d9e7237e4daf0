from datetime import timedelta

from slots.reconcile.forget import KEYS_FOR, SESSIONS_FOR, forget
from slots.store.session import open_session
from slots.transaction import looking

A_MOMENT = timedelta(minutes=1)


async def test_keys_are_forgotten_when_nobody_repeats_any_more(desk, offer, owner, now):
    await offer()

    assert await forget(desk, now) == 0
    assert await forget(desk, now + KEYS_FOR + A_MOMENT) == 1

    assert await owner.fetchval("SELECT count(*) FROM idempotency_key") == 0


async def test_sessions_are_forgotten_after_their_end(desk, world, owner, now):
    async with looking(desk.pool) as conn:
        await open_session(conn, b"one", world.accounts["ann"].id, now)
        await open_session(conn, b"two", world.accounts["ann"].id, now)
    await owner.execute("UPDATE session SET ended_at = $1 WHERE id_hash = 'one'", now)

    assert await forget(desk, now + SESSIONS_FOR + A_MOMENT) == 1

    assert await owner.fetchval("SELECT count(*) FROM session") == 1
