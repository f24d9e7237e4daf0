"""Numbers every statement that this process sends to PostgreSQL and Redis, and can die at one.

The drivers are wrapped at their narrowest place, where a statement leaves and its answer arrives,
and only inside a process that a test has started to be killed: production pays nothing, and nothing
that is sent can pass unnoticed, however it was asked for. Opening a connection, preparing a
statement and asking for the types in it are the driver's own and change nothing: not counted.
"""

import os
import signal
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import asyncpg.protocol
from asyncpg import introspection
from redis.asyncio.connection import AbstractConnection

from slots import lane, queries, scripts

EXECUTING = ("query", "bind_execute", "bind_execute_many", "execute", "copy_in", "copy_out")
OF_THE_DRIVER = (introspection.INTRO_LOOKUP_TYPES, "set_config('jit'")

When = Literal["before", "after"]


@dataclass(frozen=True)
class Death:
    """The moment: before the *number*th statement leaves, or after the server has executed it and
    before anybody has seen its answer.
    """

    when: When
    number: int


class Tracer:
    """Hears of statements from the moment that it `listens`."""

    def __init__(self, death: Death | None, last_words: Callable[[str], None]) -> None:
        self.death = death
        self.last_words = last_words
        self.listens = False
        self.statements: list[str] = []

    def sends(self, name: str) -> int:
        """A statement is about to leave. Returns its number; 0 where nobody listens."""
        if not (self.listens and name):
            return 0
        self.statements.append(name)
        number = len(self.statements)
        self._die_at("before", number)
        return number

    def answered(self, number: int) -> None:
        """The server has executed it."""
        if number:
            self._die_at("after", number)

    @contextmanager
    def statement(self, name: str) -> Iterator[None]:
        number = self.sends(name)
        try:
            yield
        finally:
            self.answered(number)

    def _die_at(self, when: When, number: int) -> None:
        if self.death == Death(when, number):
            self.last_words(self.statements[number - 1])
            os.kill(os.getpid(), signal.SIGKILL)


def trace_drivers(tracer: Tracer) -> None:
    """From now on *tracer* hears of this process's statements. There is no way back."""
    traced = {name: _executing(tracer, name) for name in EXECUTING}
    # asyncpg makes each connection's protocol from this name.
    asyncpg.protocol.Protocol = type("Protocol", (asyncpg.protocol.Protocol,), traced)  # type: ignore[misc]
    _trace_redis(tracer)


def _executing(tracer: Tracer, method: str) -> Any:
    original = getattr(asyncpg.protocol.Protocol, method)

    async def execute(self: Any, *arguments: Any, **named: Any) -> Any:
        # First comes the text, or the prepared statement that has it.
        subject = arguments[0] if arguments else named["state"]
        with tracer.statement(name_of_sql(getattr(subject, "query", subject))):
            return await original(self, *arguments, **named)

    return execute


def _trace_redis(tracer: Tracer) -> None:
    send, read = AbstractConnection.send_packed_command, AbstractConnection.read_response
    write = lane._Turn._write
    on_their_way: defaultdict[AbstractConnection, deque[int]] = defaultdict(deque)

    async def send_traced(self: AbstractConnection, command: Any, *rest: Any, **named: Any) -> None:
        packed = command if isinstance(command, bytes) else b"".join(command)
        on_their_way[self].append(tracer.sends(name_of_command(packed)))
        await send(self, command, *rest, **named)

    def write_traced(self: lane._Turn, words: tuple[lane.Word, ...], answer: lane.Answer) -> None:
        packed = b"".join(self._connection.pack_command(*words))
        on_their_way[self._connection].append(tracer.sends(name_of_command(packed)))
        write(self, words, answer)

    async def read_traced(self: AbstractConnection, *arguments: Any, **named: Any) -> Any:
        try:
            return await read(self, *arguments, **named)
        finally:
            # They are answered in the order in which they were sent.
            waiting = on_their_way[self]
            tracer.answered(waiting.popleft() if waiting else 0)

    AbstractConnection.send_packed_command = send_traced  # type: ignore[method-assign]
    AbstractConnection.read_response = read_traced  # type: ignore[method-assign]
    lane._Turn._write = write_traced  # type: ignore[method-assign]


def name_of_sql(text: str) -> str:
    """The name that sql/*.sql gives it, else its first word; nothing for the driver's own."""
    if any(own in text for own in OF_THE_DRIVER):
        return ""
    return _names_of_queries().get(text) or text.split(maxsplit=1)[0].strip(";")


def name_of_command(packed: bytes) -> str:
    """The script that a packed command runs; else the command. (RESP: length, then word.)"""
    words = packed.split(b"\r\n", 5)[2::2]
    if words[0] == b"EVALSHA":
        return _names_of_scripts().get(words[1].decode(), "EVALSHA")
    return words[0].decode()


@cache
def _names_of_queries() -> dict[str, str]:
    files = [path.name for path in queries.SQL_DIRECTORY.glob("*.sql") if path.stem != "schema"]
    return {query.sql: query.name for name in files for query in queries.load(name).values()}


@cache
def _names_of_scripts() -> dict[str, str]:
    return {scripts.load(name).sha: f"{name}.lua" for name in scripts.SCRIPT_NAMES}
