"""`python -m web`, as it runs: a real process, a real port, a real stop."""

import asyncio
import os
import resource
import signal
import sys
import time
from dataclasses import replace

import httpx
import pytest
import websockets

from slots.database import TooMuchRight
from slots.settings import Settings
from tests.api.contract import ContractTransport
from web.__main__ import take_all_descriptors
from web.app import create_app
from workers.embedded.choices import LOOPBACK, Choices

READY_WITHIN_S = 20.0
STOP_WITHIN_S = 8.0
CONNECTS_MAX = 5  # it says that it is up a moment before it listens


@pytest.fixture
async def process(world, settings: Settings):
    """A web process on a free port, and its settings."""
    port = Choices.make().with_free_ports().postgres_port
    own = replace(settings, port=port, base_url=f"http://{LOOPBACK}:{port}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "web"),
        env={**os.environ, **own.to_environ(), "LOG_FORMAT": "json"},
        stderr=asyncio.subprocess.PIPE,
    )
    yield process, own
    if process.returncode is None:
        process.kill()
        await process.wait()


async def until_said(process: asyncio.subprocess.Process, words: str) -> None:
    """Wait for a line of the log."""
    async with asyncio.timeout(READY_WITHIN_S):
        while words not in (line := (await process.stderr.readline()).decode()):
            assert line, "it has stopped"


async def read_on(socket: websockets.ClientConnection) -> None:
    while True:
        await socket.recv()


def a_client(own: Settings) -> httpx.AsyncClient:
    transport = ContractTransport(httpx.AsyncHTTPTransport(retries=CONNECTS_MAX))
    return httpx.AsyncClient(transport=transport, base_url=own.base_url)


async def test_a_process_serves_says_goodbye_and_stops(process, world):
    running, own = process
    async with a_client(own) as person:
        await until_said(running, "Application startup complete")
        # Nobody has filled the boards: it serves, degraded.
        assert (await person.get("/readyz")).json()["status"] == "degraded"
        session = {"email": world.email("ann"), "password": world.password}
        assert (await person.post("/api/v1/session", json=session)).status_code == 200
        assert (await person.get("/api/v1/slots")).json()["source"] == "ledger"
        too_long = {"email": "x" * 70_000, "password": "x"}
        assert (await person.post("/api/v1/session", json=too_long)).status_code == 413

        cookie = f"chrono48={person.cookies['chrono48']}"
        async with websockets.connect(
            own.base_url.replace("http", "ws") + "/live",
            origin=own.base_url,
            additional_headers={"Cookie": cookie},
            subprotocols=["chrono48.live.v1"],
        ) as socket:
            assert '"t":"hello"' in await socket.recv()
            assert socket.protocol.extensions == []
            asked_at = time.monotonic()
            running.send_signal(signal.SIGTERM)

            with pytest.raises(websockets.ConnectionClosed) as closed:
                await read_on(socket)

    assert closed.value.rcvd.code == 4001
    assert await asyncio.wait_for(running.wait(), STOP_WITHIN_S) in (0, -signal.SIGTERM)
    assert time.monotonic() - asked_at < STOP_WITHIN_S
    lines = (await running.stderr.read()).decode()
    assert '"/api/v1/session"' in lines
    assert world.password not in lines


def test_a_process_takes_as_many_descriptors_as_the_system_allows():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard // 2, hard))
    try:
        take_all_descriptors()

        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_role_with_too_much_right_is_not_served(owner_url, settings: Settings):
    app = create_app(replace(settings, database_url=owner_url))

    with pytest.raises(TooMuchRight):
        async with app.router.lifespan_context(app):
            pass
