"""Territories are walls in the database: what the application's role may not see, write or name."""

from datetime import timedelta

import asyncpg
import pytest

from slots.reconcile.chain import chain
from slots.reconcile.copy_holds import copy_holds
from slots.store.push import write_pushes
from slots.transaction import entered
from tests.push_service import Browser, PushService

OUTSIDE_THE_WALLS = {"territory_neighbour", "membership"}  # who lists whom; read by its owner only
NO_RIGHTS = {"account", "membership", "session", "sign_in_failure", "workstation"}


@pytest.fixture
async def both(desk, offer, book, world, now, owner):
    """A booking here, which ann's phone is to be told of, and a slot there; both audited."""
    phone = Browser(PushService(origin="https://fcm.googleapis.com"))
    await phone.subscribes(desk, world.accounts["ann"], now)
    here, there = await offer(), await offer("carl", after=timedelta(hours=3))
    booked = await book(world.accounts["rolf"], here)
    async with entered(desk.pool, None, [world.hauts]) as conn:
        await write_pushes(conn, now, remind_until=now, booked_until=now)
        await conn.execute(
            "INSERT INTO admission (id, territory_id, rpps, name, email, organisation, asked_at)"
            " VALUES (gen_random_uuid(), 1, '10000000001', 'Zoé Blanc', 'z@example.fr', 'Lilas', now())"
        )
    for territory in desk.territories.by_id.values():
        await chain(desk, territory.id)
        await copy_holds(desk, territory, None)
    await owner.execute(
        "INSERT INTO audit_anchor (territory_id, position, hash, retired_at, signature)"
        " VALUES (1, 0, sha256(''), now(), '')"
    )
    await owner.execute(
        "INSERT INTO patient_contact (appointment_id, territory_id, sealed, written_at, purge_at)"
        " VALUES ($1, 1, '', now(), now())",
        booked.id,
    )
    return booked, there


async def tables_with(owner, column):
    rows = await owner.fetch(
        "SELECT table_name FROM information_schema.columns JOIN pg_tables ON tablename = table_name"
        " WHERE table_schema = 'public' AND column_name = $1",
        column,
    )
    return {row["table_name"] for row in rows}


async def seen_of_hauts(desk, world, tables, entering):
    """As the service; and as rolf, who has booked, for a patient's contact is not even the service's."""
    seen = dict.fromkeys(sorted(tables), 0)
    for account_id in (None, world.accounts["rolf"].id):
        async with entered(desk.pool, account_id, entering) as conn:
            for table in seen:
                seen[table] += await conn.fetchval(
                    f"SELECT count(*) FROM {table} WHERE territory_id = $1", world.hauts
                )
    return seen


async def test_whoever_is_in_one_territory_sees_no_row_of_another(desk, world, owner, both):
    walled = await tables_with(owner, "territory_id") - OUTSIDE_THE_WALLS

    assert set((await seen_of_hauts(desk, world, walled, [world.thau])).values()) == {0}
    assert set((await seen_of_hauts(desk, world, walled, [])).values()) == {0}
    inside = await seen_of_hauts(desk, world, walled, [world.hauts])
    assert {table for table, count in inside.items() if not count} == {"unmet_search"}


async def test_control_without_its_policy_a_table_shows_the_rows_of_all(desk, world, owner, both):
    await owner.execute("ALTER TABLE appointment DISABLE ROW LEVEL SECURITY")

    seen = await seen_of_hauts(desk, world, {"appointment"}, [world.thau])

    assert seen == {"appointment": 2}  # by the service, and by rolf


