"""What redis-py does not know of uvloop: a lost connection has one name, wherever it is lost."""

import asyncio

import pytest
import uvloop
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import SentinelManagedConnection
from redis.exceptions import ConnectionError  # noqa: A004

from slots import redis_url


async def test_a_connection_that_closed_a_moment_ago_is_a_lost_one(servers):
    async def ask_on_what_is_closed() -> BaseException | None:
        client = redis_url.connect(servers.valkey.url)
        connection = await client.connection_pool.get_connection()
        connection._writer.transport.abort()
        [lost] = await asyncio.gather(connection.send_command("PING"), return_exceptions=True)
        await client.connection_pool.release(connection)
        await client.aclose()
        return lost

    lost = await asyncio.to_thread(uvloop.run, ask_on_what_is_closed())

    assert isinstance(lost, ConnectionError), repr(lost)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("rediss://127.0.0.1", SSLConnection),
        ("unix:///tmp/valkey.sock", UnixDomainSocketConnection),
        ("redis+sentinel://127.0.0.1/chrono", SentinelManagedConnection),
    ],
)
def test_so_it_is_for_every_scheme(url, kind):
    pool = redis_url.connect(url).connection_pool

    assert issubclass(pool.connection_class, kind)
    assert issubclass(pool.connection_class, redis_url.SaysWhatItLost)
