"""A Cluster that dies, is flushed, or is put back to an older file, while people book."""

import pytest

from tests.forgetting.cluster import serves
from tests.forgetting.service import HEALS_WITHIN_S, PROFESSIONALS
from tests.forgetting.waiting import until
from tests.world import HAUTS, PARTITIONS, SLUGS

pytestmark = [pytest.mark.prove, pytest.mark.timeout(180)]

TRIES = 3  # until the worker's patience is at its longest


async def test_all_primaries_die_and_come_back(redis_servers, service, tell):
    slots = [service.load.slots[PROFESSIONALS.index(who)] for who in ("ann", "carl")]
    await service.is_busy()
    generations = {slot.territory: service.screen.generation(slot.territory) for slot in slots}
    for node in redis_servers.primaries:
        node.kill()
    meanwhile = await service.offer("ann", hours=5)
    await until(lambda: service.has_failed("rebuild", TRIES))

    for node in redis_servers.primaries:
        node.start()
    back_s = 0.0
    for node in redis_servers.primaries:
        await node.ready()
        back_s += await until(lambda node=node: serves(node))
    for slot in slots:
        healed = await service.heals(slot, generations[slot.territory])
        tell("all primaries came back", back=back_s, **healed)
        assert max(healed.values()) < HEALS_WITHIN_S

    service.load.slots.append(meanwhile)
    await service.is_busy()
    await service.all_agree()


async def test_it_is_flushed(redis_servers, service, tell):
    slot = service.load.slots[0]
    await service.is_busy()
    generation = service.screen.generation(slot.territory)
    held = await service.load.holds(service.world.accounts["olga"], slot)

    for node in redis_servers.primaries:
        await node.ask("FLUSHALL")
    healed = await service.heals(slot, generation)
    tell("flushed", **healed)

    assert max(healed.values()) < HEALS_WITHIN_S
    assert await service.has_forgotten(held)
    await service.is_busy()
    await service.all_agree()


async def test_it_is_rolled_back_to_an_older_file(redis_servers, service, tell):
    primary, replica = redis_servers.keeps(PARTITIONS[HAUTS])
    slot = service.load.slots[0]
    await service.is_busy()
    for node in (primary, replica):
        node.keep_a_copy()
    held = await service.load.holds(service.world.accounts["olga"], slot)
    await service.is_busy()
    generation = service.screen.generation(SLUGS[HAUTS])

    for node in (primary, replica):
        node.kill()
        node.roll_back()
        node.start()
    await primary.ready()
    back_s = await until(lambda: serves(primary))
    healed = await service.heals(slot, generation)
    tell("rolled back", back=back_s, **healed)

    assert max(healed.values()) < HEALS_WITHIN_S
    assert await service.has_forgotten(held)
    await service.is_busy()
    await service.all_agree()
