import asyncio

import msgspec

from slots.audience import Role
from tests.live.making import ALIVE, Log, make_account, make_document, words
from web.live.connection import Connection
from web.live.frames import CloseCode
from web.live.session import Session
from web.live.wire import BACKLOG_MAX, AsgiWire


def connect():
    return Connection(Session(make_account(Role.REGULATOR)), b"session", ALIVE, AsgiWire())


async def handed_out(connection):
    texts = []
    while connection.wire._backlog:
        texts += (await connection.wire.next()).texts
    return words(texts)


async def test_frames_are_handed_out_in_order():
    log = Log()
    feed = log.feed()
    connection = connect()
    connection.push(connection.session.take_up(feed))

    connection.changed(feed, feed.apply(log.append("slot.offered", make_document())))
    connection.changed(
        feed, feed.apply(log.append("slot.offered", make_document(audience=["CPTS"])))
    )

    assert await handed_out(connection) == ["snapshot", "event", "skip"]


async def test_a_reader_waits_for_the_next_frame():
    connection = connect()
    waiting = asyncio.ensure_future(connection.wire.next())

    connection.push(["frame"])

    assert (await waiting).texts == ("frame",)


async def test_a_slow_reader_is_told_to_resync_and_closed():
    log = Log()
    feed = log.feed()
    connection = connect()
    connection.push(connection.session.take_up(feed))

    for _ in range(BACKLOG_MAX + 10):
        connection.changed(feed, feed.apply(log.append("slot.offered", make_document())))

    assert connection.ending is CloseCode.SLOW
    assert await handed_out(connection) == ["resync", "bye"]
    assert await connection.wire.next() is None


async def test_the_first_reason_to_close_stands():
    connection = connect()

    connection.end(CloseCode.NOT_SIGNED_IN)
    connection.end(CloseCode.SHUTDOWN)
    connection.push(["too late"])

    [bye] = (await connection.wire.next()).texts
    assert msgspec.json.decode(bye)["code"] == CloseCode.NOT_SIGNED_IN.number
    assert await connection.wire.next() is None


async def test_closing_wakes_a_reader_that_waits():
    connection = connect()
    waiting = asyncio.ensure_future(connection.wire.next())

    connection.end(CloseCode.SHUTDOWN)

    assert words((await waiting).texts) == ["bye"]
