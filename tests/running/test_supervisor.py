"""The supervisor: starts again what dies, ends what will not."""

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from workers.embedded.supervisor import BACKOFF_FIRST_S, Program, Supervisor

SAYS_ITS_NUMBER = "import os, sys; pipe = open(sys.argv[1], 'w'); print(os.getpid(), file=pipe);"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
FOR_EVER = "pipe.close(); import signal; signal.pause()"


@pytest.fixture
def pipe(tmp_path):
    """A pipe by which a child says that it lives."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture
async def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path)
    yield supervisor
    await supervisor.stop()


def program(pipe, script, **options):
    command = [sys.executable, "-c", script, str(pipe)]
    return Program("child", command, {"PATH": os.environ["PATH"]}, Path("/"), **options)


async def said(pipe):
    """The number that the next child says."""
    return int(await asyncio.to_thread(pipe.read_text))


async def test_what_dies_is_started_again_after_a_while(supervisor, pipe):
    child = supervisor.start(program(pipe, SAYS_ITS_NUMBER))
    loop = asyncio.get_running_loop()

    first = await said(pipe)
    started = loop.time()
    second = await said(pipe)

    assert first != second
    assert loop.time() - started >= BACKOFF_FIRST_S * 0.9
    assert child.starts == 2


async def test_what_is_stopped_stays_stopped(supervisor, pipe):
    supervisor.start(program(pipe, SAYS_ITS_NUMBER + FOR_EVER))
    child = await said(pipe)

    await supervisor.stop()

    assert not psutil.pid_exists(child)
    assert [path.name for path in pipe.parent.iterdir()] == ["pipe"]


async def test_what_ignores_a_polite_signal_is_killed(supervisor, pipe):
    stubborn = program(pipe, STUBBORN + SAYS_ITS_NUMBER + FOR_EVER, stop_within_s=0.2)
    supervisor.start(stubborn)
    child = await said(pipe)

    await supervisor.stop()

    assert not psutil.pid_exists(child)


async def test_stopping_while_a_child_is_between_two_lives_is_at_once(supervisor, pipe):
    child = supervisor.start(program(pipe, SAYS_ITS_NUMBER))
    await said(pipe)
    await child.process.wait()

    async with asyncio.timeout(5):
        await supervisor.stop()


async def test_a_program_that_does_not_exist_does_not_end_the_others(supervisor, pipe, tmp_path):
    supervisor.start(Program("missing", [str(tmp_path / "nothing")], {}, Path("/")))
    supervisor.start(program(pipe, SAYS_ITS_NUMBER + FOR_EVER))

    assert psutil.pid_exists(await said(pipe))


async def test_a_large_log_is_set_aside(supervisor, pipe, tmp_path):
    log_path = tmp_path / "child.log"
    with log_path.open("wb") as log:
        log.truncate(10_000_001)

    supervisor.start(program(pipe, SAYS_ITS_NUMBER + FOR_EVER, log_path=log_path))
    await said(pipe)

    assert log_path.stat().st_size == 0
    assert (tmp_path / "child.old.log").exists()
