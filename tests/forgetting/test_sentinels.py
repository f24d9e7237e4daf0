"""A client of the Sentinels goes on knowing all of them."""

import asyncio

import pytest
from redis.asyncio.sentinel import Sentinel

from slots import redis_url
from tests.forgetting.sentinel import SENTINELS, Sentinels

ASKING_AT_ONCE = 20

pytestmark = pytest.mark.prove


@pytest.fixture
async def guarded(tmp_path):
    """A primary with its Sentinels, of whom the first has died."""
    tmp_path.chmod(0o711)
    servers = Sentinels(tmp_path)
    servers.start()
    await servers.form()
    servers.sentinels[0].stop()
    yield servers
    servers.stop()


async def known_after_many_asked_at_once(servers) -> int:
    client = redis_url.connect(servers.url)
    known = client.connection_pool.sentinel_manager.sentinels
    everybody = list(known)
    await asyncio.gather(*(client.ping() for _ in range(ASKING_AT_ONCE)))
    await client.aclose()
    left = len({id(one) for one in known})
    for one in everybody:
        await one.aclose()
    return left


async def test_many_who_ask_at_once_lose_none(guarded):
    assert await known_after_many_asked_at_once(guarded) == SENTINELS


async def test_control_as_redis_py_asks_one_is_lost(guarded, monkeypatch):
    monkeypatch.setattr(redis_url.Sentinels, "discover_master", Sentinel.discover_master)

    assert await known_after_many_asked_at_once(guarded) < SENTINELS
