"""Web Push without a network: where to, in which words, and whether at all."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest
from py_vapid import Vapid

from slots.appointment import AppointmentStatus
from slots.push import (
    ATTEMPTS_MAX,
    Drop,
    Notice,
    Push,
    Subscription,
    Tells,
    Wait,
    is_push_service,
    notice,
    step,
)
from slots.quiet_hours import QuietHours
from slots.vapid import is_a_browsers, make_private_key, public_key
from tests.push_service import Browser, PushService

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BOOKED = Push(
    id=uuid4(),
    tells=Tells.BOOKED,
    attempts=0,
    appointment_id=uuid4(),
    reference="K7M3QD",
    starts_at=datetime(2026, 11, 24, 13, 20, tzinfo=UTC),
    status=AppointmentStatus.BOOKED,
    is_seen=False,
    is_known=False,
    subscription=Subscription("https://fcm.googleapis.com/x", "", ""),
    quiet_hours=None,
)
CANCELLED = replace(
    BOOKED, tells=Tells.CANCELLED, status=AppointmentStatus.CANCELLED, is_known=True
)
UNSEEN = replace(BOOKED, tells=Tells.UNSEEN)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def-_",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://web.push.apple.com/QOxx",
        "https://db5p.notify.windows.com/w/?token=BQYA%2b",
    ],
)
def test_the_push_services_of_browsers_are_known(endpoint):
    assert is_push_service(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com",
        "https://fcm.googleapis.com:8080/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com/x",
        "https://notify.windows.com/x",
        "https://evilnotify.windows.com/x",
        "https://me@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://fcm.googleapis.com\\@evil.example/x",
        "https://fcm.googleapis.com#@evil.example/x",
        "https://evil.example/https://fcm.googleapis.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://localhost/x",
        "https://169.254.169.254/latest/meta-data",
        "https://fcm.googleapis.com/x\r\nHost: evil.example",
        " https://fcm.googleapis.com/x",
        "file:///etc/passwd",
        "https://fcm.googleapis.com/" + "x" * 1_000,
        "",
    ],
)
def test_no_other_address_is_a_push_service(endpoint):
    assert not is_push_service(endpoint)


def test_an_installation_may_add_origins_and_nothing_that_only_begins_like_one():
    others = ("http://127.0.0.1:90", "")

    assert is_push_service("http://127.0.0.1:90/push/x", others)
    assert not is_push_service("http://127.0.0.1:9000/push/x", others)
    assert not is_push_service("http://127.0.0.1:90@evil.example/x", others)


def test_a_push_says_when_and_its_reference():
    assert notice(BOOKED) == Notice(
        "Un rendez-vous à 14\u00a0h\u00a020",
        "Mardi 24\u00a0novembre, référence K7M3QD",
        "K7M3QD",
        "/disponibilites",
    )
    assert notice(CANCELLED).title == "Rendez-vous de 14\u00a0h\u00a020 annulé"
    assert notice(UNSEEN).title == "Pas encore vu\u00a0: un rendez-vous à 14\u00a0h\u00a020"


@pytest.mark.parametrize("push", [BOOKED, CANCELLED, UNSEEN])
def test_news_are_told_until_the_appointment_begins(push):
    assert step(push, NOW) == notice(push)
    assert step(push, push.starts_at - MINUTE) == notice(push)
    assert isinstance(step(push, push.starts_at), Drop)


@pytest.mark.parametrize(
    "push",
    [
        replace(BOOKED, status=AppointmentStatus.CANCELLED),
        replace(BOOKED, is_seen=True),
        replace(UNSEEN, is_seen=True),
        replace(UNSEEN, status=AppointmentStatus.CANCELLED),
        replace(CANCELLED, is_known=False),
        replace(BOOKED, subscription=None),
        replace(BOOKED, attempts=ATTEMPTS_MAX),
    ],
    ids=[
        *("cancelled meanwhile", "seen meanwhile", "seen in time", "nobody comes any more"),
        *("came and went untold", "acts for it no more", "tried often enough"),
    ],
)
def test_what_is_no_news_is_dropped(push):
    assert isinstance(step(push, NOW), Drop)


@pytest.mark.parametrize("push", [BOOKED, CANCELLED, UNSEEN])
def test_in_quiet_hours_everything_waits_for_their_end(push):
    quiet = replace(push, quiet_hours=QuietHours.between(time(9), time(14)))

    assert step(quiet, NOW) == Wait(datetime(2026, 11, 24, 13, 0, tzinfo=UTC))
    assert step(quiet, datetime(2026, 11, 24, 13, 0, tzinfo=UTC)) == notice(quiet)


def test_what_ends_with_the_appointment_before_quiet_hours_do_is_never_told():
    quiet = replace(BOOKED, quiet_hours=QuietHours.between(time(9), time(18)))
    waiting = step(quiet, NOW)

    assert isinstance(step(quiet, waiting.until), Drop)


def test_a_key_pair_is_what_push_services_and_browsers_expect():
    private_key = make_private_key()

    assert len(private_key) == 43
    assert len(public_key(private_key)) == 87
    signed = Vapid.from_raw(private_key.encode()).sign(
        {"aud": "https://fcm.googleapis.com", "sub": "mailto:a@b.example"}
    )
    assert f"k={public_key(private_key)}" in signed["Authorization"]
    with pytest.raises(ValueError, match="32 bytes"):
        public_key("short")


def test_only_a_browsers_keys_are_taken():
    good = Browser(PushService()).subscription

    assert is_a_browsers(good)
    assert not is_a_browsers(replace(good, p256dh=good.p256dh[:-4]))
    assert not is_a_browsers(replace(good, p256dh="A" * 87))
    assert not is_a_browsers(replace(good, p256dh=""))
    assert not is_a_browsers(replace(good, auth=good.auth + "AAAA"))
    assert not is_a_browsers(replace(good, auth="é" * 22))
