"""A fresh clone, and the two commands of the README."""

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from slots.settings import Settings
from tests.conftest import apart
from tests.running.conftest import PROJECT, STOP_WITHIN_S, Up, all_end, kill_all
from workers.demo.client import Client

INSTALLS_WITHIN_S = 900  # the wheels come over the network
DAY_WITHIN_S = 300
SECOND_START_S = 10
ACCOUNT = re.compile(r"^  (\w+) +([\w-]+) +(\S+@\S+) +(\S+)$", re.MULTILINE)
ROLES = {"professional", "delegate", "referrer", "regulator", "coordinator"}


class Clone(Up):
    """A clone in an empty folder, run by `make run` with nothing set but its PORT."""

    @property
    def folder(self) -> Path:
        return self.data_dir.parent

    def start(self) -> "Clone":
        self.lines = []
        self.process = subprocess.Popen(
            ["make", "run"],
            cwd=self.folder,
            env=newcomers_environ() | {"PORT": str(self.port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # a group of its own, as each command in a terminal has
        )
        # Read on and on, as a terminal does: a full pipe would hold up the service.
        self.printed = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(self.process, self.printed), daemon=True).start()
        return self

    @staticmethod
    def _read(process, printed) -> None:
        with process.stdout:
            for line in process.stdout:
                printed.put(line)
        printed.put("")  # it ended

    def wait_for(self, words: str) -> "Clone":
        while True:
            line = self.printed.get(timeout=INSTALLS_WITHIN_S)
            assert line, f"it ended without saying {words!r}:\n{''.join(self.lines)}"
            self.lines.append(line)
            if words in line:
                return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal make; what it runs is told by make, or by the terminal."""
        self.process.send_signal(number)
        return self.process.wait(STOP_WITHIN_S)

    def ctrl_c(self) -> int:
        """As a terminal does: to make and to all that it runs in the foreground."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_WITHIN_S)

    def second_terminal(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What `chrono48` says there, where not even PORT is set."""
        return subprocess.run(
            [".venv/bin/chrono48", *words],
            cwd=self.folder,
            env=newcomers_environ(),
            capture_output=True,
            text=True,
            timeout=DAY_WITHIN_S,
            check=False,
        )


@pytest.fixture
def clone() -> Iterator[Clone]:
    folder = Path(tempfile.mkdtemp(prefix="chrono48-clone-"))  # private, as a home may be
    subprocess.run(["git", "clone", "--quiet", str(PROJECT), folder], check=True)
    clone = Clone(folder / ".data")
    yield clone
    if clone.process is not None and clone.process.poll() is None:
        kill_all(clone.tree())  # only where the test failed
        clone.process.wait(STOP_WITHIN_S)
    shutil.rmtree(folder)


@pytest.mark.prove
@pytest.mark.timeout(INSTALLS_WITHIN_S + DAY_WITHIN_S)
def test_a_fresh_clone_runs_by_one_command_and_plays_a_day_by_a_second(clone):
    clone.ready()
    printed = "".join(clone.lines)
    assert f"is ready: {clone.url}\n" in printed
    assert httpx.get(f"{clone.url}/readyz", trust_env=False).status_code == 200
    the_printed_accounts_sign_in(clone.url, printed)

    day = clone.second_terminal("demo", "day", "--speed", "0")
    assert day.returncode == 0, day.stdout + day.stderr

    doctor = clone.second_terminal("doctor").stdout
    for part in ("PostgreSQL", "Redis", "web", "worker"):
        assert re.search(rf"^ok +{part} ", doctor, re.MULTILINE), doctor
    assert git_status(clone.folder) == ""  # what it leaves there, git ignores

    processes = clone.tree()
    clone.ctrl_c()
    assert all_end(processes)

    started = time.monotonic()
    clone.ready()
    assert time.monotonic() - started < SECOND_START_S
    the_printed_accounts_sign_in(clone.url, "".join(clone.lines))

    processes = clone.tree()
    clone.stop()  # as whoever runs it in the background would
    assert all_end(processes)


def the_printed_accounts_sign_in(url, printed):
    """Each of them, with the role that is printed beside it; there is one of each."""
    accounts = ACCOUNT.findall(printed)
    assert {role for role, *_ in accounts} == ROLES, printed

    async def sign_in():
        for role, territory, email, password in accounts:
            async with Client(url, email, password) as client:
                session = await client.sign_in()
            assert territory in session.roles[role], json.dumps([email, role, territory])

    apart(sign_in())


def newcomers_environ() -> dict[str, str]:
    """This machine's environment (its proxy, its certificates), without any setting of ours."""
    settings = {field.name.upper() for field in fields(Settings)}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in settings and not name.startswith(("VIRTUAL_ENV", "PYTHON", "MAKE", "MFLAGS"))
    }


def git_status(folder):
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
