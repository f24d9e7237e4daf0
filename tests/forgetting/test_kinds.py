"""The suites run on what they say: Redis itself, and a Cluster whose territories live apart."""

from redis.crc import key_slot

from tests.forgetting.cluster import PRIMARIES, slots_of
from tests.forgetting.kinds import pytest_generate_tests
from tests.world import PARTITIONS

__all__ = ["pytest_generate_tests"]

OLDEST_REDIS = (7, 0)


async def test_the_server_is_of_its_kind(redis_kind: str, redis_url: str, redis_client):
    about = await redis_client.info()
    of_one_node = about if "redis_version" in about else next(iter(about.values()))
    version = tuple(map(int, of_one_node["redis_version"].split(".")[:2]))

    assert version >= OLDEST_REDIS
    assert ("valkey_version" in of_one_node) == (redis_kind != "redis")
    assert bool(of_one_node["cluster_enabled"]) == (redis_kind == "cluster")


def test_on_a_cluster_the_two_territories_live_on_two_primaries():
    primaries = {
        number
        for number in range(PRIMARIES)
        for partition in PARTITIONS.values()
        if slots_of(number)[0] <= key_slot(f"p{partition}".encode()) <= slots_of(number)[1]
    }

    assert len(primaries) == len(PARTITIONS)
