"""What `chrono48 account` prints opens an account once, soon, and nothing before somebody used it."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.api.conftest import problem
from tests.world import HAUTS, PASSWORD, SLUGS

PROJECT = Path(__file__).parents[2]
OUR_PAGE = {"sec-fetch-site": "same-origin"}
ZOE = "zoe@example.fr"
CHOSEN = "vent lune tiroir bleu"
ADD_ZOE = (
    *("add", "--email", ZOE, "--name", "Zoé Blanc"),
    *("--role", "referrer", "--territory", SLUGS[HAUTS]),
)


@pytest.fixture
def prints(settings):
    """Run `chrono48 account …` as an operator does; what it prints."""

    async def run(*words):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workers.command", "account", *words),
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"]} | settings.to_environ(),
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0
        return printed.decode()

    return run


async def follows(person, link):
    """Open the link; the answer."""
    return await person.get(link, headers=OUR_PAGE)


async def chooses(person, link, password=CHOSEN):
    await follows(person, link)
    return await person.post("/nouveau-mot-de-passe", data={"password": password}, headers=OUR_PAGE)


def link_in(printed, base_url):
    link = printed.splitlines()[-1]
    assert link.startswith(f"{base_url}/lien/")
    return link


async def is_let_in(service, email, password):
    return (await service.client().sign_in(email, password)).status_code == 200


async def test_nobody_signs_in_to_a_new_account_before_its_link_was_used(service, prints, owner):
    printed = await prints(*ADD_ZOE)

    for word in {*printed.split(), *printed.replace("/", " ").split()}:
        await owner.execute("DELETE FROM sign_in_failure")  # so that each word is looked at
        refused = await service.client().sign_in(ZOE, word)
        assert problem(refused) == (401, "sign-in-refused"), word


async def test_a_printed_link_makes_a_password_once(service, prints):
    link = link_in(await prints(*ADD_ZOE), service.base_url)
    for _ in range(2):  # whoever only looks spends nothing
        assert (await follows(service.client(), link)).status_code == 303

    first = await chooses(service.client(), link)
    second = await chooses(service.client(), link, "lampe orage velours midi")

    assert first.headers["location"] != second.headers["location"]
    assert second.headers["location"] == "/connexion?fait=trop-tard"
    assert await is_let_in(service, ZOE, CHOSEN)
    ended = await follows(service.client(), link)
    assert (ended.status_code, "Ce lien n’est plus valable" in ended.text) == (410, True)


@pytest.mark.parametrize(("command", "hours"), [("add", 24), ("reset", 1)])
async def test_a_printed_link_is_good_for_no_longer_than_it_says(
    service, prints, owner, world, command, hours
):
    words = ADD_ZOE if command == "add" else ("reset", "--email", world.email("ann"))
    printed = await prints(*words)
    link = link_in(printed, service.base_url)
    assert f"for {hours} h" in printed

    await passes(owner, timedelta(hours=hours) - timedelta(minutes=5))
    assert (await follows(service.client(), link)).status_code == 303
    await passes(owner, timedelta(minutes=5))

    assert (await follows(service.client(), link)).status_code == 410


async def passes(owner, time):
    """As if *time* had gone by for whatever is under way."""
    await owner.execute("UPDATE ticket SET expires_at = expires_at - $1::interval", time)


async def test_a_reset_refuses_the_old_password_and_ends_the_session(
    service, sign_in, prints, world
):
    ann = await sign_in("ann")

    link = link_in(await prints("reset", "--email", world.email("ann")), service.base_url)

    assert not await is_let_in(service, world.email("ann"), PASSWORD)
    async with asyncio.timeout(2):
        while (await ann.get("/api/v1/session")).status_code != 401:
            pass
    await chooses(service.client(), link)
    assert not await is_let_in(service, world.email("ann"), PASSWORD)
    assert await is_let_in(service, world.email("ann"), CHOSEN)
