"""A thousand territories in one installation: what a worker's round and a probe cost, measured."""

import time

import pytest

from slots.desk import close_desk, open_desk
from workers.duties import duties
from workers.post import post_of
from workers.workshop import Workshop

pytestmark = pytest.mark.prove

TERRITORIES = 1_000
PARTITIONS = 16
ROUND_MAX_S = 30.0  # of one duty in all territories; generous: the figure is printed


@pytest.fixture
async def workshop(world, owner, settings):
    await owner.execute(
        "INSERT INTO territory (id, slug, name, department, partition_id)"
        " SELECT number, 'territory-' || number, 'T', '34', number % $2"
        " FROM generate_series(100, 99 + $1::integer) AS number",
        TERRITORIES,
        PARTITIONS,
    )
    desk = await open_desk(settings)
    yield Workshop(desk, post_of(settings), None)
    await close_desk(desk)


async def test_a_worker_serves_a_thousand_territories(workshop, settings, capsys):
    rounds_s: dict[str, float] = {}
    for turn in ("first", "quiet"):
        for loop in duties(workshop):
            began_at = time.monotonic()
            await loop.do()
            rounds_s[f"{turn} {loop.name}"] = time.monotonic() - began_at

    numbers = workshop.desk.territories.by_id
    positions = [await workshop.desk.broker.position(it) for it in numbers.values()]
    assert None not in positions
    assert max(rounds_s.values()) < ROUND_MAX_S
    with capsys.disabled():
        print(f"\n{len(positions)} territories, one worker, seconds a round:")
        print("  " + ", ".join(f"{name} {spent_s:.2f}" for name, spent_s in rounds_s.items()))
