"""The doctor says in words what is wrong, and what to do."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from slots.settings import Settings
from tests.world import make_world
from workers.doctor import broker, ledger, surroundings
from workers.doctor.command import examine
from workers.doctor.finding import Finding, skew
from workers.loops import Loop
from workers.pulse import beat

NOWHERE = "127.0.0.1:1"  # nobody listens on port 1


async def problems(part, settings):
    return {
        f.about: f"{f.words} → {f.remedy}" async for f in part.examine(settings) if f.is_problem
    }


@pytest.fixture
async def world(owner):
    return await make_world(owner)


def test_a_problem_says_what_to_do_on_a_line_of_its_own():
    assert str(Finding("disk", "fine")).startswith("ok ")
    assert "\n" in str(Finding("disk", "full", "make room"))
    assert "PROBLEM" in str(Finding("disk", "full", "make room"))


def test_two_clocks_that_disagree_are_a_problem():
    assert skew("clock", timedelta(seconds=-3), timedelta(seconds=2)).is_problem
    assert not skew("clock", timedelta(seconds=1), timedelta(seconds=2)).is_problem


async def test_a_healthy_ledger_has_no_problem_but_what_the_tests_switched_off(settings, world):
    found = await problems(ledger, settings)

    # The tests' PostgreSQL runs without fsync, and the doctor sees it.
    assert found.keys() == {"durability"}
    assert "fsync off" in found["durability"]


@pytest.mark.parametrize(
    ("standbys", "commit", "is_problem", "words"),
    [
        ("", "on", False, "on the disk before"),
        ("", "off", True, "synchronous_commit off"),
        ("*", "on", False, "and on the standby"),
        ("*", "remote_apply", False, "and on the standby"),
        ("*", "local", True, "synchronous_commit is local"),
    ],
)
def test_a_standby_that_no_commit_waits_for_is_a_problem(standbys, commit, is_problem, words):
    row = {"fsync": "on", "synchronous_commit": commit, "synchronous_standby_names": standbys}

    finding = ledger._durability(row)

    assert (finding.is_problem, words in finding.words) == (is_problem, True)


async def test_an_unreachable_ledger_is_one_problem(settings):
    found = await problems(
        ledger, replace(settings, database_url=f"postgresql://chrono48_app:x@{NOWHERE}/chrono48")
    )

    assert found.keys() == {"PostgreSQL"}
    assert "start PostgreSQL" in found["PostgreSQL"]


async def test_a_wrong_password_is_told_from_a_dead_server(settings):
    url = urlsplit(settings.database_url)
    wrong = url._replace(netloc=url.netloc.replace(url.password or "", "wrong")).geturl()

    assert (
        "password" in (await problems(ledger, replace(settings, database_url=wrong)))["PostgreSQL"]
    )


async def test_the_owner_as_the_application_is_too_much_right(settings, world):
    found = await problems(ledger, replace(settings, database_url=settings.owner_database_url))

    assert "owns" in found["rights"]


async def test_a_missing_migration_is_named(settings, owner, world):
    await owner.execute("DELETE FROM migration")

    assert "0001_the_main_job" in (await problems(ledger, settings))["schema"]


async def test_an_empty_database_says_migrate(settings, owner):
    await owner.execute(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC"
    )

    assert "chrono48 migrate" in (await problems(ledger, settings))["schema"]


async def test_an_installation_without_a_territory_says_how_to_make_one(settings):
    assert "territory add" in (await problems(ledger, settings))["territories"]


async def test_mails_that_wait_too_long_are_a_problem(settings, owner, world):
    await owner.execute(
        "INSERT INTO mail (id, territory_id, recipient, subject, body, created_at)"
        " VALUES (gen_random_uuid(), 1, 'a@example.fr', 's', 'b', now() - interval '1 hour')"
    )

    assert "1 wait" in (await problems(ledger, settings))["mails"]


async def test_a_broker_without_a_worker_has_no_board(settings, world):
    found = await problems(broker, settings)

    # The tests' Valkey keeps nothing on the disk, and the doctor sees it.
    assert found.keys() == {"persistence", "board", "worker"}


async def test_an_unreachable_broker_is_one_problem(settings, world):
    found = await problems(broker, replace(settings, redis_url=f"redis://{NOWHERE}/0"))

    assert found.keys() == {"Redis"}


async def test_a_broker_that_evicts_is_a_problem(settings, world, redis_client):
    await redis_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert "allkeys-lru" in (await problems(broker, settings))["eviction"]
    finally:
        await redis_client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    ("facts", "is_problem"),
    [
        ({"redis_version": "7.0.15"}, False),
        ({"redis_version": "6.2.14"}, True),
        ({"redis_version": "7.2.4", "valkey_version": "8.1.0"}, False),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, True),
    ],
)
def test_old_servers_are_a_problem(facts, is_problem):
    assert broker._version(facts).is_problem == is_problem


async def test_a_worker_whose_loop_fails_is_told_from_a_healthy_one(settings, redis_client, world):
    async def nothing() -> int:
        return 0

    loop = Loop("relay", 1.0, nothing)
    await beat(redis_client, "host:1", settings.horizon_hours, [loop], 0.0)
    assert "worker" not in await problems(broker, settings)

    loop.failing = "Boom"
    await beat(redis_client, "host:1", settings.horizon_hours, [loop], 0.0)
    assert "relay (Boom)" in (await problems(broker, settings))["worker"]


async def test_of_several_workers_each_is_looked_at_and_all_must_look_as_far_ahead(
    settings, redis_client
):
    await beat(redis_client, "host:1", settings.horizon_hours, [], 0.0)
    await beat(redis_client, "host:2", settings.horizon_hours + 24, [], 0.0)

    found = [finding async for finding in broker.examine(settings) if finding.about == "worker"]

    assert [finding.is_problem for finding in found] == [False, True]
    assert "HORIZON_HOURS 72, and here it is 48" in found[1].words


async def test_a_web_that_does_not_answer_is_a_problem(settings):
    found = await problems(surroundings, replace(settings, base_url=f"http://{NOWHERE}"))

    assert "python -m web" in found["web"]


async def test_off_loopback_mails_must_leave_and_demo_passwords_must_not_lie_about(settings):
    (settings.data_dir / "demo-accounts.jsonl").touch()
    public = replace(settings, host="0.0.0.0", base_url=f"https://{NOWHERE}")

    found = await problems(surroundings, public)

    assert found.keys() == {"web", "proxies", "mail", "demo"}


async def test_web_processes_that_believe_no_proxy_of_another_machine_are_told(settings):
    public = replace(settings, host="10.0.0.3", base_url="https://chrono.example")

    assert "set PROXIES" in (await problems(surroundings, public))["proxies"]
    assert "proxies" not in await problems(surroundings, replace(public, proxies="10.0.0.2"))
    assert "proxies" not in await problems(surroundings, settings)


async def test_a_mail_server_that_does_not_answer_is_a_problem(settings):
    found = await problems(surroundings, replace(settings, smtp_url=f"smtp://{NOWHERE}"))

    assert "host, port" in found["mail"]
    wrong = await problems(surroundings, replace(settings, smtp_url="http://mail"))
    assert "SMTP_URL" in wrong["mail"]


async def test_everything_is_looked_at_however_much_is_broken(settings: Settings):
    broken = replace(settings, database_url="nonsense", redis_url="nonsense://")

    abouts = [finding.about async for finding in examine(broken)]

    assert {"settings", "PostgreSQL", "Redis", "web", "mail", "disk", "time zone"} <= set(abouts)


def test_the_command_leaves_with_1_where_there_is_a_problem(tmp_path):
    environ = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "PORT": "1"}

    answer = subprocess.run(
        [sys.executable, "-m", "workers.command", "doctor"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert "DATABASE_URL is missing" in answer.stdout
