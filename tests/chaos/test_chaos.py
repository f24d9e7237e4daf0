"""A long run ends well; and with a guard removed it does not, on the line that tells."""

from pathlib import Path

import asyncpg
import pytest

from tests.chaos.faults import EMPTIED, Kind
from tests.chaos.run import Plan, chaos, nothing_removed
from tests.chaos.stage import LEDGER
from tests.chaos.verdict import shown, verdict

LONG_S = 240.0
SEED = 48  # a failure here is one that can be run again; `make chaos` draws another each time
CONTROL_S = 20.0

# Commits are answered before they are on the disk: what a crash of PostgreSQL then takes away.
NOT_DURABLE = {"synchronous_commit": "off", "wal_writer_delay": "10s"}


async def seats_unguarded(owner: asyncpg.Connection) -> None:
    """Drop the last judge of a seat, and let Redis forget at each rebuild what was booked."""
    await owner.execute("DROP INDEX appointment_one_per_seat")
    columns = await owner.fetch(
        "SELECT column_name AS name FROM information_schema.columns"
        " WHERE table_name = 'ledger_slot' ORDER BY ordinal_position"
    )
    names = ["'{}'::jsonb AS seats" if one["name"] == "seats" else one["name"] for one in columns]
    whole = (await owner.fetchval("SELECT pg_get_viewdef('ledger_slot')")).rstrip(";")
    await owner.execute(
        "CREATE OR REPLACE VIEW ledger_slot WITH (security_invoker = true) AS"
        f" SELECT {', '.join(names)} FROM ({whole}) AS whole"
    )


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_after_four_minutes_of_faults_no_promise_is_broken(tmp_path: Path):
    found = await chaos(Plan(LONG_S, SEED), tmp_path)

    lines = verdict(found)
    assert all(line.passed for line in lines), shown(found, lines)


@pytest.mark.prove
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("kind", "settings", "removing", "line"),
    [
        (EMPTIED, {}, seats_unguarded, "double bookings"),
        (Kind(LEDGER, "killed"), NOT_DURABLE, nothing_removed, "confirmed and lost"),
    ],
    ids=["no last judge of a seat", "no durable commit"],
)
async def test_without_a_guard_the_verdict_says_so(tmp_path, kind, settings, removing, line):
    plan = Plan(CONTROL_S, 1, [kind], settings, removing)

    lines = verdict(await chaos(plan, tmp_path), [str(kind)])

    assert line in [one.what for one in lines if not one.passed]
