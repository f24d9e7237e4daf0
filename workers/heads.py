"""Keeps, once a day, where each chain of the audit ends: DATA_DIR/audit-heads/2026-11-28.jsonl.

A chain that its owner writes anew as a whole holds by itself, and does not go through these heads.
They are worth what the place is where they lie: copy them away.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from slots.desk import Desk
from workers.audit import chains, head_lines, verify


async def keep_heads(
    desk: Desk, directory: Path, now: datetime, public_keys: Sequence[str] = ()
) -> int:
    """Write the day's file where there is none yet. Returns how many heads were written.

    Raises:
        LedgerUnavailable: It is written in the next round.
    """
    path = directory / f"{now:%Y-%m-%d}.jsonl"
    if path.exists():
        return 0
    verdicts = {
        name: await verify(desk, number, None, public_keys) for name, number in chains(desk).items()
    }
    lines = head_lines(verdicts, now)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    beside.replace(path)
    return len(lines)
