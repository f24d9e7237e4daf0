"""A server that restarted may have lost the tail of its log: nothing is trusted until rebuilt."""

import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from slots import redis_url as urls
from slots.broker import HoldEnded
from slots.errors import BrokerUnavailable, Rebuilding
from slots.events import Position
from tests.broker.stage import Stage, make_account
from tests.conftest import SERVER_READY_WITHIN_S, running
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices
from workers.embedded.valkey import Valkey

SHORT_TIMEOUT_S = 0.2


@pytest.fixture
def valkey():
    """A server of our own, with its append-only file, not yet running."""
    directory = Path(tempfile.mkdtemp(prefix="chrono48-valkey-"))
    directory.chmod(0o711)
    choices = Choices.make().with_free_ports()
    server = Valkey(directory / "valkey", directory / "valkey.log", servers_account(), choices)
    server.prepare()
    yield server
    shutil.rmtree(directory)


@asynccontextmanager
async def started(valkey: Valkey) -> AsyncIterator[tuple[Stage, object]]:
    """The server for a while, and a stage on it."""
    with running(valkey.program()) as process:
        await valkey.wait_ready(SERVER_READY_WITHIN_S)
        client = urls.connect(valkey.url, answer_timeout_s=SHORT_TIMEOUT_S)
        yield Stage(client), process
        await client.aclose()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=lambda end: end.name)
async def test_after_a_restart_all_is_rebuilding_and_then_the_holds_are_there_again(
    valkey: Valkey, end
):
    account = make_account()
    async with started(valkey) as (before, process):
        await before.rebuild()
        slot = await before.offer()
        hold = await before.hold(slot, account, key="one")
        process.send_signal(end)
        process.wait()
        with pytest.raises(BrokerUnavailable):
            await before.hold(slot)

    async with started(valkey) as (stage, _):
        assert await stage.distrusts()
        # The data is there: a screen must not take it for what is true now.
        assert await stage.broker.position(stage.territory) is None
        for ask in (
            lambda: stage.hold(slot, account, key="one"),
            lambda: stage.renew(account, hold),
            lambda: stage.release(account, hold),
            lambda: stage.seal(account, hold),
            lambda: stage.unseal(slot, hold),
            lambda: stage.put(slot, generation=1),
            lambda: stage.broker.snapshot(stage.territory),
        ):
            with pytest.raises(Rebuilding):
                await ask()

        stage.generation = 1
        assert await stage.rebuild(slot) == 0

        assert (await stage.document(slot)).held_until == hold.expires_at
        assert (await stage.seal(account, hold)).seat == 1
        await stage.unseal(slot, hold)
        with pytest.raises(HoldEnded):
            await stage.seal(account, hold)


async def test_a_frozen_server_is_unavailable_within_its_time(valkey: Valkey):
    async with started(valkey) as (stage, process):
        await stage.rebuild()
        slot = await stage.offer()
        process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(BrokerUnavailable):
                await stage.hold(slot)
            with pytest.raises(BrokerUnavailable):
                await stage.broker.position(stage.territory)
            with pytest.raises(BrokerUnavailable):
                await stage.reader.latest(stage.territory)
        finally:
            process.send_signal(signal.SIGCONT)


async def test_a_server_that_forgot_its_scripts_learns_them_again(stage: Stage):
    slot = await stage.offer()
    await stage.tap.script_flush()

    assert (await stage.hold(slot)).seat == 1


async def test_where_nobody_listens_the_broker_is_unavailable(valkey: Valkey):
    client = urls.connect(valkey.url)
    stage = Stage(client)

    for ask in (
        stage.due,
        lambda: stage.broker.generation(stage.territory),
        lambda: stage.broker.slot_ids(stage.territory),
        lambda: stage.broker.is_trusted(stage.territory),
        lambda: stage.reader.read({stage.territory: Position("1.0-0")}, block_ms=1),
    ):
        with pytest.raises(BrokerUnavailable):
            await ask()
    await client.aclose()
