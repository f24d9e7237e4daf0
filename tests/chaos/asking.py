"""One client's way to the service: either web process through its proxy, and again until it knows."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

from tests.bench.client import Answer, Connection
from tests.chaos.ground import Person

ANSWER_WITHIN_S = 6.0  # the service promises 5
AGAIN_AFTER_S = 1.0  # as the service asks in Retry-After
GIVES_UP_AFTER_S = 20.0  # then its user does something else, and the outcome is unknown
ANSWER_BYTES_MAX = 2**22
BLUNDER = "blunder"  # what is asked to be refused
BROKEN = (OSError, EOFError, asyncio.LimitOverrunError, ValueError)


@dataclass(frozen=True)
class Way:
    """A web process as clients reach it: the proxy's port, and the process's own in `Host`."""

    name: str
    port: int
    host: str

    @property
    def origin(self) -> str:
        return f"http://{self.host}"


@dataclass
class Told:
    """What all clients were told, in numbers. *nonsense*: answers that no fault explains."""

    answers: Counter[str] = field(default_factory=Counter)
    nonsense: list[str] = field(default_factory=list)

    def note(self, verb: str, answer: Answer) -> None:
        word = word_of(answer)
        self.answers[f"{verb} {answer.status} {word}"] += 1
        if answer.status == 500 or (verb != BLUNDER and (answer.status == 401 or word is None)):
            self.nonsense.append(f"{verb}: {answer.status} {answer.body[:200]!r}")


def word_of(answer: Answer) -> str | None:
    """`done`, or the code of the refusal; None where it says nothing that we understand."""
    if answer.status < 300:
        return "done"
    try:
        return json.loads(answer.body)["code"]
    except (ValueError, KeyError, TypeError):
        return None


async def passes(seconds: float, unless: asyncio.Event | None = None) -> None:
    """Time, as it passes between the deeds of people; *unless* cuts it short."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await (unless or asyncio.Event()).wait()


class Asker:
    """Asks for one person, until it is *over*; what was asked then is still to be known."""

    def __init__(
        self,
        person: Person,
        ways: Sequence[Way],
        told: Told,
        random: Random,
        over: asyncio.Event,
        again_after_s: float = AGAIN_AFTER_S,
    ) -> None:
        self.person, self.ways, self.told = person, ways, told
        self.again_after_s = again_after_s
        self.random, self.over = random, over
        self._connections: dict[Way, Connection] = {}

    async def command(
        self, verb: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Answer | None:
        """Ask under one new key until the outcome is known. None: it never was."""
        headers = [f"Idempotency-Key: {uuid4()}", "Content-Type: application/json"]
        text = json.dumps(body or {}).encode()
        loop = asyncio.get_running_loop()
        gives_up_at = loop.time() + GIVES_UP_AFTER_S
        way = self.random.choice(self.ways)
        while True:
            answer = await self.once(verb, way, method, path, headers, text)
            if answer is not None and answer.status < 500:
                return answer
            if loop.time() > gives_up_at:
                return None
            await passes(self.again_after_s)
            way = self.random.choice(self.ways)

    async def once(
        self,
        verb: str,
        way: Way,
        method: str,
        path: str,
        headers: Sequence[str] = (),
        body: bytes = b"",
    ) -> Answer | None:
        """One try. None where no answer came: what was asked may have been done."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                connection = await self._connection(way)
                answer = await connection.ask(method, path, [*self._own(way), *headers], body)
        except BROKEN:
            self._drop(way)
            return None
        self.told.note(verb, answer)
        return answer

    def leave(self) -> None:
        for way in list(self._connections):
            self._drop(way)

    def _own(self, way: Way) -> list[str]:
        return [f"Cookie: chrono48={self.person.token}", f"Origin: {way.origin}"]

    async def _connection(self, way: Way) -> Connection:
        if way not in self._connections:
            ends = await asyncio.open_connection("127.0.0.1", way.port, limit=ANSWER_BYTES_MAX)
            self._connections[way] = Connection(int(way.host.partition(":")[2]), *ends)
        return self._connections[way]

    def _drop(self, way: Way) -> None:
        if connection := self._connections.pop(way, None):
            connection.writer.transport.abort()
