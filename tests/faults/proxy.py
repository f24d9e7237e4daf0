"""A TCP proxy between a client and a server, which a test tells what to do to the bytes.

What is said to a Proxy goes for all its lines, open and to come; what is said to one Line goes for
it alone. TCP never goes on after a gap, and neither does a line: one that loses a reply breaks.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
END = b""  # in a queue of bytes: there the sender closed


@dataclass(frozen=True)
class Treatment:
    """What is done to the bytes of a line."""

    frozen: bool = False
    delay_s: float = 0.0  # each way
    loses_replies: bool = False


PASSES = Treatment()


class Treated(ABC):
    """Takes orders."""

    treatment = PASSES

    @abstractmethod
    def treat(self, treatment: Treatment) -> None:
        """From now on."""

    @abstractmethod
    def cut(self) -> None:
        """Break now what is open."""

    def freeze(self) -> None:
        """Connections stay, nothing moves any more."""
        self.treat(replace(self.treatment, frozen=True))

    def delay(self, delay_s: float) -> None:
        """Everything comes, later."""
        self.treat(replace(self.treatment, delay_s=delay_s))

    def lose_replies(self) -> None:
        """What is asked arrives; instead of the next reply, the line breaks."""
        self.treat(replace(self.treatment, loses_replies=True))

    def mend(self) -> None:
        """Pass everything again, first what waited."""
        self.treat(PASSES)


class Proxy(Treated):
    """Carries bytes to *target* and back."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = 0
        self.lines: set[Line] = set()
        self.accepts = True
        self.replies_lost = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> "Proxy":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Line(self).near, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*(line.ended.wait() for line in self.lines))

    def treat(self, treatment: Treatment) -> None:
        self.treatment = treatment
        for line in self.lines:
            line.treat(treatment)

    def refuse(self) -> None:
        """New connections break; the open ones go on."""
        self.accepts = False

    def cut(self) -> None:
        """All connections break, and new ones too, until `mend`."""
        self.refuse()
        for line in list(self.lines):
            line.cut()

    def mend(self) -> None:
        self.accepts = True
        super().mend()


class Line(Treated):
    """One connection through a proxy, from its client's end to its server's."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.treatment = proxy.treatment
        self.near, self.far = End(self), End(self)
        self.ended = asyncio.Event()
        self.reaching: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """The client is there: go on to the server."""
        if not self.proxy.accepts:
            self.cut()
            return
        self.proxy.lines.add(self)
        self.near.turn()
        self.reaching = asyncio.create_task(self._reach())

    async def _reach(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: self.far, *self.proxy.target)
        except OSError:
            self.cut()
        self.treat(self.treatment)

    def treat(self, treatment: Treatment) -> None:
        self.treatment = treatment
        for end in (self.near, self.far):
            end.turn()
            end.pass_on()

    def cut(self) -> None:
        for end in (self.near, self.far):
            end.heard.clear()
            if end.transport is not None:
                end.transport.abort()

    def end(self) -> None:
        """One of its ends is gone: what it said last still arrives, and then the other goes."""
        if self.near.gone and (self.far.gone or self.far.transport is None):
            self.proxy.lines.discard(self)
            self.ended.set()

    def lose_reply(self) -> None:
        self.proxy.replies_lost += 1
        self.cut()


class End(asyncio.Protocol):
    """What this end hears, the other one says, when the treatment allows."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.transport: asyncio.Transport | None = None
        self.heard: deque[tuple[float, bytes]] = deque()  # and from when on it may be said
        self.is_full = False  # whoever reads here is slower than the other end talks
        self.gone = False

    @property
    def other(self) -> "End":
        return self.line.far if self is self.line.near else self.line.near

    def connection_made(self, transport) -> None:
        self.transport = transport
        if self is self.line.near:
            self.line.begin()
        elif self.other.gone:  # the client did not wait for us
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.line.treatment.loses_replies and self is self.line.far:
            self.line.lose_reply()
        else:
            self.hear(data)

    def hear(self, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        self.heard.append((now + self.line.treatment.delay_s, data))
        if len(self.heard) == 1:
            self.pass_on()

    def pass_on(self) -> None:
        """Say at the other end what is due."""
        loop = asyncio.get_running_loop()
        other = self.other.transport
        while self.heard and other is not None and not self.line.treatment.frozen:
            due_at, data = self.heard[0]
            if due_at > loop.time():
                loop.call_at(due_at, self.pass_on)
                return
            self.heard.popleft()
            if data == END:
                other.close()
            elif not other.is_closing():
                other.write(data)

    def turn(self) -> None:
        """Read on only where it can be said: a reader that waits must be felt by the writer."""
        if self.transport is None:
            return
        waits = self.line.treatment.frozen or self.other.transport is None or self.other.is_full
        if waits:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        self.is_full = True
        self.other.turn()

    def resume_writing(self) -> None:
        self.is_full = False
        self.other.turn()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True
        self.hear(END)
        self.line.end()


@asynccontextmanager
async def proxy_to(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy to the server of *url*, and the URL of its near end."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    account, at, _ = parts.netloc.rpartition("@")
    proxy = await Proxy((parts.hostname, parts.port)).open()
    try:
        near = parts._replace(netloc=f"{account}{at}{LOOPBACK}:{proxy.port}")
        yield proxy, near.geturl()
    finally:
        await proxy.close()
