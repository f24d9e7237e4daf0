"""A process that does one deed and dies at a statement of it, by SIGKILL.

It is forked from a server that has imported everything (`multiprocessing`'s own), so that a kill
costs a fork and not a start of Python.
"""

import asyncio
import logging
import multiprocessing
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

import structlog

from slots.settings import Settings
from tests.crash.process import Deed, started
from tests.crash.tracer import Death, Tracer, trace_drivers

WITHIN_S = 30.0

# Takes away a guard of this process, for a control run.
Sabotage = Callable[[], None]

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Lived:
    """It was not killed: every statement that it sent."""

    statements: list[str]


async def run(
    settings: Settings, deed: Deed, death: Death | None, sabotage: Sabotage | None = None
) -> Lived | str:
    """Do *deed* in a process of its own. Returns the statement that it died at, where it died."""
    ours, theirs = _fork.Pipe(duplex=False)
    child = _fork.Process(target=_live, args=(theirs, settings, deed, death, sabotage), daemon=True)
    child.start()
    theirs.close()
    await asyncio.to_thread(child.join, WITHIN_S)
    if child.is_alive():
        child.kill()
        raise TimeoutError(f"{deed} took too long")
    word: Lived | str = ours.recv()
    assert child.exitcode == (-signal.SIGKILL if isinstance(word, str) else 0), word
    child.close()
    ours.close()
    return word


def _live(
    words: Connection,
    settings: Settings,
    deed: Deed,
    death: Death | None,
    sabotage: Sabotage | None,
) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    tracer = Tracer(death, words.send)
    trace_drivers(tracer)
    if sabotage is not None:
        sabotage()
    words.send(asyncio.run(_do(settings, deed, tracer)))


async def _do(settings: Settings, deed: Deed, tracer: Tracer) -> Lived:
    async with started(settings) as process:
        tracer.listens = True
        await process.do(deed)
        tracer.listens = False
    return Lived(tracer.statements)
