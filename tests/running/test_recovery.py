"""After SIGKILL: what is ours is ended, and a stranger never."""

import signal
import subprocess
import sys

import psutil
import pytest

from tests.running.conftest import all_end, kill_all
from workers.embedded import pidfile

WAITS_FOR_EVER = [sys.executable, "-c", "import signal; signal.pause()"]
MOMENTS_S = [0.05, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6]  # after the start


@pytest.fixture
def waiter():
    """A process that waits for ever, which we started and reap."""
    with subprocess.Popen(WAITS_FOR_EVER) as process:
        yield process
        process.kill()


def test_an_orphan_is_ended(tmp_path, waiter):
    pidfile.write(tmp_path / "web.pid", waiter.pid)

    assert pidfile.stop_orphans(tmp_path) == ["web"]

    assert not psutil.pid_exists(waiter.pid)
    assert list(tmp_path.iterdir()) == []


def test_a_stranger_who_has_the_number_by_now_is_left_alone(tmp_path, waiter):
    path = tmp_path / "web.pid"
    pidfile.write(path, waiter.pid)
    remembered = pidfile.read(path)
    path.write_text(f'{{"pid": {waiter.pid}, "born_at": {remembered.born_at - 60}}}')

    assert pidfile.stop_orphans(tmp_path) == []

    assert waiter.poll() is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": null, "born_at": 0}'])
def test_a_file_cut_short_by_the_kill_means_nobody(tmp_path, content):
    (tmp_path / "web.pid").write_text(content)

    assert pidfile.stop_orphans(tmp_path) == []


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_killed_at_any_moment_of_its_start_the_next_start_recovers(make_up):
    for number, moment_s in enumerate(MOMENTS_S):
        up = make_up(f"data-{number}").start()
        with pytest.raises(subprocess.TimeoutExpired):
            up.process.wait(moment_s)
        processes = up.tree()
        up.stop(signal.SIGKILL)
        assert all_end(processes)

        up.ready()

        assert up.answer()
        assert up.stop() == 0


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_killed_with_all_its_children_again_and_again_it_recovers(make_up):
    up = make_up()
    for _ in range(5):
        up.ready()
        processes = up.tree()
        kill_all(processes)
        up.stop()
        assert all_end(processes)

    up.ready()
    assert up.answer()


def test_the_memory_of_a_process_that_is_gone_is_nobody(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        born_at = psutil.Process(process.pid).create_time()
        process.wait()

    assert pidfile.Remembered(process.pid, born_at).find() is None
