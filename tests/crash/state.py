"""What a moment left behind in PostgreSQL, in Redis and on a screen, in words that compare.

What is new since the scene was set (ids, instants, references) is called just that: two runs of
the same command are equal if they had the same effect.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import redis.asyncio

from slots import keys
from slots.events import Position, missed
from slots.log import LogReader
from slots.territory import Territory
from web.catalogue import ActLabels
from web.live.feed import Feed

TABLES = "slot appointment hold_end idempotency_key outbox mail audit".split()
PACKED = ("states", "holders")  # MessagePack; the rest of a territory's keys is text
APART = ("log", "meta")  # told as events; positions and generations are their own affair
OF_A_TRY = {"attempts", "next_try_at"}  # of a mail: how often it took, not what became of it

# What may be new; the longest first, for an instant has digits that look like a reference.
FORMS = re.compile(
    r"(?P<an_instant>\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00))"
    r"|(?P<an_id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|(?P<a_millisecond>\b\d{13}\b)"
    r"|(?P<a_reference>\b[2-9A-HJ-NP-Z]{6}\b)"
)


@dataclass(frozen=True)
class Screen:
    """A subscriber's last snapshot: where it stood, and what was on it."""

    at: Position
    slots: list[bytes]

    @property
    def generation(self) -> str:
        return self.at.partition(".")[0]


@dataclass(frozen=True)
class State:
    """Lines about the ledger, the broker and the events since the scene was set; sorted, but for
    the events.
    """

    ledger: tuple[str, ...]
    broker: tuple[str, ...]
    told: tuple[str, ...]


class Words:
    """Tells what is known of the scene from what is new."""

    def __init__(self, *known: str) -> None:
        self.known = {_same(found[0]) for text in known for found in FORMS.finditer(text)}

    def of(self, text: str) -> str:
        """*text* in words that compare."""
        return FORMS.sub(self._word, text)

    def _word(self, found: re.Match[str]) -> str:
        return found[0] if _same(found[0]) in self.known else f"<{found.lastgroup}>"


async def ledger_rows(owner: asyncpg.Connection) -> list[str]:
    rows = []
    for table in TABLES:
        for record in await owner.fetch(f"SELECT to_jsonb({table})::text FROM {table}"):
            row = {
                column: value
                for column, value in json.loads(record[0]).items()
                if column not in OF_A_TRY and not (column == "id" and isinstance(value, int))
            }
            rows.append(f"{table} {json.dumps(row, sort_keys=True)}")
    return rows


async def broker_keys(client: redis.asyncio.Redis) -> list[str]:
    lines = []
    for key in await client.keys():
        what = key.decode().split(":")[2]
        if what in APART:
            continue
        lines += [f"{key.decode()} {_read(what, found)}" for found in await _held(client, key)]
    return lines


async def state_of(
    words: Words, owner: asyncpg.Connection, client: redis.asyncio.Redis, told: list[str]
) -> State:
    """Everything that outlives a process."""
    ledger = sorted(map(words.of, await ledger_rows(owner)))
    broker = sorted(map(words.of, await broker_keys(client)))
    return State(tuple(ledger), tuple(broker), tuple(map(words.of, told)))


async def followed(
    client: redis.asyncio.Redis, territory: Territory, screen: Screen | None
) -> tuple[Feed | None, list[str]]:
    """The last snapshot and the events since, as a subscriber applies them, and their lines.

    No feed where the log is another one: the subscriber takes a fresh snapshot, whatever came.
    """
    generation = await client.hget(keys.named(territory, "meta"), "generation")
    if screen is None or screen.generation != (generation or b"").decode():
        return None, []
    feed = Feed(territory, ActLabels())
    feed.load(screen.at, screen.slots, [])
    events = missed(screen.at, await LogReader(client).latest(territory))
    assert events is not None, "the subscriber's place is not in the log"
    assert all(feed.apply(event) for event in events), "the subscriber sees a hole"
    # Of two slots that one command has changed either may be told first.
    events = sorted(events, key=lambda event: event.slot_id)
    return feed, [f"{event.type} live={event.live} {event.slot.decode()}" for event in events]


async def _held(client: redis.asyncio.Redis, key: bytes) -> list[Any]:
    match await client.type(key):
        case b"hash":
            return [*(await client.hgetall(key)).items()]
        case b"zset":
            return await client.zrange(key, 0, -1, withscores=True)
        case _:
            return [(b"", await client.get(key))]


def _read(what: str, found: tuple[bytes, Any]) -> str:
    name, value = found
    if isinstance(value, float):
        return f"{name.decode()} {value:.0f}"
    if what not in PACKED:
        return f"{name.decode()} {value.decode()}"
    kept = msgspec.msgpack.decode(value)
    if what == "states":
        _, generation, *_ = kept
        assert generation.isdigit(), "the second field of a state is its generation"
        del kept[1]
    return f"{name.decode()} {json.dumps(kept, sort_keys=True)}"


def _same(found: str) -> str:
    """One spelling for an instant."""
    if ":" not in found:
        return found
    return str(datetime.fromisoformat(found).astimezone(UTC).timestamp())
