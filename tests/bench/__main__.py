"""Measure and say PASS or MISS. Rules: at least 5 interleaved rounds, the median of each row.

A benchmark, not a timed test: the machine's other work shows in the numbers, and in both sides
of every ratio alike. `BENCH=booking make bench` measures one group, `BENCH=booking,boards` two.
"""

import asyncio
import dataclasses
import json
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from slots.settings import Settings
from tests.bench import boards, booking, broker, live
from tests.bench.rows import ROUNDS, Row
from tests.bench.stage import open_stage

GROUPS = {
    "boards": boards.rows,
    "booking": booking.rows,
    "live": live.rows,
    "broker": broker.rows,
}


async def main() -> int:
    """Measure the groups that BENCH names, all by default; 1 where a goal is missed."""
    names = os.environ.get("BENCH", "").split(",") if os.environ.get("BENCH") else list(GROUPS)
    directory = Path(tempfile.mkdtemp(prefix="chrono48-bench-"))
    directory.chmod(0o711)
    found: list[Row] = []
    async with open_stage(directory) as stage:
        for name in names:
            found += await GROUPS[name](stage)
    shutil.rmtree(directory)  # where something failed, its logs stay
    keep(found)
    for row in found:
        print(row)
    return 0 if all(row.passed for row in found) else 1


def keep(found: list[Row]) -> None:
    """Write the rows to DATA_DIR/bench.json."""
    target = Settings.from_environ({**os.environ, "DATABASE_URL": "-", "REDIS_URL": "-"}).data_dir
    target.mkdir(parents=True, exist_ok=True)
    rows = [dataclasses.asdict(row) for row in found]
    result = {"at": datetime.now(UTC).isoformat(), "rounds": ROUNDS, "rows": rows}
    (target / "bench.json").write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
