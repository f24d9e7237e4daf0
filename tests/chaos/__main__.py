"""`make chaos`: CHAOS_SECONDS of faults from CHAOS_SEED, and a verdict. Fails on too little, too.

History, faults, verdict and logs stay in DATA_DIR/chaos/, a folder a run.
"""

import asyncio
import json
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from slots.settings import Settings
from tests.chaos.run import Plan, chaos
from tests.chaos.verdict import as_json, shown, verdict

SECONDS = 120.0


def main() -> int:
    seconds = float(os.environ.get("CHAOS_SECONDS", SECONDS))
    seed = int(os.environ.get("CHAOS_SEED", secrets.randbelow(1_000_000)))
    home = home_of(seed)
    print(f"seed {seed}, {seconds:.0f} s, kept in {home}", flush=True)
    found = asyncio.run(chaos(Plan(seconds, seed), home))
    lines = verdict(found)
    (home / "verdict.json").write_text(json.dumps(as_json(found, lines), indent=2))
    print(shown(found, lines))
    return 0 if all(line.passed for line in lines) else 1


def home_of(seed: int) -> Path:
    """A new folder for one run."""
    data_dir = Settings.from_environ(dict(os.environ), need_databases=False).data_dir
    home = data_dir / "chaos" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{seed}"
    home.mkdir(parents=True)
    return home


if __name__ == "__main__":
    sys.exit(main())
