"""Reads a Procfile: one `name: command` a line."""

import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from workers.embedded.account import launched
from workers.embedded.supervisor import Program


def programs(path: Path, environ: Mapping[str, str], cwd: Path) -> list[Program]:
    """The programs of a Procfile, to run with *environ*. `python` is the one that runs us.

    Raises:
        ValueError: A line is not `name: command`.
    """
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, command = line.partition(":")
        words = shlex.split(command)
        if not colon or not name.strip() or not words:
            raise ValueError(f"{path}: not `name: command`: {line!r}")
        if words[0] == "python":
            words[0] = sys.executable
        found.append(
            Program(
                name=name.strip(),
                command=launched(words, death_signal=signal.SIGTERM),
                environ=environ,
                cwd=cwd,
            )
        )
    return found
