"""Many open boards, read in one thread that does little else: it must not be what is measured."""

import re
import select
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.bench.sockets import SUBSCRIBE, masked, upgrade

OPEN_WITHIN_S = 30.0
POLL_S = 0.05
READ_BYTES = 1 << 16
LOOKED_AT_ONCE_MAX = 1_000
TAIL_BYTES = 128  # longer than what is looked for
EVENT = b'"t":"event"'
HEARTBEAT = b'"t":"heartbeat"'
PONG = masked(b'{"t":"pong"}')
# A ping of uvicorn's: a control frame with four bytes, which no JSON text can look like.
PING = re.compile(rb"\x89\x04(....)", re.DOTALL)
PONG_TO_PING = b"\x8a\x84\0\0\0\0"  # masked with nothing, as a client's frames must be
CONFIRMED = re.compile(rb'"type":"slot\.confirmed","slot":\{"id":"([0-9a-f-]{36})')


class Readers(threading.Thread):
    """Reads all its sockets until closed, and answers as a browser does, heartbeats and pings.

    Counts events, and notes when each booking was heard.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.events = 0
        self.last_at = 0.0
        self.heard: Counter[bytes] = Counter()
        self.heard_at: defaultdict[bytes, float] = defaultdict(float)
        self._closing = False
        self._poll = select.epoll()
        self._tails: dict[int, bytes] = {}
        self._sockets: dict[int, socket.socket] = {}
        self.start()

    def open(self, port: int, cookies: Iterable[str], until: bytes = b"") -> None:
        """One board more for each of *cookies*, open once the server has said *until*."""
        for cookie in cookies:
            opened = open_board(port, cookie, until)
            opened.setblocking(False)
            self._sockets[opened.fileno()] = opened
            self._tails[opened.fileno()] = b""
            self._poll.register(opened, select.EPOLLIN)

    def __len__(self) -> int:
        return len(self._sockets)

    def run(self) -> None:
        while not self._closing:
            # First when each came, then what it was: looking takes longer than coming, and who
            # looks meanwhile would call late what only waited for us.
            came = []
            ready = self._poll.poll(POLL_S)
            while ready and len(came) < LOOKED_AT_ONCE_MAX:
                came += [
                    (number, self._sockets[number].recv(READ_BYTES), time.time())
                    for number, _ in ready
                ]
                ready = self._poll.poll(0)
            for number, data, at in came:
                assert data, "the server closed a board"
                self._read(number, data, at)

    def _read(self, number: int, data: bytes, at: float) -> None:
        data = self._tails[number] + data
        end = max(data.rfind(EVENT), data.rfind(HEARTBEAT)) + 1
        if HEARTBEAT in data:
            self._sockets[number].send(PONG)
        for ping in PING.finditer(data):
            self._sockets[number].send(PONG_TO_PING + ping[1])
            end = max(end, ping.end())
        if EVENT in data:
            self.events += data.count(EVENT)
            self.last_at = at
        for match in CONFIRMED.finditer(data):
            self.heard[match[1]] += 1
            self.heard_at[match[1]] = at
            end = max(end, match.end())
        self._tails[number] = data[max(end, len(data) - TAIL_BYTES) :]

    def close(self) -> None:
        self._closing = True
        self.join()
        for opened in self._sockets.values():
            opened.close()


def open_board(port: int, cookie: str, until: bytes) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=OPEN_WITHIN_S)
    opened.sendall(upgrade(port, cookie))
    data = b""
    while b"\r\n\r\n" not in data:
        data += opened.recv(READ_BYTES)
    assert b" 101 " in data, data
    opened.sendall(masked(SUBSCRIBE))
    while until not in data[-TAIL_BYTES - READ_BYTES :]:
        data += opened.recv(READ_BYTES)
    return opened
