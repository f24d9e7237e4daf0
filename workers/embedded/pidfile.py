"""Remembers which process is ours, so that a start after SIGKILL ends orphans and never a stranger.

A process is known by its number and the instant of its birth: numbers are used again.
"""

import contextlib
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

BIRTH_TOLERANCE_S: Final = 1.5  # the kernel's boot time, to which births are added, may be adjusted
ORPHAN_STOP_S: Final = 15.0  # seconds that an orphan has to end by itself


@dataclass(frozen=True, slots=True)
class Remembered:
    """A process that we started once."""

    pid: int
    born_at: float  # seconds since 1970

    def find(self) -> psutil.Process | None:
        """The process, if it is still the same and alive."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.born_at) > BIRTH_TOLERANCE_S:
                return None
            return process if process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def write(path: Path, pid: int) -> None:
    """Remember *pid*, which is alive or was just now."""
    try:
        born_at = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return
    path.write_text(json.dumps({"pid": pid, "born_at": born_at}))


def read(path: Path) -> Remembered | None:
    """What was remembered; None where the file is missing or was cut short."""
    try:
        content = json.loads(path.read_text())
        return Remembered(int(content["pid"]), float(content["born_at"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def stop_orphans(directory: Path) -> list[str]:
    """End what an earlier supervisor, killed itself, left behind; the names of those.

    The caller holds the lock of DATA_DIR: nobody else watches over them.
    """
    orphans: dict[str, psutil.Process] = {}
    for path in sorted(directory.glob("*.pid")):
        remembered = read(path)
        process = remembered.find() if remembered else None
        if process is not None:
            orphans[path.stem] = process
        path.unlink(missing_ok=True)
    for name, process in orphans.items():
        # PostgreSQL takes SIGTERM as "wait until all have left", SIGINT as "stop now, in order".
        _send(process, signal.SIGINT if name == "postgres" else signal.SIGTERM)
    _wait_or_kill(list(orphans.values()))
    return list(orphans)


def end(processes: list[psutil.Process]) -> None:
    """Stop processes: SIGTERM, and SIGKILL for those that do not care."""
    for process in processes:
        _send(process, signal.SIGTERM)
    _wait_or_kill(processes)


def _wait_or_kill(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=ORPHAN_STOP_S)
    for process in alive:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=ORPHAN_STOP_S)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
