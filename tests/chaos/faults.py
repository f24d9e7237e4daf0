"""What goes wrong, how, and in which order: all of it drawn from one seed."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import redis.asyncio

from tests.chaos.asking import passes
from tests.chaos.stage import BROKER, CLIENTS, LEDGER, WEBS, Stage
from tests.faults.proxy import Proxy
from tests.proof.history import Recorder

AT_LEAST_S, AT_MOST_S = 0.3, 3.5  # how long a fault lasts; a cut or a flush is a moment
DELAY_AT_MOST_S = 0.4  # each way


@dataclass(frozen=True)
class Kind:
    """One way to go wrong. *what*: a process or a link."""

    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.what} {self.how}"


PROCESSES = [
    Kind(what, how)
    for what in ("web", "worker", BROKER, LEDGER)
    for how in ("killed", "frozen", "restarted")
]
LINKS = [
    Kind(f"{link} link", how)
    for link in (CLIENTS, BROKER, LEDGER)
    for how in ("loses replies", "delayed", "cut")
]
EMPTIED = Kind(BROKER, "emptied")
KINDS = [*PROCESSES, *LINKS, EMPTIED]


@dataclass(frozen=True)
class Blow:
    """One fault to come. *victim*: of several web processes, the one that it strikes."""

    kind: Kind
    lasts_s: float
    victim: str
    delay_s: float


def schedule(random: Random, kinds: Sequence[Kind]) -> Iterator[tuple[Blow, ...]]:
    """Each kind once, in random order; then two at once, for ever."""
    for kind in random.sample(kinds, len(kinds)):
        yield (_blow(random, kind),)
    while len({kind.what for kind in kinds}) < 2:
        yield (_blow(random, random.choice(kinds)),)
    while True:
        pair = [_blow(random, kind) for kind in random.choices(kinds, k=2)]
        # Two may not quarrel over the same process or link.
        if pair[0].kind.what != pair[1].kind.what:
            yield tuple(pair)


def _blow(random: Random, kind: Kind) -> Blow:
    victim = random.choice(WEBS) if kind.what == "web" else kind.what
    lasts_s = random.uniform(AT_LEAST_S, AT_MOST_S)
    return Blow(kind, lasts_s, victim, random.uniform(0.02, DELAY_AT_MOST_S))


async def strike(stage: Stage, history: Recorder, blow: Blow) -> bool:
    """From the blow to its end. Returns whether anybody can have felt it."""
    if blow.kind == EMPTIED:
        await _empty(stage, history)
        return True
    if blow.kind in LINKS:
        link, _, _ = blow.kind.what.partition(" ")
        return await _on_link(stage.links[link], blow)
    process = stage.processes[blow.victim]
    match blow.kind.how:
        case "killed":
            stage.down.add(blow.victim)
            await asyncio.to_thread(process.kill)
            await passes(blow.lasts_s)
            await stage.start(blow.victim)
        case "frozen":
            process.freeze()
            await passes(blow.lasts_s)
            process.thaw()
        case "restarted":
            stage.down.add(blow.victim)
            await asyncio.to_thread(process.stop)
            await stage.start(blow.victim)
    return True


async def _on_link(proxies: Sequence[Proxy], blow: Blow) -> bool:
    lost = sum(proxy.replies_lost for proxy in proxies)
    lines = sum(len(proxy.lines) for proxy in proxies)
    for proxy in proxies:
        match blow.kind.how:
            case "loses replies":
                proxy.lose_replies()
            case "delayed":
                proxy.delay(blow.delay_s)
            case "cut":
                proxy.cut()
    await passes(blow.lasts_s)
    for proxy in proxies:
        proxy.mend()
    if blow.kind.how == "loses replies":
        return sum(proxy.replies_lost for proxy in proxies) > lost
    return lines > 0


async def _empty(stage: Stage, history: Recorder) -> None:
    since = time.monotonic()
    async with redis.asyncio.from_url(stage.valkey.url) as client:
        await client.flushall()
    history.lost(since, time.monotonic())
