"""What the tests wait with ends, whatever it asks."""

import asyncio

import pytest

from tests.waiting import until

AT_ONCE_S = 0.05


async def test_waiting_ends_though_what_is_asked_swallows_the_cancellation():
    async def as_the_client_of_redis_may():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return False

    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            await until(as_the_client_of_redis_may, AT_ONCE_S)
