"""What a proxy may do to the bytes, and what both ends then see."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from tests.faults.proxy import Proxy, proxy_to

WITHIN_S = 15
NOTHING_FOR_S = 0.2  # how long silence is listened to
DELAY_S = 0.3
MUCH = b"m" * 32 * 1024 * 1024  # more than every buffer on the way


@dataclass
class Server:
    """Answers each line with the same line, louder, and remembers what it heard."""

    heard: list[bytes] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    reads: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.reads.wait()
        try:
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(line.upper())
        except ConnectionError:
            pass
        self.ended.set()
        writer.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def says(self, word: str) -> None:
        self.writer.write(f"{word}\n".encode())

    async def hears(self) -> str:
        line = await asyncio.wait_for(self.reader.readline(), WITHIN_S)
        return line.decode().strip()

    async def hears_nothing(self) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.reader.readline(), NOTHING_FOR_S)

    async def is_cut(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), WITHIN_S) == b""
        except ConnectionError:
            return True

    async def asks(self, word: str) -> str:
        self.says(word)
        return await self.hears()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    server.reads.set()
    return server


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with proxy_to(f"tcp://anybody:secret@127.0.0.1:{port}/0") as (proxy, near_url):
        assert near_url == f"tcp://anybody:secret@127.0.0.1:{proxy.port}/0"
        yield proxy
    listening.close()


@pytest.fixture
async def comes(proxy: Proxy):
    """`await comes()`: one more client."""
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", proxy.port)))
        return clients[-1]

    yield connect
    for client in clients:
        client.writer.transport.abort()


async def test_it_carries_both_ways(comes):
    client = await comes()

    assert [await client.asks("one"), await client.asks("two")] == ["ONE", "TWO"]


async def test_what_is_delayed_comes_later_and_in_order(comes, proxy):
    client = await comes()
    proxy.delay(DELAY_S)
    loop = asyncio.get_running_loop()
    began = loop.time()

    client.says("one")
    client.says("two")

    assert [await client.hears(), await client.hears()] == ["ONE", "TWO"]
    assert loop.time() - began >= 2 * DELAY_S


async def test_what_is_frozen_waits_and_comes_in_order_when_mended(comes, proxy, server):
    old = await comes()
    assert await old.asks("zero") == "ZERO"
    proxy.freeze()
    new = await comes()

    old.says("one")
    new.says("two")
    await old.hears_nothing()
    await new.hears_nothing()
    assert server.heard == [b"zero\n"]
    old.says("three")
    proxy.mend()

    assert [await old.hears(), await old.hears()] == ["ONE", "THREE"]
    assert await new.hears() == "TWO"


async def test_a_lost_reply_was_asked_for_and_takes_its_line_with_it(comes, proxy, server):
    client = await comes()
    await client.asks("one")
    proxy.lose_replies()

    client.says("two")

    assert await client.is_cut()
    assert server.heard == [b"one\n", b"two\n"]
    assert proxy.replies_lost == 1
    proxy.mend()
    assert await (await comes()).asks("three") == "THREE"


async def test_what_is_cut_is_cut_for_all_and_for_who_comes_until_mended(comes, proxy, server):
    first, second = await comes(), await comes()
    await first.asks("one")
    await second.asks("two")

    proxy.cut()

    assert await first.is_cut()
    assert await second.is_cut()
    assert await (await comes()).is_cut()
    await asyncio.wait_for(server.ended.wait(), WITHIN_S)
    proxy.mend()
    assert await (await comes()).asks("three") == "THREE"


async def test_who_is_refused_is_cut_and_who_is_there_goes_on(comes, proxy):
    client = await comes()
    await client.asks("one")

    proxy.refuse()

    assert await (await comes()).is_cut()
    assert await client.asks("two") == "TWO"


@pytest.mark.parametrize("how", ["freeze", "cut", "lose_replies"])
async def test_one_line_alone_may_be_treated(comes, proxy, how):
    first = await comes()
    await first.asks("one")
    [line] = proxy.lines
    second = await comes()

    getattr(line, how)()

    first.says("two")
    assert await second.asks("three") == "THREE"
    if how == "freeze":
        await first.hears_nothing()
        line.mend()
        assert await first.hears() == "TWO"
    else:
        assert await first.is_cut()
        assert len(proxy.lines) == 1


async def test_where_nobody_listens_a_line_ends(comes, proxy):
    gone = await asyncio.start_server(lambda *ends: None, "127.0.0.1", 0)
    proxy.target = gone.sockets[0].getsockname()
    gone.close()

    assert await (await comes()).is_cut()


async def test_the_end_of_one_side_is_the_end_of_the_other(comes, proxy, server):
    client = await comes()
    client.says("one")

    client.writer.close()

    await asyncio.wait_for(server.ended.wait(), WITHIN_S)
    assert server.heard == [b"one\n"]


@pytest.mark.parametrize("who_waits", ["the proxy", "the reader"])
async def test_a_writer_feels_that_nobody_reads(comes, proxy, server, who_waits):
    server.reads.clear()
    client = await comes()
    if who_waits == "the proxy":
        proxy.freeze()

    client.writer.write(MUCH)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.writer.drain(), NOTHING_FOR_S)
    server.reads.set()
