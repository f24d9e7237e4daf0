"""`chrono48 up` as its user meets it: one command, and no trace of it afterwards."""

import json
import os
import signal
import stat
import time
from dataclasses import asdict, replace

import asyncpg
import psutil
import pytest
import redis.asyncio

from tests.conftest import apart
from tests.running.conftest import accounts_file, all_end, kill_all
from workers.embedded.account import SystemAccount
from workers.embedded.choices import Choices
from workers.embedded.postgres import Postgres
from workers.embedded.running import ADDRESS, settings_of_installation
from workers.embedded.valkey import Valkey

SECOND_START_S = 10


def postgres_of(up) -> Postgres:
    return Postgres(up.data_dir / "postgres", up.data_dir / "log", SystemAccount(0, 0), up.choices)


def valkey_of(up) -> Valkey:
    return Valkey(up.data_dir / "valkey", up.data_dir / "log", SystemAccount(0, 0), up.choices)


def test_one_command_prints_the_address_and_the_accounts(make_up):
    up = make_up()
    accounts_file(up.data_dir)

    up.ready()

    said = "".join(up.lines)
    assert f"is ready: {up.url}" in said
    assert "a@demo" in said
    assert "a-word" in said
    assert up.answer()


@pytest.mark.prove
def test_a_key_for_web_push_is_made_once_and_given_to_the_service(make_up):
    up = make_up().ready()
    key = up.choices.vapid_private_key

    assert len(key) == 43
    environs = [process.environ() for process in up.tree() if "web" in " ".join(process.cmdline())]
    assert key in {environ.get("VAPID_PRIVATE_KEY") for environ in environs}
    up.stop()
    assert up.ready().choices.vapid_private_key == key


def test_an_installation_of_an_older_version_gets_a_key(tmp_path):
    path = tmp_path / "embedded.json"
    older = asdict(Choices.make())
    del older["vapid_private_key"]
    path.write_text(json.dumps(older))

    chosen = Choices.load(path)

    assert len(chosen.vapid_private_key) == 43
    assert Choices.load(path).vapid_private_key == chosen.vapid_private_key
    assert chosen.owner_password == older["owner_password"]


@pytest.mark.prove
def test_a_second_terminal_need_not_repeat_the_port(make_up, monkeypatch):
    up = make_up().ready()
    for name in ADDRESS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(up.data_dir))

    assert settings_of_installation().base_url == up.url

    monkeypatch.setenv("PORT", "9000")
    assert settings_of_installation().base_url == "http://127.0.0.1:9000"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.prove
def test_a_signal_stops_all_and_leaves_no_process(make_up, number):
    up = make_up().ready()
    processes = up.tree()
    assert len(processes) > 4  # itself, the service, Valkey, PostgreSQL and its own

    assert up.stop(number) == 0
    assert all_end(processes)
    assert list((up.data_dir / "run").iterdir()) == []


def test_a_second_start_finds_the_data_again_and_is_quick(make_up):
    up = make_up().ready()

    async def leave():
        conn = await asyncpg.connect(postgres_of(up).owner_url)
        await conn.execute("CREATE TABLE left_behind AS SELECT 48 AS hours")
        await conn.close()
        async with redis.asyncio.from_url(valkey_of(up).url) as client:
            await client.set("left", "behind")

    async def find():
        conn = await asyncpg.connect(postgres_of(up).owner_url)
        async with redis.asyncio.from_url(valkey_of(up).url) as client:
            found = await conn.fetchval("SELECT hours FROM left_behind"), await client.get("left")
        await conn.close()
        return found

    apart(leave())
    first = up.choices
    up.stop()
    started = time.monotonic()
    up.ready()

    assert time.monotonic() - started < SECOND_START_S
    assert apart(find()) == (48, b"behind")
    assert up.choices == first


@pytest.mark.prove
def test_killed_with_sigkill_its_children_end_and_the_next_start_recovers(make_up):
    up = make_up().ready()
    processes = up.tree()

    up.stop(signal.SIGKILL)

    assert all_end(processes)
    up.ready()
    assert up.answer()


def test_when_everything_is_killed_at_once_the_next_start_recovers(make_up):
    up = make_up().ready()
    processes = up.tree()

    kill_all(processes)
    up.stop()
    assert all_end(processes)
    # Numbers are used again: to PostgreSQL the old server would seem to live.
    pid_path = up.data_dir / "postgres" / "postmaster.pid"
    lines = pid_path.read_text().splitlines()
    pid_path.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")

    up.ready()
    assert up.answer()


