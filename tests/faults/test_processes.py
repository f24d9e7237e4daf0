"""What may be killed, frozen, thawed and started again."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from tests.faults.processes import Process, frozen
from workers.embedded.supervisor import Program

# A parent and a child that say what they are, and wait.
FAMILY = """
import subprocess, sys, signal
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print("born", child.pid, flush=True)
signal.pause()
"""
WITHIN_S = 20


@pytest.fixture
def family(tmp_path: Path):
    """A program with a child, which both run."""
    with Process(program(FAMILY, tmp_path / "log")) as process:
        comes_true(lambda: "born" in said(process))
        yield process


def program(code: str, log_path: Path) -> Program:
    command = [sys.executable, "-c", code]
    return Program("family", command, {}, Path("/"), log_path=log_path, stop_within_s=1.0)


def said(process: Process) -> str:
    return process.program.log_path.read_text()


def comes_true(condition) -> None:
    tick = threading.Event()
    for _ in range(WITHIN_S * 50):
        if condition():
            return
        tick.wait(0.02)
    pytest.fail("it never came true")


def states(processes: list[psutil.Process]) -> set[str]:
    return {process.status() for process in processes}


def test_who_is_frozen_stands_still_with_its_children_until_it_is_thawed(family):
    tree = family.tree()

    with frozen(family):
        comes_true(lambda: states(tree) == {psutil.STATUS_STOPPED})

    comes_true(lambda: psutil.STATUS_STOPPED not in states(tree))
    assert len(tree) == 2


@pytest.mark.parametrize("is_frozen", [False, True])
def test_who_is_killed_is_gone_with_its_children_and_may_start_again(family, is_frozen):
    tree = family.tree()
    if is_frozen:
        family.freeze()

    family.kill()

    assert not any(process.is_running() for process in tree)
    assert family.popen.returncode == -signal.SIGKILL
    assert not family.is_running
    family.start()
    comes_true(lambda: said(family).count("born") == 2)


def test_killing_who_is_dead_changes_nothing(family):
    family.kill()

    family.kill()
    family.freeze()
    family.thaw()
    family.stop()

    assert family.popen.returncode == -signal.SIGKILL


def test_who_is_frozen_can_be_stopped(tmp_path):
    process = Process(program("import signal; signal.pause()", tmp_path / "log")).start()
    process.freeze()

    process.stop()

    assert process.popen.returncode == -signal.SIGTERM


def test_who_does_not_stop_is_killed(tmp_path):
    deaf = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)\n"
    )
    process = Process(program(f"{deaf}while True: signal.pause()", tmp_path / "log")).start()
    comes_true(lambda: "deaf" in said(process))

    process.stop()

    assert process.popen.returncode == -signal.SIGKILL


def test_it_ends_with_its_block(tmp_path):
    with Process(program("import signal; signal.pause()", tmp_path / "log")) as process:
        assert process.is_running

    assert isinstance(process.popen, subprocess.Popen)
    assert not process.is_running
