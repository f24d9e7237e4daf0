"""Live events for software with a key, and for a screen on a wall."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from slots.ids import INSTALLATION
from slots.scope import Scope
from slots.store.session import open_key
from slots.transaction import entered
from tests.live.viewer import HAUTS, THAU
from tests.live.waiting import soon
from tests.screens import hang_up
from tests.world import World
from web.live.frames import SUBPROTOCOL, CloseCode


@pytest.fixture
def makes(pool, world: World):
    async def made(name, *scopes):
        now = datetime.now(UTC)
        async with entered(pool, world.accounts[name].id, [INSTALLATION]) as conn:
            return await open_key(conn, "Logiciel", scopes, now, now + timedelta(days=1))

    return made


def opens(service, *, origin=None, **headers):
    return connect(
        service.url.replace("http", "ws") + "/live",
        origin=origin,
        additional_headers=headers,
        subprotocols=[SUBPROTOCOL],
        compression=None,
    )


async def test_software_hears_live_events_with_its_key_and_without_an_origin(service, makes):
    key = await makes("rolf", Scope.READ)

    async with opens(service, authorization=f"Bearer {key}") as socket:
        assert '"t":"hello"' in await soon(socket.recv())
        await socket.send(f'{{"t":"subscribe","territories":[{{"id":"{HAUTS}"}}]}}')
        assert '"t":"snapshot"' in await soon(socket.recv())


@pytest.mark.parametrize("fault", ["scope", "key", "origin"])
async def test_another_key_or_another_site_hears_nothing(service, makes, fault):
    scope = Scope.BOOK if fault == "scope" else Scope.READ
    key = await makes("rolf", scope)
    shown = "c48_nonsense" if fault == "key" else key
    origin = "http://evil.example" if fault == "origin" else None

    with pytest.raises(InvalidStatus) as refused:
        async with opens(service, origin=origin, authorization=f"Bearer {shown}"):
            pass

    assert refused.value.response.status_code == 403


async def test_a_key_that_is_revoked_closes_its_socket(service, makes, owner: asyncpg.Connection):
    key = await makes("rolf", Scope.READ)
    async with opens(service, authorization=f"Bearer {key}") as socket:
        await soon(socket.recv())
        await owner.execute("UPDATE session SET ended_at = now() WHERE kind = 'key'")

        await soon(socket.wait_closed())


async def test_a_screen_follows_its_territories_and_no_other(service, pool, world: World):
    secret = await hang_up(pool, world.accounts["rita"].id, [world.hauts])
    cookie = {"Cookie": f"chrono48-wall={secret}"}

    async with opens(service, origin=service.url, **cookie) as socket:
        await soon(socket.recv())
        await socket.send(f'{{"t":"subscribe","territories":[{{"id":"{HAUTS}"}}]}}')
        assert '"t":"snapshot"' in await soon(socket.recv())
    async with opens(service, origin=service.url, **cookie) as socket:
        await soon(socket.recv())
        await socket.send(f'{{"t":"subscribe","territories":[{{"id":"{THAU}"}}]}}')
        await soon(socket.wait_closed())
        assert socket.close_code == CloseCode.NOT_YOURS.number
