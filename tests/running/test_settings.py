"""Settings: read once, and loud about what is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slots.sealing import make_key
from slots.settings import Settings, SettingsError, is_loopback
from tests.running.conftest import PROJECT

ENOUGH = {"DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x"}


def test_what_is_not_said_has_a_default_that_works():
    settings = Settings.from_environ(ENOUGH)

    assert settings.base_url == "http://127.0.0.1:8048"
    assert settings.queue_redis_url == "redis://x"
    assert settings.horizon_hours == 48
    assert settings.on_loopback
    assert not settings.is_https
    assert settings.data_dir == Path(".data").absolute()


def test_what_is_missing_is_named_all_at_once():
    with pytest.raises(SettingsError, match=r"DATABASE_URL.*REDIS_URL"):
        Settings.from_environ({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "no"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("HORIZON_HOURS", "73"),
        ("HORIZON_HOURS", "1.5"),
        ("LOG_FORMAT", "xml"),
        ("BASE_URL", "chrono.example"),
        ("BASE_URL", "https://chrono.example/path"),
        ("HOST", "0.0.0.0"),
        ("HOST", "chrono.example"),
        ("PROXIES", "proxy.example"),
        ("PROXIES", "10.0.0.1,"),
        ("VAPID_PRIVATE_KEY", "short"),
        ("PUSH_SERVICES", "push.example"),
        ("PUSH_SERVICES", "https://push.example/path"),
    ],
)
def test_what_makes_no_sense_is_named(name, value):
    with pytest.raises(SettingsError, match=name):
        Settings.from_environ(ENOUGH | {name: value})


def test_push_services_may_write_to_whoever_sends_the_mails():
    key = {"VAPID_PRIVATE_KEY": "A" * 43}
    settings = Settings.from_environ(ENOUGH | key | {"MAIL_FROM": "Chrono <a@b.example>"})

    assert settings.vapid_contact == "mailto:a@b.example"
    with pytest.raises(SettingsError, match="VAPID_CONTACT"):
        Settings.from_environ(ENOUGH | key | {"VAPID_CONTACT": "me"})


def test_a_key_that_makes_no_sense_is_not_printed():
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ(ENOUGH | {"VAPID_PRIVATE_KEY": "nearly-a-secret"})

    assert "nearly" not in str(refused.value)


PUBLIC = ENOUGH | {
    "HOST": "0.0.0.0",
    "BASE_URL": "https://chrono.example/",
    "SECRET_KEYS": make_key(),
}


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("SECRET_KEYS", ""), ("SECRET_KEYS", "old:nearly-a-secret"), ("SECOND_FACTOR", "relaxed")],
)
def test_where_others_come_in_secrets_are_sealed_and_a_second_factor_is_due(host, name, value):
    with pytest.raises(SettingsError, match=name) as refused:
        Settings.from_environ(PUBLIC | {"HOST": host, name: value})

    assert "nearly" not in str(refused.value)


def test_on_this_machine_neither_is_needed():
    settings = Settings.from_environ(ENOUGH | {"SECOND_FACTOR": "relaxed"})

    assert not settings.is_factor_required
    assert Settings.from_environ(ENOUGH).is_factor_required


def test_off_loopback_an_https_address_and_a_key_are_enough():
    settings = Settings.from_environ(PUBLIC)

    assert settings.base_url == "https://chrono.example"
    assert settings.is_https
    assert not settings.on_loopback


def test_another_process_reads_the_same_settings():
    settings = Settings.from_environ(ENOUGH | {"PORT": "9000", "DATA_DIR": "somewhere"})

    assert Settings.from_environ(settings.to_environ()) == settings


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.2", False),
        ("localhost.example", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize("module", ["web", "workers"])
def test_a_process_without_settings_says_what_is_missing(module):
    ended = process(module)

    assert ended.returncode == 1
    assert "DATABASE_URL is missing; REDIS_URL is missing" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_command_that_reaches_no_database_says_so():
    nowhere = {"OWNER_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    ended = process("workers.command", "account", "reset", "--email", "a@b.example", **nowhere)

    assert ended.returncode == 1
    assert "Is it running?" in ended.stderr
    assert "Traceback" not in ended.stderr


def process(*words, **environ):
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"]} | environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
