"""PostgreSQL is put back to an earlier moment: Redis, which knows more, follows the ledger."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from slots.booking import offering
from slots.ids import SlotId
from tests.booking.conftest import a_key
from tests.forgetting.kinds import a_directory
from tests.forgetting.service import HEALS_WITHIN_S, in_service
from tests.forgetting.waiting import until
from tests.workers.conftest import OwnServers, settings_of
from tests.world import make_world

pytestmark = [pytest.mark.prove, pytest.mark.timeout(180)]


@pytest.fixture
async def own_servers():
    with a_directory() as directory:
        servers = OwnServers(directory)
        await servers.make()
        yield servers
        servers.stop_all()


@pytest.fixture
async def own_service(own_servers, tmp_path):
    """The whole service on a PostgreSQL and a Valkey of this test alone."""
    settings = settings_of(own_servers, tmp_path)
    conn = await asyncpg.connect(settings.owner_database_url)
    world = await make_world(conn)
    await conn.close()
    async with in_service(world, settings) as running:
        yield running


async def test_a_ledger_restored_to_an_earlier_moment_is_followed(own_servers, own_service, tell):
    service, world = own_service, own_service.world
    files = own_servers.postgres.directory
    kept = await service.offer("ann", hours=5)
    withdrawn = await service.offer("ann", hours=7)
    await service.is_busy()
    await service.load.ends()
    await own_servers.stop("postgres")
    back_up(files)
    await own_servers.start_postgres()

    await until(service.serves)
    promised = dict(service.load.confirmed)
    await service.load.books(world.accounts["rolf"], kept)
    service.load.confirmed = promised  # who restores an earlier moment knows that he loses this
    never_was = await service.load.persists(lambda key: service.offer("bob", hours=9))
    ann, now = world.accounts["ann"], datetime.now(UTC)
    await offering.withdraw(
        service.desk, ann, SlotId(withdrawn.id), a_key(), now, cancel_booked=False
    )
    generation = service.screen.generation(kept.territory)
    held = await service.load.holds(world.accounts["olga"], never_was)

    await own_servers.stop("postgres")
    restore(files)
    await own_servers.start_postgres()
    agreed_s = await service.agrees(HEALS_WITHIN_S)
    tell("the ledger was restored", agreed=agreed_s)

    shown = service.screen.slots[kept.territory]
    assert str(never_was.id) not in shown
    assert await service.has_forgotten(held)
    assert shown[str(kept.id)]["booked"] == 0
    assert shown[str(withdrawn.id)]["status"] == "free"
    assert service.screen.generation(kept.territory) > generation
    await service.load.books(world.accounts["rosa"], kept)
    await service.all_agree()


def back_up(files: Path) -> None:
    """A copy beside, with its owners and modes. The server must be down."""
    subprocess.run(["cp", "-a", files, beside(files)], check=True)


def restore(files: Path) -> None:
    shutil.rmtree(files)
    beside(files).rename(files)


def beside(files: Path) -> Path:
    return files.with_suffix(".backup")
