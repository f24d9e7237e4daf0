"""A program that a test may kill, freeze, thaw and start again, with all that it has started."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import psutil

from workers.embedded.supervisor import Program

DIES_WITHIN_S = 20.0  # after SIGKILL, with all its children


class Process:
    """One program, run by hand: nobody else starts it again. As a context it runs inside."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.popen: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self.popen is not None, f"{self.program.name} was never started"
        return self.popen.pid

    @property
    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def start(self) -> Self:
        """Run it. Call from the main thread: with its thread a child of ours would die."""
        assert not self.is_running
        assert self.program.log_path is not None
        with self.program.log_path.open("ab") as log:
            self.popen = subprocess.Popen(
                self.program.command,
                env=dict(self.program.environ),
                cwd=self.program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def kill(self) -> None:
        """SIGKILL to it and to its children, as a machine that goes. Returns when they are gone."""
        tree = self.tree()
        self.signal(signal.SIGKILL)
        if self.popen is not None:
            self.popen.wait(DIES_WITHIN_S)
        _, alive = psutil.wait_procs(tree, timeout=DIES_WITHIN_S)
        assert not alive, alive

    def freeze(self) -> None:
        """No instruction more, for now; its connections stay."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on where it stood."""
        self.signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it politely, frozen or not; what does not go in its time is killed."""
        if not self.is_running:
            return
        assert self.popen is not None
        self.popen.send_signal(self.program.stop_signal)
        self.thaw()
        try:
            self.popen.wait(self.program.stop_within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def signal(self, number: signal.Signals) -> None:
        """To it first, so that it starts no more, then to each of its children."""
        for process in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def tree(self) -> list[psutil.Process]:
        """It and all that it has started; empty where it does not run."""
        if not self.is_running:
            return []
        top = psutil.Process(self.pid)
        return [top, *top.children(recursive=True)]


@contextlib.contextmanager
def frozen(process: Process) -> Iterator[None]:
    """Frozen inside the block."""
    process.freeze()
    try:
        yield
    finally:
        process.thaw()
