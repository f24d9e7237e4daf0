"""A cluster of one node, killed and started again: the same client finds its way back."""

import socket
import time
from datetime import timedelta

import pytest

from slots import redis_url as urls
from slots.errors import BrokerUnavailable
from slots.redis_url import WITHIN_S
from tests.broker.stage import Stage, make_account
from tests.broker.test_restart import valkey
from tests.conftest import SERVER_READY_WITHIN_S, running

__all__ = ["valkey"]

SLOTS = 16_384
SERVES_WITHIN = timedelta(seconds=15)  # a node that comes back waits a little before it serves


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def until_it_serves(ask):
    ends_at = time.monotonic() + SERVES_WITHIN.total_seconds()
    while True:
        try:
            return await ask()
        except BrokerUnavailable:
            assert time.monotonic() < ends_at


@pytest.mark.prove
async def test_a_cluster_that_was_wholly_down_is_found_again(valkey):
    options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    stage = Stage(urls.connect(valkey.url.replace("redis://", "redis+cluster://")))
    with running(valkey.program(*options)) as process:
        await valkey.wait_ready(SERVER_READY_WITHIN_S)
        async with urls.connect(valkey.url) as node:
            await node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
        await until_it_serves(stage.rebuild)
        slot = await stage.offer()
        process.kill()
        process.wait()
        for _ in range(3):
            started = time.monotonic()
            with pytest.raises(BrokerUnavailable):
                await stage.hold(slot)
            assert time.monotonic() - started < WITHIN_S + 1

    with running(valkey.program(*options)):
        await valkey.wait_ready(SERVER_READY_WITHIN_S)
        assert await until_it_serves(stage.distrusts)
        await stage.rebuild(slot)
        assert (await stage.hold(slot, make_account())).seat == 1
    await stage.tap.aclose()
