"""A territory's log in Redis, as its readers see it. The writers are the Lua scripts."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from slots import keys, redis_url
from slots.errors import BrokerUnavailable
from slots.events import Event, Position, position
from slots.ids import SlotId, TerritoryId
from slots.territory import Territory

BLOCK_MS: Final = 1_000  # how long one XREAD waits; a reader that waits longer is not alive
READ_MAX: Final = 500  # entries a stream and a call
LOG_STARTED: Final = "log.started"
NO_SLOT: Final = SlotId(UUID(int=0))


class LogReader:
    """Waits for what happens. One per process and partition: its connection blocks."""

    def __init__(self, redis: Any) -> None:
        """Read through *redis*, whose answers may take BLOCK_MS."""
        self.redis = redis

    @classmethod
    def connect(cls, url: str) -> "LogReader":
        """A reader for a Redis URL, with a time-out that allows for the blocking."""
        timeout_s = redis_url.ANSWER_TIMEOUT_S + BLOCK_MS / 1000
        return cls(redis_url.connect(url, answer_timeout_s=timeout_s))

    async def close(self) -> None:
        """End the connection."""
        await self.redis.aclose()

    async def read(
        self, after: Mapping[Territory, Position], block_ms: int = BLOCK_MS
    ) -> dict[TerritoryId, list[Event]]:
        """What was appended after these positions, waiting up to *block_ms* for the first.

        One blocking XREAD: on a Cluster all territories must be of one partition. A log that was
        replaced shows as `log.started`, or not at all: the position's probe tells.

        Raises:
            BrokerUnavailable: The server is dead, frozen or unreachable.
        """
        streams = {
            keys.named(territory, "log"): at.partition(".")[2] or "0"
            for territory, at in after.items()
        }
        try:
            answer = await self.redis.xread(streams, count=READ_MAX, block=block_ms)
        except redis_url.UNAVAILABLE as error:
            raise BrokerUnavailable from error
        return {
            keys.territory_of(stream.decode()): [_event(*entry) for entry in entries]
            for stream, entries in answer or []
        }

    async def latest(self, territory: Territory, limit: int = READ_MAX) -> list[Event]:
        """The newest *limit* events, oldest first, for one who starts and may be asked to resume.

        Raises:
            BrokerUnavailable: The server is dead, frozen or unreachable.
        """
        try:
            entries = await self.redis.xrevrange(keys.named(territory, "log"), count=limit)
        except redis_url.UNAVAILABLE as error:
            raise BrokerUnavailable from error
        return [_event(*entry) for entry in reversed(entries)]


def _event(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Event:
    generation = int(fields[b"generation"])
    slot_id = fields[b"slot_id"]
    return Event(
        at=position(generation, entry_id.decode()),
        prev=position(generation, fields[b"prev"].decode()),
        type=fields[b"type"].decode(),
        slot_id=SlotId(UUID(slot_id.decode())) if slot_id else NO_SLOT,
        live=fields[b"live"] == b"1",
        slot=fields[b"slot"],
    )
