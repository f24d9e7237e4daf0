"""Redis and the worker: right version, nothing thrown away, boards built, loops alive."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from slots import redis_url
from slots.desk import close_desk, open_desk
from slots.errors import Unavailable
from slots.settings import Settings
from workers.doctor.finding import Finding, skew
from workers.pulse import Pulse, pulses

ABOUT: Final = "Redis"
REDIS_MIN: Final = (7, 0)
VALKEY_MIN: Final = (8, 0)
SKEW_MAX: Final = timedelta(seconds=2)
BAD: Final = (RedisError, OSError, TimeoutError)
LATE_ROUNDS: Final = 10  # a loop without a good round for so many periods is stuck
LATE_AT_LEAST_S: Final = 30.0


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything about Redis, then about the worker that keeps it."""
    if not settings.redis_url:
        yield Finding(ABOUT, "REDIS_URL is missing", "set REDIS_URL, or run `make run` once")
        return
    try:
        redis = redis_url.connect(settings.redis_url)
    except ValueError as error:
        yield Finding(ABOUT, f"REDIS_URL makes no sense: {error}", "correct REDIS_URL")
        return
    try:
        async for finding in _server(redis):
            yield finding
    except AuthenticationError as error:
        yield Finding(ABOUT, f"refuses us: {error}", "correct the password in REDIS_URL")
        return
    except BAD as error:
        yield Finding(
            ABOUT,
            f"cannot be reached: {str(error) or type(error).__name__}",
            "start it (`make run` starts ours); else check host and port in REDIS_URL. "
            "Until then nothing can be held",
        )
        return
    finally:
        with suppress(*BAD):
            await redis.aclose()
    async for finding in _boards(settings):
        yield finding
    for finding in await _workers(settings):
        yield finding


async def _server(redis: Any) -> AsyncIterator[Finding]:
    await redis.ping()
    facts = _one_node(await redis.info())
    yield _version(facts)
    policy = str(facts.get("maxmemory_policy", ""))
    if policy and policy != "noeviction":
        yield Finding(
            "eviction",
            f"maxmemory-policy is {policy}: a hold may vanish when memory is full",
            "set maxmemory-policy noeviction",
        )
    else:
        yield Finding("eviction", "nothing is thrown away when memory is full")
    yield await _persistence(redis, facts)
    if facts.get("role", "master") != "master":
        yield Finding(
            "replication", "this server is a replica", "let REDIS_URL name the primary, or Sentinel"
        )
    before = datetime.now(UTC)
    with suppress(RedisError):  # a cluster has many clocks; its nodes agree by themselves
        seconds, micros = await redis.time()
        there = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)
        yield skew("Redis clock", there - before, SKEW_MAX)


def _version(facts: Mapping[str, Any]) -> Finding:
    is_valkey = "valkey_version" in facts
    name, least = ("Valkey", VALKEY_MIN) if is_valkey else ("Redis", REDIS_MIN)
    version = str(facts["valkey_version" if is_valkey else "redis_version"])
    numbers = tuple(int(word) for word in version.split(".")[:2] if word.isdigit())
    if numbers < least:
        wanted = "Redis 7.0 or Valkey 8.0, or later"
        return Finding(ABOUT, f"is {name} {version}", f"use {wanted}")
    return Finding(ABOUT, f"{name} {version} answers")


async def _persistence(redis: Any, facts: Mapping[str, Any]) -> Finding:
    if not int(facts.get("aof_enabled", 0)):
        return Finding(
            "persistence",
            "there is no append-only file: a restart forgets every hold",
            "set appendonly yes and appendfsync always",
        )
    try:
        found = _one_node(await redis.config_get("appendfsync"))
    except ResponseError:
        return Finding("persistence", "append-only file (appendfsync may not be read here)")
    fsync = found.get("appendfsync", "")
    if fsync != "always":
        return Finding(
            "persistence",
            f"appendfsync is {fsync}: a crash forgets the last holds",
            "set appendfsync always",
        )
    return Finding("persistence", "each write is on the disk before its answer")


async def _boards(settings: Settings) -> AsyncIterator[Finding]:
    """Whether each territory has a live log that may be trusted: the worker builds it."""
    if not settings.database_url:
        return
    try:
        desk = await open_desk(settings)
    except (Unavailable, OSError, ValueError):
        return  # said under PostgreSQL
    try:
        for territory in desk.territories.by_id.values():
            position = await desk.broker.position(territory)
            if position is None:
                yield Finding(
                    "board",
                    f"{territory.slug} has no live board yet, or it is being rebuilt",
                    "start the worker: it rebuilds within a second; else read its log",
                )
            else:
                yield Finding("board", f"{territory.slug} stands at {position}")
    except Unavailable as error:
        yield Finding("board", f"cannot be read: {error}", "look at Redis above")
    finally:
        await close_desk(desk)


async def _workers(settings: Settings) -> list[Finding]:
    try:
        living = await pulses(settings.queue_redis_url or settings.redis_url)
    except (Unavailable, ValueError) as error:
        return [Finding("worker", f"QUEUE_REDIS_URL: {error}", "correct QUEUE_REDIS_URL")]
    if not living:
        remedy = "start it: `python -m workers` (the Procfile's `worker`)"
        return [Finding("worker", "no worker is alive", remedy)]
    return [_worker(pulse, settings) for pulse in living]


def _worker(pulse: Pulse, settings: Settings) -> Finding:
    # Of territories that have set none; what they set is read with each slot, by everybody alike.
    if pulse.horizon_hours != settings.horizon_hours:
        return Finding(
            "worker",
            f"{pulse.worker} has HORIZON_HOURS {pulse.horizon_hours}, "
            f"and here it is {settings.horizon_hours}: they undo each other's boards",
            "start every web process and worker with the same HORIZON_HOURS",
        )
    failing = [f"{loop.name} ({loop.failing})" for loop in pulse.loops if loop.failing]
    late = [
        loop.name
        for loop in pulse.loops
        if loop.good_s_ago is not None
        and loop.good_s_ago > max(LATE_ROUNDS * loop.every_s, LATE_AT_LEAST_S)
    ]
    if failing or late:
        words = ", ".join([*failing, *(f"{name} (late)" for name in late)])
        return Finding("worker", f"{pulse.worker} is alive, but fails at: {words}", "read its log")
    return Finding("worker", f"{pulse.worker} is alive, {len(pulse.loops)} loops go well")


def _one_node(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """A cluster answers by node; its nodes are configured alike."""
    values = list(answer.values())
    if values and all(isinstance(value, dict) for value in values) and "role" not in answer:
        first: Mapping[str, Any] = values[0]
        return first
    return answer