@pytest.mark.parametrize(
    ("write", "refusal"),
    [
        # Into the other territory.
        ("UPDATE slot SET territory_id = 1 WHERE id = $2", asyncpg.InsufficientPrivilegeError),
        (
            "INSERT INTO hold_end (hold_id, territory_id) SELECT $3, 1 WHERE $1 <> $2",
            asyncpg.InsufficientPrivilegeError,
        ),
        # Out of one's own, naming what is in the other: foreign keys look over the walls.
        (
            "INSERT INTO outbox (territory_id, slot_id, version, verb) SELECT 2, $1, 1, 'offer' WHERE $2 <> $3",
            asyncpg.ForeignKeyViolationError,
        ),
        (
            "UPDATE slot SET schedule_id = $3 WHERE id = $2 AND id <> $1",
            asyncpg.ForeignKeyViolationError,
        ),
    ],
)
async def test_nobody_writes_through_a_wall(desk, world, both, write, refusal):
    booked, there = both

    with pytest.raises(refusal):
        async with entered(desk.pool, None, [world.thau]) as conn:
            await conn.execute(
                f"WITH given AS (SELECT $1::uuid, $2::uuid, $3::uuid) {write}",
                booked.slot_id,
                there.id,
                booked.schedule_id,
            )


async def test_behind_the_wall_of_the_territory_a_contact_has_one_of_its_persons(desk, world, both):
    for name, count in {"rolf": 1, "ann": 1, "bob": 0, "cora": 0, None: 0}.items():
        account_id = world.accounts[name].id if name else None
        async with entered(desk.pool, account_id, [world.hauts]) as conn:
            assert await conn.fetchval("SELECT count(*) FROM patient_contact") == count, name


async def test_a_key_is_only_its_accounts_in_the_ledger_too(desk, world, both):
    async with entered(desk.pool, world.accounts["rosa"].id, [world.hauts]) as conn:
        assert await conn.fetchval("SELECT count(*) FROM idempotency_key") == 0
    async with entered(desk.pool, world.accounts["rolf"].id, [world.hauts]) as conn:
        assert await conn.fetchval("SELECT count(*) FROM idempotency_key") == 1


@pytest.mark.parametrize("table", sorted(NO_RIGHTS))
async def test_accounts_and_sessions_are_behind_narrow_doors(desk, world, table):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with entered(desk.pool, None, [world.hauts, world.thau]) as conn:
            await conn.fetch(f"SELECT * FROM {table}")


@pytest.mark.parametrize("table", ["appointment", "slot", "hold_end", "audit"])
async def test_what_has_happened_cannot_be_deleted(desk, world, both, table):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with entered(desk.pool, None, [world.hauts, world.thau]) as conn:
            await conn.execute(f"DELETE FROM {table}")


async def test_no_door_can_be_tricked_by_another_search_path_or_opened_by_anybody(owner):
    doors = await owner.fetch(
        "SELECT proname, proconfig, has_function_privilege('public', oid, 'EXECUTE') AS is_open"
        " FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )

    assert doors
    for door in doors:
        # pg_temp last: else a temporary table could stand in for a real one.
        assert door["proconfig"] == ["search_path=public, pg_temp"], door["proname"]
        assert not door["is_open"], door["proname"]


# Reference data without persons, and what only says which migrations ran.
WITHOUT_WALLS = {"commune", "territory", "territory_neighbour", "organisation", "migration"}


async def test_every_table_has_a_wall_or_a_reason_to_have_none(owner):
    rows = await owner.fetch(
        "SELECT relname, relrowsecurity FROM pg_class"
        " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )

    open_ones = {row["relname"] for row in rows if not row["relrowsecurity"]}
    assert open_ones == WITHOUT_WALLS


async def test_what_has_a_wall_and_no_policy_is_for_the_doors_alone(owner, desk, world):
    """Row level security without a policy shows nothing; the application may not even ask."""
    rows = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity"
        " AND relnamespace = 'public'::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)"
    )

    tables = {row["relname"] for row in rows}
    assert tables > NO_RIGHTS
    for table in tables:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with entered(desk.pool, None, [world.hauts, world.thau]) as conn:
                await conn.fetch(f"SELECT * FROM {table}")
