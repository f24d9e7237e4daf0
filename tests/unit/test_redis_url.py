"""One server, Sentinel or Cluster, by the scheme; and the client repeats nothing by itself."""

import pytest
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from slots import redis_url


@pytest.mark.parametrize(
    "url", ["redis://:word@127.0.0.1:6379/0", "rediss://127.0.0.1", "unix:///tmp/valkey.sock"]
)
def test_one_server(url):
    assert isinstance(redis_url.connect(url), Redis)


def test_a_primary_that_sentinels_know():
    client = redis_url.connect("redis+sentinel://:word@10.0.0.1,10.0.0.2:26380/chrono")

    manager = client.connection_pool.sentinel_manager
    asked = [
        (
            one.connection_pool.connection_kwargs["host"],
            one.connection_pool.connection_kwargs["port"],
        )
        for one in manager.sentinels
    ]
    assert asked == [("10.0.0.1", 26379), ("10.0.0.2", 26380)]
    assert client.connection_pool.service_name == "chrono"
    assert client.connection_pool.connection_kwargs["password"] == "word"


async def test_a_cluster_whose_commands_are_sent_once():
    client = redis_url.connect("redis+cluster://10.0.0.1,10.0.0.2:7001")

    assert isinstance(client, RedisCluster)
    assert client.cluster_error_retry_attempts == 0
    assert {node.name for node in client.nodes_manager.startup_nodes.values()} == {
        *("10.0.0.1:6379", "10.0.0.2:7001"),
    }


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "127.0.0.1:6379", "", "redis+sentinel://10.0.0.1"]
)
def test_what_is_no_redis_url_is_refused(url):
    with pytest.raises(ValueError):
        redis_url.connect(url)


def test_every_server_is_given_up_on_in_time():
    connection = redis_url.connect("redis://127.0.0.1").connection_pool.connection_kwargs

    assert connection["socket_timeout"] == redis_url.ANSWER_TIMEOUT_S
    assert connection["socket_connect_timeout"] == redis_url.CONNECT_TIMEOUT_S
    assert not connection.get("retry_on_timeout")
