"""The two commands, as an operator types them."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.conftest import SECRET_KEYS


@pytest.fixture
def chrono48(world, settings, owner_url):
    def run(*words, secret_keys=SECRET_KEYS):
        environ = replace(settings, secret_keys=secret_keys).to_environ()
        return subprocess.run(
            [sys.executable, "-m", "workers.command", *words],
            env={"PATH": os.environ["PATH"], **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


async def test_a_territory_is_switched_on_and_the_report_says_so(chrono48, owner):
    switched = chrono48("territory", "contacts", "--slug", "bassin-de-thau", "--hours", "72")
    report = chrono48("privacy", "report")

    assert switched.returncode == 0, switched.stderr
    assert "until 72 h after the slot" in switched.stdout
    assert await owner.fetchval("SELECT contact_kept_h FROM territory WHERE id = 2") == 72
    assert report.returncode == 0, report.stderr
    assert "bassin-de-thau: kept 72 h after the slot" in report.stdout
    assert "hauts-cantons-et-vignobles: none are kept" in report.stdout


def test_what_is_not_possible_is_said(chrono48):
    keyless = chrono48(
        *("territory", "contacts", "--slug", "bassin-de-thau", "--hours", "72"), secret_keys=""
    )
    both = chrono48("territory", "contacts", "--slug", "x", "--hours", "72", "--off")

    assert keyless.returncode == 1
    assert "SECRET_KEYS is missing" in keyless.stderr
    assert both.returncode == 2
