"""Screens that trust nobody: each checks that what it is told has no hole and no duplicate.

The rule is the browser's: an event fits only where its `prev` equals the position that one has;
a snapshot comes only to who asked, or was told to resync.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.chaos.asking import Way, passes
from tests.chaos.ground import Person
from web.live.frames import HEARTBEAT_EVERY_S, SUBPROTOCOL

OPENS_WITHIN_S = 6.0
SILENT_AFTER_S = HEARTBEAT_EVERY_S * 1.5  # then the page opens another socket
COMES_BACK_AFTER_S = 0.3
STAYS_S = 12.0  # on average; then its user looks elsewhere and comes back
CHANGES = ("event", "gone", "skip")


@dataclass
class Screen:
    """One territory on one board: where it stands, and what it shows."""

    at: str | None = None
    slots: dict[str, Any] = field(default_factory=dict)
    heard_at: dict[str, float] = field(default_factory=dict)  # slot → the loop's time
    snapshot_at: float = 0.0
    awaits_snapshot: bool = True


class Watcher:
    """Understands frames, and says what is wrong with them. Knows no socket."""

    def __init__(self, name: str, slugs: Sequence[str], now: Callable[[], float]) -> None:
        self.name, self.now = name, now
        self.screens = {slug: Screen() for slug in slugs}
        self.holes: list[str] = []
        self.frames: Counter[str] = Counter()

    def comes_back(self) -> dict[str, str | None]:
        """Where to resume, by territory. The answer may be a snapshot."""
        for screen in self.screens.values():
            screen.awaits_snapshot = True
        return {slug: screen.at for slug, screen in self.screens.items()}

    def hears(self, frame: dict[str, Any]) -> None:
        kind = frame["t"]
        self.frames[kind] += 1
        if kind == "heartbeat":
            for slug, at in frame["at"].items():
                if at != self.screens[slug].at:
                    self._hole(frame, slug, f"stands at {self.screens[slug].at}")
        elif kind == "snapshot":
            self._snapshot(frame, self.screens[frame["territory"]])
        elif kind == "resync":
            self.screens[frame["territory"]] = Screen()
        elif kind in CHANGES:
            self._change(frame, self.screens[frame["territory"]])

    def _snapshot(self, frame: dict[str, Any], screen: Screen) -> None:
        if not screen.awaits_snapshot:
            self._hole(frame, frame["territory"], "a snapshot that nobody awaits")
        screen.awaits_snapshot = False
        screen.at, screen.snapshot_at = frame["at"], self.now()
        screen.slots = {slot["id"]: slot for slot in frame["slots"]}

    def _change(self, frame: dict[str, Any], screen: Screen) -> None:
        if screen.at is None or frame["prev"] != screen.at:
            self._hole(frame, frame["territory"], f"stands at {screen.at}")
        screen.awaits_snapshot = False
        screen.at = frame["at"]
        if frame["t"] == "event":
            slot = frame["slot"]
            screen.slots[slot["id"]] = slot
            screen.heard_at[slot["id"]] = self.now()
        elif frame["t"] == "gone" and screen.slots.pop(frame["id"], None) is None:
            self._hole(frame, frame["territory"], "gone what was never there")

    def _hole(self, frame: dict[str, Any], slug: str, why: str) -> None:
        told = {name: value for name, value in frame.items() if name not in ("slot", "slots")}
        self.holes.append(f"{self.name} {slug}: {why}, hears {told}")

    def heard_since(self, slug: str, slot: str, since: float) -> bool:
        """Whether what it shows of a slot was told after *since*."""
        screen = self.screens[slug]
        told_at = max(screen.heard_at.get(slot, 0.0), screen.snapshot_at)
        return screen.at is not None and told_at >= since


class Board(Watcher):
    """A watcher with a socket, which comes back whenever it is cut, through either web process."""

    def __init__(
        self,
        person: Person,
        slugs: Sequence[str],
        ways: Sequence[Way],
        random: Random,
        reads: Callable[[str], None],
    ) -> None:
        """*reads*: sees every frame as it came."""
        super().__init__(person.name, slugs, asyncio.get_running_loop().time)
        self.person, self.ways, self.random, self.reads = person, ways, random, reads
        self.socket: ClientConnection | None = None
        self.stays = True  # until the end: no more coming and going

    async def watch(self) -> None:
        """For ever."""
        while True:
            try:
                async with asyncio.timeout(OPENS_WITHIN_S):
                    self.socket = await open_socket(self.person, self.random.choice(self.ways))
                    await self._subscribe(self.socket)
                await self._read(self.socket)
            except (OSError, WebSocketException):  # TimeoutError is an OSError
                pass
            finally:
                if self.socket is not None:
                    self.socket.transport.abort()
            await passes(COMES_BACK_AFTER_S)

    async def _subscribe(self, socket: ClientConnection) -> None:
        await subscribe(socket, self.comes_back())

    async def _read(self, socket: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        leaves_at = loop.time() + self.random.expovariate(1 / STAYS_S)
        while self.stays or loop.time() < leaves_at:
            # Not `wait_for`: before Python 3.12 it loses a cancellation that comes with a frame.
            async with asyncio.timeout(SILENT_AFTER_S):
                text = str(await socket.recv())
            self.reads(text)
            frame = msgspec.json.decode(text)
            self.hears(frame)
            if frame["t"] == "heartbeat":
                await socket.send('{"t":"pong"}')


async def open_socket(person: Person, way: Way) -> ClientConnection:
    return await connect(
        f"ws://{way.host}/live",
        host="127.0.0.1",
        port=way.port,
        origin=way.origin,
        additional_headers={"Cookie": f"chrono48={person.token}"},
        subprotocols=[SUBPROTOCOL],
        compression=None,
        max_size=None,
    )


async def subscribe(socket: ClientConnection, after: dict[str, str | None]) -> None:
    territories = [
        {"id": slug} | ({"after": at} if at is not None else {}) for slug, at in after.items()
    ]
    await socket.send(msgspec.json.encode({"t": "subscribe", "territories": territories}).decode())
