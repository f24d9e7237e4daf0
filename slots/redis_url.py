"""Connects to Redis or Valkey: one server, Sentinel or Cluster, by the scheme of the URL.

The client never repeats a command by itself: a hold whose answer was lost is repeated by whoever
asked, under the same idempotency key.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.exceptions import ConnectionError, RedisClusterException, RedisError  # noqa: A004

CONNECT_TIMEOUT_S: Final = 1.0
ANSWER_TIMEOUT_S: Final = 2.0  # a frozen server must not hang a request
CONNECTIONS_MAX: Final = 64  # a process
WITHIN_S: Final = 2.5  # a whole question: waiting for a connection, connecting, the answer
SENTINEL_PORT: Final = 26379
CLUSTER_PORT: Final = 6379
LOOK_EVERY_S: Final = 1.0  # for another primary, at the Sentinels

# What a server that is dead, frozen, unreachable or not in its right mind looks like.
UNAVAILABLE: Final = (RedisError, RedisClusterException, OSError)  # TimeoutError is an OSError


class Cluster(RedisCluster):
    """A cluster's client that finds its way back: redis-py forgets each node that fails."""

    def __init__(self, addresses: list[tuple[str, int]], **options: Any) -> None:
        """Begin at *addresses*, and again whenever the way is lost."""
        self._addresses = addresses
        nodes = [ClusterNode(host, port) for host, port in addresses]
        super().__init__(startup_nodes=nodes, **options)

    async def initialize(self) -> "Cluster":
        """Look for the nodes, the first addresses included."""
        if self._initialize:
            known = self.nodes_manager.startup_nodes
            for host, port in self._addresses:
                node = ClusterNode(host, port, **self.connection_kwargs)
                known.setdefault(node.name, node)
        await super().initialize()
        return self

    async def execute_command(self, *words: Any, **options: Any) -> Any:
        """One command, once.

        Raises:
            ConnectionError: Another task found a node gone and closed every connection, this one
                too: redis-py then falls over what is no longer there.
        """
        try:
            return await super().execute_command(*words, **options)
        except (AttributeError, LookupError, RuntimeError) as error:
            raise ConnectionError("closed while it was used") from error


class OfSentinels(Redis):
    """A client of whom the Sentinels call the primary. Its end is that of its lines to them too,
    which redis-py leaves open.
    """

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """End all connections."""
        await super().aclose(close_connection_pool)
        pool = self.connection_pool
        assert isinstance(pool, PoolOfSentinels)
        for sentinel in pool.sentinel_manager.sentinels:
            await sentinel.aclose()


class Sentinels(Sentinel):
    """Asked by one task at a time. redis-py puts whoever answered in front, and where two tasks do
    so at once it loses another Sentinel for good, with its open lines.
    """

    def __init__(self, addresses: list[tuple[str, int]], **options: Any) -> None:
        """*addresses* of all of them."""
        super().__init__(addresses, **options)  # type: ignore[no-untyped-call]
        for sentinel in self.sentinels:
            _saying_what_it_lost(sentinel)
        self._asking = asyncio.Lock()

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Where the primary is now, as the first of them says that answers."""
        async with self._asking:
            host, port = await super().discover_master(service_name)
            return host, port


class PoolOfSentinels(SentinelConnectionPool, BlockingConnectionPool):
    """Finds the primary as the one does, and waits for a free connection as the other.

    A primary that was frozen, deposed and thawed believes for seconds that it leads, and what it
    acknowledges is lost: a connection that was open to it is used for LOOK_EVERY_S at most.
    """

    _looked_at_s = float("-inf")

    async def ensure_connection(self, connection: Any) -> None:
        """Make sure that *connection* leads to whom the Sentinels call the primary now."""
        now_s = time.monotonic()
        if now_s - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s = now_s
            with suppress(*UNAVAILABLE):  # no Sentinel answers: it may lead still
                await self.get_master_address()  # type: ignore[no-untyped-call]
        if (connection.host, connection.port) != self.master_address:
            await connection.disconnect()
        await super().ensure_connection(connection)


class SaysWhatItLost:
    """Beside a connection of redis-py: what uvloop says of a transport that closed a moment ago,
    and of which redis-py has not yet heard, is a lost connection as any other.
    """

    async def _send_packed_command(self, command: Any) -> None:
        try:
            await super()._send_packed_command(command)  # type: ignore[misc]
        except RuntimeError as error:
            raise ConnectionError("closed while it was used") from error


def _saying_what_it_lost(client: Redis) -> Redis:
    pool = client.connection_pool
    kind = pool.connection_class
    pool.connection_class = type(kind.__name__, (SaysWhatItLost, kind), {})
    return client


def connect(url: str, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> Any:
    """A client for *url*: `redis[s]://`, `redis+sentinel://host,host/name`, `redis+cluster://`.

    Raises:
        ValueError: The scheme is none of these, or a Sentinel URL names no primary.
    """
    parts = urlsplit(url)
    timeouts: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": answer_timeout_s,
    }
    credentials: dict[str, Any] = {"username": parts.username, "password": parts.password}
    match parts.scheme:
        case "redis" | "rediss" | "unix":
            # By default redis-py takes any certificate that is good, whoever's it is.
            tls = {"ssl_check_hostname": True} if parts.scheme == "rediss" else {}
            pool = BlockingConnectionPool.from_url(
                url, max_connections=CONNECTIONS_MAX, timeout=ANSWER_TIMEOUT_S, **timeouts, **tls
            )
            return _saying_what_it_lost(Redis.from_pool(pool))
        case "redis+sentinel":
            name = parts.path.strip("/")
            if not name:
                raise ValueError("a redis+sentinel:// URL ends with the name of the primary")
            sentinel = Sentinels(_hosts(parts.netloc, SENTINEL_PORT), **timeouts)
            client = sentinel.master_for(
                name,
                redis_class=OfSentinels,
                connection_pool_class=PoolOfSentinels,
                max_connections=CONNECTIONS_MAX,
                timeout=ANSWER_TIMEOUT_S,
                **credentials,
                **timeouts,
            )
            return _saying_what_it_lost(client)
        case "redis+cluster":
            addresses = _hosts(parts.netloc, CLUSTER_PORT)
            options: dict[str, Any] = {"cluster_error_retry_attempts": 0, **credentials, **timeouts}
            # What is abstract there belongs to clients of one server, by redis-py's own types.
            return Cluster(addresses, **options)  # type: ignore[abstract]
        case other:
            raise ValueError(f"{other}:// is not a Redis URL that we know")


def _hosts(netloc: str, default_port: int) -> list[tuple[str, int]]:
    _, _, hosts = netloc.rpartition("@")
    return [
        (host, int(port) if port else default_port)
        for host, _, port in (entry.partition(":") for entry in hosts.split(","))
    ]