@pytest.mark.prove
def test_a_child_that_dies_is_started_again(make_up):
    up = make_up().ready()
    first = up.answer()

    psutil.Process(int(first)).kill()
    up.wait_for("child.died")

    assert wait_for_another(up, first) != first


@pytest.mark.prove
def test_a_postgres_that_dies_is_started_again(make_up):
    up = make_up().ready()

    up.child("embedded_postgres").kill()
    up.wait_for("child.died")

    apart(postgres_of(up).wait_ready(30))


@pytest.mark.prove
def test_two_copies_run_side_by_side(make_up):
    one, two = make_up("one").ready(), make_up("two").ready()

    assert one.answer() != two.answer()
    one.stop()
    assert two.answer()


@pytest.mark.prove
def test_a_second_start_on_the_same_folder_says_so(make_up):
    up = make_up().ready()
    second = make_up(data_dir=up.data_dir).start()

    second.wait_for("runs on")
    assert second.status() == 1
    assert up.answer()


@pytest.mark.prove
def test_a_taken_port_is_named(make_up):
    up = make_up("one").ready()
    second = make_up("two", port=up.port).start()

    second.wait_for(f"port {up.port} already")
    assert second.status() == 1


def test_off_loopback_it_refuses_plain_http(make_up):
    up = make_up(environ={"HOST": "0.0.0.0"}).start()

    up.wait_for("BASE_URL must begin with https://")
    assert up.status() == 1


def test_private_folders_above_stay_private_and_do_not_hinder(make_up):
    up = make_up()
    private = up.data_dir.parent / "private"
    private.mkdir(mode=0o700)
    up = make_up(data_dir=private / "deep" / "data").ready()

    assert up.answer()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert all_of_it_is_private(up.data_dir)


def test_a_folder_that_cannot_be_written_is_named(make_up):
    up = make_up()
    up.data_dir.parent.joinpath("file").touch()
    up = make_up(data_dir=up.data_dir.parent / "file" / "data").start()

    up.wait_for("DATA_DIR cannot be used")
    assert up.status() == 1


def test_it_runs_for_an_ordinary_user(make_up):
    up = make_up(account=SystemAccount(65_534, 65_534) if os.geteuid() == 0 else None)
    up.data_dir.mkdir(mode=0o700)
    if up.account:
        up.account.own(up.data_dir)

    up.ready()

    assert up.answer()
    assert {process.uids().real for process in up.tree()} == {os.geteuid() or 65_534}


@pytest.mark.prove
def test_nobody_connects_without_a_password(make_up):
    up = make_up().ready()

    async def connect(url):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url, password="")
        async with redis.asyncio.from_url(f"redis://127.0.0.1:{up.choices.valkey_port}") as client:
            with pytest.raises(redis.exceptions.AuthenticationError):
                await client.ping()

    bare = replace(up.choices, superuser_password="", app_password="", owner_password="")
    for role in ("superuser_url", "owner_url", "app_url"):
        apart(connect(getattr(replace(postgres_of(up), choices=bare), role)))


def test_valkey_keeps_each_write_and_forgets_nothing(make_up):
    up = make_up().ready()

    async def configuration():
        async with redis.asyncio.from_url(valkey_of(up).url, decode_responses=True) as client:
            return await client.config_get("append*", "maxmemory-policy")

    found = apart(configuration())
    assert found["appendonly"] == "yes"
    assert found["appendfsync"] == "always"
    assert found["maxmemory-policy"] == "noeviction"


def test_given_servers_are_used_and_none_is_started(make_up, settings):
    environ = settings.to_environ()
    del environ["BASE_URL"]
    up = make_up(environ=environ).ready()

    assert not (up.data_dir / "embedded.json").exists()
    assert len(up.tree()) == 2


def wait_for_another(up, first):
    """Ask until another process answers; the test's own timeout bounds it."""
    import httpx

    while True:
        try:
            if (answer := up.answer()) != first:
                return answer
        except httpx.TransportError:
            continue


def all_of_it_is_private(data_dir):
    """Whether nobody else can read a file in it that holds a secret."""
    names = ["embedded.json", "valkey/valkey.conf", "log/postgres.log", "postgres/pg_hba.conf"]
    return all((data_dir / name).stat().st_mode & 0o077 == 0 for name in names)
