"""Migrations: forward only, each once, and together they are sql/schema.sql."""

import asyncio
import os
import subprocess

import asyncpg
import pytest

from slots import queries
from slots.migration import (
    APP_ROLE,
    MIGRATIONS_DIRECTORY,
    Migration,
    MigrationFault,
    load,
    migrate,
    pending,
)
from tests.conftest import at_database
from workers.embedded.postgres import OWNER_ROLE, binary

ONE, TWO, THREE = (Migration(f"000{number}_x", f"SELECT {number}") for number in (1, 2, 3))


@pytest.fixture
async def empty_owner_url(servers):
    """A database with nothing in it, as its owner."""
    name = f"empty_{os.getpid()}"
    conn = await asyncpg.connect(servers.postgres.superuser_url)
    await conn.execute(f"CREATE DATABASE {name} TEMPLATE template0 OWNER {OWNER_ROLE}")
    yield at_database(servers.postgres.owner_url, name)
    await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await conn.close()


def dump(url):
    """The schema that PostgreSQL has, as text, without what differs from run to run."""
    made = subprocess.run(
        [binary("pg_dump"), "--schema-only", "--exclude-table=migration", url],
        capture_output=True,
        text=True,
        check=True,
    )
    # \restrict carries a random word.
    return [line for line in made.stdout.splitlines() if not line.startswith("\\")]


async def test_all_migrations_together_are_the_schema(owner_url, empty_owner_url):
    conn = await asyncpg.connect(empty_owner_url)
    await conn.execute((queries.SQL_DIRECTORY / "schema.sql").read_text())
    await conn.close()

    assert dump(owner_url) == dump(empty_owner_url)


async def test_migrating_twice_changes_nothing(empty_owner_url):
    first = await migrate(empty_owner_url, APP_ROLE, None)
    again = await migrate(empty_owner_url, APP_ROLE, None)

    assert first == [migration.name for migration in load(MIGRATIONS_DIRECTORY)]
    assert again == []


async def test_two_who_migrate_at_once_take_turns(empty_owner_url):
    both = await asyncio.gather(
        migrate(empty_owner_url, APP_ROLE, None), migrate(empty_owner_url, APP_ROLE, None)
    )

    assert sorted(map(len, both)) == [0, len(load(MIGRATIONS_DIRECTORY))]


async def test_who_looks_meanwhile_sees_nothing_between_the_old_schema_and_the_new(empty_owner_url):
    """A worker that starts during a migration must not find half of the tables that it needs."""
    looking = await asyncpg.connect(empty_owner_url)
    seen = set()
    migrating = asyncio.create_task(migrate(empty_owner_url, APP_ROLE, None))
    while not migrating.done():
        seen.add(await looking.fetchval("SELECT count(*) FROM pg_class WHERE relname = 'session'"))
        # In one look at the catalogue: `to_regclass` may answer from a cache that is just being told.
        tables = "SELECT count(*) FROM pg_class WHERE relname IN ('session', 'workstation')"
        assert await looking.fetchval(tables) in (0, 2)
    await looking.close()

    assert 0 in seen


async def test_the_role_of_the_application_owns_nothing_and_has_no_power(owner):
    row = await owner.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin,"
        " EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid) AS owns"
        " FROM pg_roles WHERE rolname = $1",
        APP_ROLE,
    )

    assert dict(row) == {
        "rolsuper": False,
        "rolbypassrls": False,
        "rolcreaterole": False,
        "rolcreatedb": False,
        "rolcanlogin": True,
        "owns": False,
    }


def test_what_is_missing_is_applied_in_order():
    assert pending([ONE, TWO, THREE], {ONE.name: ONE.checksum}) == [TWO, THREE]


@pytest.mark.parametrize(
    ("applied", "fault"),
    [
        ({ONE.name: "another"}, "was changed"),
        ({"0009_gone": ONE.checksum}, "does not have it"),
        ({TWO.name: TWO.checksum}, "comes before"),
    ],
)
def test_a_past_that_disagrees_is_refused(applied, fault):
    with pytest.raises(MigrationFault, match=fault):
        pending([ONE, TWO, THREE], applied)


@pytest.mark.parametrize("names", [["0002_b.sql"], ["0001_A.sql"], ["1_a.sql"], ["a.sql"]])
def test_a_file_name_out_of_order_is_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()

    with pytest.raises(MigrationFault, match="should be named 0001"):
        load(tmp_path)
