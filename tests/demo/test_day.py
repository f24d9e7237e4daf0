"""A day played through the public API, over HTTP only."""

import asyncio
import json
import socket
from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import replace

import argon2
import pytest

from slots.desk import close_desk, open_desk
from slots.settings import Settings
from tests.browser import ServerInTest, make_boards_ready
from web.__main__ import configuration
from workers.demo import accounts, day, load
from workers.demo.client import Client, Refused
from workers.demo.scenes import Tally

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
async def demo(settings: Settings) -> AsyncIterator[Settings]:
    """The demo on a running service."""
    await load.load(settings, CHEAP)
    desk = await open_desk(settings)
    await make_boards_ready(desk)
    await close_desk(desk)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    settings = replace(settings, port=port, base_url=f"http://127.0.0.1:{port}")
    server = ServerInTest(configuration(settings))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve([listening]))
        await server.listens.wait()
        yield settings
        server.should_exit = True


def words(settings):
    return Namespace(base_url=settings.base_url, speed=0, seed=48)


@pytest.mark.prove
async def test_a_day_has_the_least_of_each(demo, owner, capsys):
    status = await day.run(words(demo), demo)

    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    assert "bookings" in printed.out
    assert await owner.fetchval("SELECT count(*) FROM slot") >= 200
    assert await owner.fetchval("SELECT count(*) FROM appointment") >= 120
    assert await owner.fetchval("SELECT count(*) FROM appointment WHERE status = 'cancelled'") >= 15
    assert await owner.fetchval("SELECT count(*) FROM unmet_search") >= 10
    origins = await owner.fetch("SELECT DISTINCT origin FROM appointment")
    assert {row["origin"] for row in origins} == {"referrer", "regulation"}


@pytest.mark.prove
@pytest.mark.timeout(400)
async def test_the_same_day_can_be_played_again_and_again(demo, owner):
    statuses = [await day.run(words(demo), demo) for _ in range(3)]

    assert statuses == [0, 0, 0]
    assert await owner.fetchval("SELECT count(*) FROM slot") >= 600


async def test_every_account_of_the_file_signs_in_and_has_the_role_that_the_file_says(demo):
    path = demo.data_dir / accounts.FILE_NAME
    for line in map(json.loads, path.read_text().splitlines()):
        async with Client(demo.base_url, line["email"], line["password"]) as client:
            session = await client.sign_in()

        assert line["territory"] in session.roles[line["role"]]
        acts_for_others = line["role"] in ("professional", "delegate")
        assert not acts_for_others or session.schedule_ids[line["territory"]]


async def test_a_wrong_password_is_refused(demo):
    async with Client(demo.base_url, "sonia.hamdi@samu34.example", "wrong") as client:
        with pytest.raises(Refused) as refusal:
            await client.sign_in()

    assert refusal.value.status == 401


async def test_a_service_that_does_not_answer_ends_the_day(settings, capsys):
    await load.load(settings, CHEAP)

    assert await day.run(Namespace(base_url=NOWHERE, speed=0, seed=1), settings) == 1
    assert "could not be played" in capsys.readouterr().err


async def test_without_a_demo_there_is_no_day(settings, capsys):
    assert await day.run(words(settings), settings) == 1
    assert "demo load" in capsys.readouterr().err


def test_a_day_that_falls_short_says_of_what():
    tally = Tally(200, 120, 19, 15, 10)

    assert day.shortfalls(tally) == ["abandoned holds: 19, at least 20 expected"]
