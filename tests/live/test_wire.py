"""Two wires, one word: our own server's and any other's say the same, byte for byte."""

import asyncio
import socket
from dataclasses import replace

import pytest
from websockets.frames import Frame, Opcode

from tests.browser import ServerInTest, serving
from tests.live.viewer import HAUTS, Viewer, together
from tests.live.waiting import soon
from web.__main__ import configuration
from web.live.direct import DirectProtocol
from web.live.wire import AsgiWire, framed

ANOTHER_SERVER = "websockets-sansio"  # uvicorn's own protocol offers no wire


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_frame_is_what_the_library_would_write(size):
    text = "é" * (size // 2) + "x" * (size % 2)

    assert framed(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


@pytest.fixture
async def elsewhere(world, settings):
    """The same service a second time, under a server that is not ours."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    config = configuration(replace(settings, port=port, base_url=url))
    assert config.ws is DirectProtocol
    config.ws = ANOTHER_SERVER
    server = ServerInTest(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve([listening]))
        await server.listens.wait()
        yield url
        server.should_exit = True


async def heard(viewer: Viewer, count: int) -> list[str]:
    """The next frames as they came, without what tells the time."""
    texts: list[str] = []
    while len(texts) < count:
        text = await soon(viewer.socket.recv())
        if '"t":"heartbeat"' not in text and '"t":"hello"' not in text:
            texts.append(text)
    return texts


async def test_the_direct_wire_and_any_other_say_the_same_byte_for_byte(
    world, settings, elsewhere, monkeypatch
):
    other_wires = []
    original = AsgiWire.__init__

    def noted(wire):
        other_wires.append(wire)
        original(wire)

    monkeypatch.setattr(AsgiWire, "__init__", noted)
    async with serving(world, settings) as here:
        bob = await Viewer(here.url, world, "bob").signs_in()
        readers = [Viewer(url, world, "rolf") for url in (here.url, elsewhere)]
        for reader in readers:
            await reader.signs_in()
            await reader.opens()
            await reader.subscribes(HAUTS)
        snapshots = await together(*(heard(reader, 1) for reader in readers))
        assert len(other_wires) == 1  # only the other server needed it

        shown = await bob.offers()
        await bob.offers(hours=3, audience=["SNP"])
        await bob.command("DELETE", f"/api/v1/slots/{shown['id']}")
        news = await together(*(heard(reader, 3) for reader in readers))
        for viewer in (bob, *readers):
            await viewer.leaves()

    assert snapshots[0] == snapshots[1]
    assert news[0] == news[1]
    assert [text[:12] for text in news[0]] == ['{"t":"event"', '{"t":"skip",', '{"t":"gone",']
