"""A real `chrono48 up`, in a folder of its own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from workers.embedded.account import SystemAccount, launched
from workers.embedded.choices import Choices

PROJECT = Path(__file__).parents[2]
TINY_PROCFILE = Path(__file__).with_name("Procfile")
STOP_WITHIN_S = 30
DIE_WITHIN_S = 20


@dataclass
class Up:
    """One installation, started and stopped as its user would."""

    data_dir: Path
    port: int = field(default_factory=lambda: Choices.make().with_free_ports().valkey_port)
    environ: dict[str, str] = field(default_factory=dict)
    account: SystemAccount | None = None
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def choices(self) -> Choices:
        return Choices.read(self.data_dir / "embedded.json")

    def start(self) -> "Up":
        """Start it; see `wait_for`."""
        command = [sys.executable, "-m", "workers.command", "up", "--no-demo"]
        command += ["--procfile", str(TINY_PROCFILE)]
        if self.account is not None:
            enters = (Path(sys.executable).resolve().parent, PROJECT)
            command = launched(command, account=self.account, enters=enters)
        environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **self.environ}
        environ |= {"DATA_DIR": str(self.data_dir), "PORT": str(self.port)}
        self.lines = []
        self.process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self

    def wait_for(self, words: str) -> "Up":
        """Read what it prints until a line has *words*; the test's own timeout bounds it."""
        while True:
            line = self.process.stdout.readline()
            assert line, f"it ended without saying {words!r}:\n{''.join(self.lines)}"
            self.lines.append(line)
            if words in line:
                return self

    def ready(self) -> "Up":
        return self.start().wait_for("Ctrl-C stops it")

    def answer(self) -> str:
        """What the service answers."""
        return httpx.get(f"{self.url}/readyz", trust_env=False).text

    def tree(self) -> list[psutil.Process]:
        """Every process that it started, itself first."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def child(self, word: str) -> psutil.Process:
        """Its direct child with *word* on its command line."""
        top = psutil.Process(self.process.pid)
        return next(child for child in top.children() if word in " ".join(child.cmdline()))

    def status(self) -> int:
        """Wait until it ends by itself."""
        return self.process.wait(STOP_WITHIN_S)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Signal it, and wait for its end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(STOP_WITHIN_S)
        self.lines += self.process.stdout.readlines()
        self.process.stdout.close()
        return status


@pytest.fixture
def make_up() -> Iterator[type[Up]]:
    """Makes installations in temporary folders; stops and removes them after the test."""
    made: list[Up] = []
    top = Path(tempfile.mkdtemp(prefix="chrono48-up-"))
    top.chmod(0o711)

    def make(name: str = "data", **options) -> Up:
        up = Up(options.pop("data_dir", top / name), **options)
        made.append(up)
        return up

    yield make
    for up in made:
        if up.process is not None and up.process.poll() is None:
            up.stop()
        with contextlib.suppress(AttributeError, ValueError):
            up.process.stdout.close()
    shutil.rmtree(top)


def all_end(processes: list[psutil.Process]) -> bool:
    """Whether all of them end within DIE_WITHIN_S."""
    _, alive = psutil.wait_procs(processes, timeout=DIE_WITHIN_S)
    return not alive


def kill_all(processes: list[psutil.Process]) -> None:
    """SIGKILL to each that still lives."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def accounts_file(data_dir: Path) -> None:
    """Write the file that the demo leaves."""
    data_dir.mkdir(parents=True, exist_ok=True)
    line = {"email": "a@demo", "password": "a-word", "role": "coordinator", "territory": "thau"}
    (data_dir / "demo-accounts.jsonl").write_text(json.dumps(line) + "\n")
