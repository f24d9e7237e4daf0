"""One connection on which all scripts of a process go to Redis, each after the other, unawaited.

With a connection each, a busy process writes, waits, reads and sets a timer for every hold. On the
lane a question is written at once, behind those that wait for their answers, and Redis answers in
that order (https://redis.io/docs/latest/develop/using-commands/pipelining/). It runs them one by
one as ever, and each has its own answer or its own refusal.
"""

import asyncio
from collections import deque
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ConnectionError, DataError, ResponseError  # noqa: A004

Word = str | bytes | int
Answer = asyncio.Future[Any]

# A turn holds one connection of the pool, which looks each time whether it still leads to the
# primary: so a turn must not last for ever, however much is asked.
TURN_S: Final = 1.0
# What is written at once; the rest waits for the end of the loop's round, so that one write takes
# many questions. A few at a time, and Redis works while we do.
WRITTEN_AT_ONCE_BYTES: Final = 4_096


def lane_to(redis: Any) -> Any:
    """The lane to a server, or *redis* itself: a cluster's client finds a node for each script."""
    return Lane(redis.connection_pool) if isinstance(redis, Redis) else redis


class Lane:
    """`evalsha` and `eval` of redis-py, for one process. Safe to share between tasks."""

    def __init__(self, pool: Any, turn_s: float = TURN_S) -> None:
        """Take connections to one server from *pool*, each for *turn_s* at most."""
        self._pool = pool
        self._turn_s = turn_s
        self._turn: _Turn | None = None
        self._turns: set[asyncio.Task[None]] = set()

    async def evalsha(self, sha: str, count: int, *words: Word) -> Any:
        """Run a script by its hash, once.

        Raises:
            redis.RedisError, OSError: As the client does. Where the connection was lost, whether
                it ran is unknown.
        """
        return await self._ask("EVALSHA", sha, count, *words)

    async def eval(self, text: str, count: int, *words: Word) -> Any:
        """Run a script, once, and let Redis remember it. Raises as `evalsha`."""
        return await self._ask("EVAL", text, count, *words)

    def _ask(self, *words: Word) -> Answer:
        if self._turn is None or not self._turn.takes_more:
            self._turn = _Turn(self._pool, self._turn_s)
            task = asyncio.create_task(self._turn.run())
            self._turns.add(task)
            task.add_done_callback(self._turns.discard)
        return self._turn.ask(words)


class _Turn:
    """One borrowing of one connection: from a first question until none waits for its answer."""

    def __init__(self, pool: Any, at_most_s: float) -> None:
        self.takes_more = True
        self._pool, self._at_most_s = pool, at_most_s
        self._loop = asyncio.get_running_loop()
        self._connection: Any = None
        self._unsent: list[tuple[tuple[Word, ...], Answer]] = []
        self._sent: deque[Answer] = deque()

    def ask(self, words: tuple[Word, ...]) -> Answer:
        """The answer to come. Written now, or as soon as there is a connection."""
        answer = self._loop.create_future()
        if self._connection is None:
            self._unsent.append((words, answer))
        else:
            self._write(words, answer)
        return answer

    def _write(self, words: tuple[Word, ...], answer: Answer) -> None:
        # redis-py's own way to write awaits, once for each question.
        self._writer.writelines(self._connection.pack_command(*words))
        self._sent.append(answer)

    @property
    def _writer(self) -> Any:
        """Raises ConnectionError where it was closed, and whoever reads has not yet heard of it."""
        writer = self._connection._writer  # noqa: SLF001
        if writer is None or writer.transport.is_closing():
            raise ConnectionError("closed while it was used")
        return writer

    async def run(self) -> None:
        """Send, read, and give the connection back. Whoever asked is told, whatever happens."""
        error: Exception = ConnectionError("the process ends")
        try:
            connection = await self._pool.get_connection()
            try:
                self._begin(connection)
                await self._read()
            except BaseException:
                # An answer on its way must never become that of the next question.
                await connection.disconnect(nowait=True)
                raise
            finally:
                self.takes_more = False
                await self._pool.release(connection)
        except Exception as found:  # noqa: BLE001 - told to whoever asked
            error = found
        finally:
            self.takes_more = False
            for answer in (*self._sent, *(answer for _, answer in self._unsent)):
                if not answer.done():
                    answer.set_exception(error)

    def _begin(self, connection: Any) -> None:
        self._connection = connection
        self._writer.transport.set_write_buffer_limits(high=WRITTEN_AT_ONCE_BYTES)
        unsent, self._unsent = self._unsent, []
        for words, answer in unsent:
            # Whoever has given up meanwhile must not get what they no longer wait for.
            if not answer.done():
                try:
                    self._write(words, answer)
                except (DataError, ConnectionError) as error:
                    answer.set_exception(error)

    async def _read(self) -> None:
        ends_at = self._loop.time() + self._at_most_s
        while self._sent:
            refusal = value = None
            try:
                value = await self._connection.read_response()
            except ResponseError as error:
                refusal = error
            answer = self._sent.popleft()
            if self._loop.time() >= ends_at:
                self.takes_more = False
            if answer.done():
                continue
            if refusal is None:
                answer.set_result(value)
            else:
                answer.set_exception(refusal)
