"""More partitions: a new territory takes any; an old one moves while nothing runs."""

import pytest

from tests.live.viewer import HAUTS, Viewer
from tests.scale.service import CHOICE, Fleet, Person

OTHER_PARTITION = 5


async def restarted(fleet: Fleet) -> Fleet:
    again = Fleet(fleet.settings, fleet.directory)
    again.start_web()
    again.start_worker()
    await again.ready()
    return again


@pytest.mark.prove
async def test_a_territory_moves_to_another_partition_while_nothing_runs(
    world, fleet, owner, redis_client
):
    fleet.start_web()
    fleet.start_worker()
    await fleet.ready()
    ann = await Person(fleet.urls[0], world, "ann").signs_in()
    rolf = await Person(fleet.urls[0], world, "rolf").signs_in()
    booked, free = await ann.offers(), await ann.offers(hours=3)
    held = await rolf.holds(booked)
    path = f"/api/v1/holds/{held['id']}/confirm"
    assert (await rolf.command("POST", path, CHOICE)).status_code == 201
    before = (await rolf.get("/api/v1/slots")).json()
    fleet.stop()
    old_tag = await owner.fetchval("SELECT partition_id FROM territory WHERE id = $1", world.hauts)
    await owner.execute(
        "UPDATE territory SET partition_id = $2 WHERE id = $1", world.hauts, OTHER_PARTITION
    )
    await redis_client.unlink(
        *[key async for key in redis_client.scan_iter(f"{{p{old_tag}}}:{world.hauts}:*")]
    )

    moved = await restarted(fleet)
    try:
        rolf.base_url = moved.urls[0]
        after = (await rolf.get("/api/v1/slots")).json()
        viewer = Viewer(moved.urls[0], world, "rolf")
        viewer.http.cookies = rolf.cookies
        await viewer.opens()
        assert (await viewer.next())["t"] == "hello"
        await viewer.subscribes(HAUTS, after={HAUTS: before["at"][HAUTS]})
        first = await viewer.next()
        assert await rolf.holds(free)
        event = await viewer.next()
        await viewer.leaves()
    finally:
        moved.stop()
        await ann.aclose()
        await rolf.aclose()

    def without_ages(slots: list[dict]) -> dict:
        return {slot["id"]: (slot["status"], slot["booked"]) for slot in slots}

    assert without_ages(after["slots"]) == without_ages(before["slots"])
    assert (after["source"], first["t"], event["prev"]) == ("broker", "snapshot", first["at"])
    tags = {key.split(b":")[0] async for key in redis_client.scan_iter("{p*")}
    assert b"{p%d}" % OTHER_PARTITION in tags
    assert b"{p%d}" % old_tag not in tags
