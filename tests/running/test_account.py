"""Which system account the embedded servers run under."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

from tests.conftest import SERVER_READY_WITHIN_S, apart, running
from workers.embedded.account import NOBODY, SystemAccount, launched, servers_account
from workers.embedded.choices import Choices
from workers.embedded.postgres import Postgres

as_root = os.geteuid() == 0


def test_an_ordinary_user_runs_them_and_root_never_does():
    account = servers_account()

    assert account.uid != 0
    assert account.is_us == (not as_root)


def test_root_without_an_account_for_them_makes_them_nobody(monkeypatch):
    def unknown(name):
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", unknown)
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert servers_account() == SystemAccount(NOBODY, NOBODY)


def test_data_that_an_ordinary_user_made_keeps_its_owner(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    if as_root:
        os.chown(tmp_path, 1234, 1234)
    status = tmp_path.stat()

    assert servers_account(tmp_path) == SystemAccount(status.st_uid, status.st_gid)


def test_who_is_launched_as_another_keeps_no_group_of_root():
    account = SystemAccount(NOBODY, NOBODY) if as_root else servers_account()

    made = subprocess.run(
        launched(["/bin/sh", "-c", "id -u; id -g; id -G"], account=account, enters=(Path("/bin"),)),
        capture_output=True,
        text=True,
        check=True,
    )

    assert made.stdout.split()[:2] == [str(account.uid), str(account.gid)]
    assert "0" not in made.stdout.split()


def test_postgres_runs_as_nobody_within_a_private_folder(tmp_path):
    account = SystemAccount(NOBODY, NOBODY) if as_root else servers_account()
    tmp_path.chmod(0o700)
    choices = Choices.make().with_free_ports()
    postgres = Postgres(tmp_path / "postgres", tmp_path / "postgres.log", account, choices)

    postgres.prepare(sync=False)
    with running(postgres.program(fsync="off")):
        apart(postgres.wait_ready(SERVER_READY_WITHIN_S))

    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_the_launched_die_with_who_launched_them():
    """By SIGKILL to the launcher; only Linux knows how."""
    if sys.platform != "linux":
        return
    launcher = (
        "import signal, subprocess, sys;"
        "from workers.embedded.account import launched;"
        "child = subprocess.Popen(launched(['/bin/sleep', '60'], death_signal=signal.SIGTERM));"
        "print(child.pid, flush=True); signal.pause()"
    )
    import psutil

    with subprocess.Popen(
        [sys.executable, "-c", launcher], stdout=subprocess.PIPE, text=True
    ) as process:
        child = psutil.Process(int(process.stdout.readline()))
        process.kill()

    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive
