import asyncio
import email
import email.policy
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import aiosmtplib
import pytest

from tests.workers.smtp_sink import SmtpSink
from workers.mails import DELAY_MAX, FIRST_DELAY, delay, send_mails
from workers.post import Post, post_of

A_MOMENT = timedelta(seconds=5)


@pytest.fixture
async def written(desk, world, owner):
    """One mail that a transaction wrote."""
    mail_id = uuid4()
    await owner.execute(
        "INSERT INTO mail (id, territory_id, recipient, subject, body)"
        " VALUES ($1, $2, 'rolf@example.test', 'Rendez-vous annulé', 'À 17 h 30, référence K7M2QX.')",
        mail_id,
        world.hauts,
    )
    return mail_id


@pytest.fixture
async def sink():
    async with SmtpSink.listening() as sink:
        yield sink


@pytest.fixture
def smtp(settings, sink) -> Post:
    return post_of(replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}"))


def parsed(data: bytes):
    return email.message_from_bytes(data, policy=email.policy.default)


async def test_without_a_server_a_mail_is_a_file(desk, settings, written, now):
    assert await send_mails(desk, post_of(settings), now + A_MOMENT) == 1

    (path,) = (settings.data_dir / "mail").iterdir()
    message = parsed(path.read_bytes())
    assert path.name == f"{written}.eml"
    assert message["To"] == "rolf@example.test"
    assert message["Subject"] == "Rendez-vous annulé"
    assert message.get_content() == "À 17 h 30, référence K7M2QX.\n"
    assert path.stat().st_mode & 0o077 == 0


async def test_a_mail_goes_to_the_server(desk, sink, smtp, written, now):
    assert await send_mails(desk, smtp, now + A_MOMENT) == 1

    ((recipients, data),) = sink.received
    assert recipients == ["rolf@example.test"]
    assert parsed(data)["Subject"] == "Rendez-vous annulé"
    assert parsed(data)["Message-ID"].startswith(f"<{written}@")


async def test_a_mail_is_sent_once(desk, sink, smtp, written, now):
    counts = await asyncio.gather(*(send_mails(desk, smtp, now + A_MOMENT) for _ in range(4)))
    counts.append(await send_mails(desk, smtp, now + timedelta(days=2)))

    assert sum(counts) == 1
    assert len(sink.received) == 1


async def test_a_mail_that_the_server_refuses_is_tried_again_later(desk, sink, smtp, written, now):
    sink.refusing = True
    assert await send_mails(desk, smtp, now + A_MOMENT) == 0
    sink.refusing = False
    assert await send_mails(desk, smtp, now + 2 * A_MOMENT) == 0
    assert sink.received == []

    assert await send_mails(desk, smtp, now + FIRST_DELAY + 2 * A_MOMENT) == 1

    assert len(sink.received) == 1


async def test_a_mail_that_cannot_leave_holds_up_no_other(desk, world, owner, written, now):
    await owner.execute(
        "INSERT INTO mail (id, territory_id, recipient, subject, body)"
        " VALUES ($1, $2, 'rosa@example.test', 'Un autre', 'Bonjour')",
        uuid4(),
        world.hauts,
    )
    left = []

    async def carry(message) -> None:
        if message["To"] == "rolf@example.test":
            raise aiosmtplib.SMTPRecipientRefused(550, "no", "rolf@example.test")
        left.append(message["To"])

    assert await send_mails(desk, Post("chrono@example.test", carry), now + A_MOMENT) == 1

    assert left == ["rosa@example.test"]


@pytest.mark.parametrize(
    "typed",
    [
        *("victim@example.test,rolf@example.test", "rolf,victim@example.test"),
        *("boss<victim@example.test>", "victim@example.test;x", "(x)victim@example.test"),
        "rolf@example.test\r\nbcc:victim@example.test",
    ],
)
async def test_what_a_mail_program_reads_as_another_address_gets_nothing(
    desk, world, owner, now, typed
):
    await owner.execute(
        "INSERT INTO mail (id, territory_id, recipient, subject, body)"
        " VALUES ($1, $2, $3, 'Une invitation', 'Bonjour')",
        *(uuid4(), world.hauts, typed),
    )
    left = []

    async def carry(message) -> None:
        left.append(message["To"])

    assert await send_mails(desk, Post("chrono@example.test", carry), now + A_MOMENT) == 0

    assert left == []


@pytest.mark.parametrize("typed", ["ann.o'neil+chrono@b-c.example.test", "é@example.test"])
async def test_a_plain_address_gets_it_however_rare_its_signs_are(desk, world, owner, now, typed):
    await owner.execute(
        "INSERT INTO mail (id, territory_id, recipient, subject, body)"
        " VALUES ($1, $2, $3, 'Une invitation', 'Bonjour')",
        *(uuid4(), world.hauts, typed),
    )
    left = []

    async def carry(message) -> None:
        left.append(message["To"])

    assert await send_mails(desk, Post("chrono@example.test", carry), now + A_MOMENT) == 1

    assert left == [typed]


async def test_a_worker_that_dies_while_sending_leaves_the_mail_to_another(
    desk, sink, smtp, written, now
):
    async def die(message) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await send_mails(desk, Post("chrono@example.test", die), now + A_MOMENT)

    assert await send_mails(desk, smtp, now + FIRST_DELAY + 2 * A_MOMENT) == 1


def test_tries_come_later_and_later():
    assert delay(0) == FIRST_DELAY
    assert delay(1) == 2 * FIRST_DELAY
    assert delay(1_000) == DELAY_MAX


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "mail.example"])
def test_an_address_that_is_no_mail_server_is_refused(settings, url):
    with pytest.raises(ValueError, match="SMTP_URL"):
        post_of(replace(settings, smtp_url=url))
