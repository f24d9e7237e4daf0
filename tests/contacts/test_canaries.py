"""Canaries in every field of a contact, written through HTTP: in plain they are nowhere afterwards.

Against real processes on servers of their own: not in any table, nor in the files of PostgreSQL,
not in Redis nor its file, no log, no mail, no address, no header of an answer.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from slots import redis_url
from tests.api.conftest import offered
from tests.chaos.canaries import MARK, found_in_files, found_in_mails, found_in_redis
from tests.conftest import SECRET_KEYS
from tests.waiting import until
from tests.workers.conftest import own_servers, own_settings, unmade_servers
from tests.world import PASSWORD, make_world
from workers.embedded.choices import LOOPBACK, Choices

__all__ = ["own_servers", "own_settings", "unmade_servers"]

pytestmark = pytest.mark.timeout(180)

PHONE = "06 99 88 77 66"
WHOM = {"name": f"{MARK}-1", "birth_year": 1951, "phone": PHONE, "address": f"3 rue {MARK}-2"}
FORM = {f"patient_{name}": str(value) for name, value in WHOM.items()}
VISIT = {"modality": "HH", "area": {"radius_km": 20}, "acts": ["dressing"], "audience": ["CPTS"]}
OUR_PAGE = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def settings(own_servers, own_settings):
    """An installation on servers of its own, that keeps contacts."""
    port = Choices.make().with_free_ports().postgres_port
    return replace(
        own_settings,
        port=port,
        base_url=f"http://{LOOPBACK}:{port}",
        secret_keys=SECRET_KEYS,
        log_format="json",
    )


@pytest.fixture
async def world(settings):
    conn = await asyncpg.connect(settings.owner_database_url)
    made = await make_world(conn)
    await conn.execute("UPDATE territory SET contact_kept_h = 48")
    await conn.close()
    return made


@pytest.fixture
async def logs(world, settings, tmp_path) -> AsyncIterator[list[Path]]:
    """A web process and a worker, each with its log."""
    made = [tmp_path / "web.log", tmp_path / "workers.log"]
    async with program("web", settings, made[0]), program("workers", settings, made[1]):
        yield made


@asynccontextmanager
async def program(name, settings, log: Path):
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", name),
            env={**os.environ, **replace(settings, owner_database_url="").to_environ()},
            stdout=output,
            stderr=output,
        )
        yield
        process.terminate()
        await process.wait()


@pytest.fixture
async def joins(settings, world, logs):
    """Somebody with a session; `told` is each address and header that went to and fro."""
    people = []

    async def joined(name):
        async def remember(answer):
            person.told += [str(answer.request.url), str(answer.headers.multi_items())]

        person = httpx.AsyncClient(
            base_url=settings.base_url,
            trust_env=False,
            headers=OUR_PAGE,
            event_hooks={"response": [remember]},
            timeout=20,
        )
        person.told = []
        people.append(person)

        async def is_in():
            try:
                body = {"email": world.email(name), "password": PASSWORD}
                return (await person.post("/api/v1/session", json=body)).is_success
            except httpx.HTTPError:
                return False

        await until(is_in, within_s=60)  # a process that starts beside others
        return person

    yield joined
    for person in people:
        await person.aclose()


async def command(person, path, body=None, method="POST"):
    return await person.request(
        method, path, json=body or {}, headers={"Idempotency-Key": str(uuid4())}
    )


async def offers(person, world, hours):
    body = {"slots": [offered(world.schedules["nina"], hours=hours, **VISIT)]}
    answer = await command(person, "/api/v1/slots", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["slots"][0]


async def holds(person, slot):
    held = None

    async def is_held():
        nonlocal held
        held = await command(person, f"/api/v1/slots/{slot['id']}/holds")
        return held.status_code == 201

    await until(is_held)  # once a worker has built the board
    return held.json()


async def books(person, slot, typed):
    """By the page, after a mistake; the path of the sheet."""
    held = await holds(person, slot)
    form = {
        "key": str(uuid4()),
        "creneau": slot["id"],
        "until": held["expires_at"],
        "reason": "pain",
        "urgency": "today",
    }
    path = f"/retenues/{held['id']}/confirmer"
    wrong = await person.post(path, data=form | typed | {"patient_birth_year": MARK})
    assert wrong.status_code == 422
    done = await person.post(path, data=form | typed)
    assert "fait=reserve-avec" in done.headers["location"], done.text
    return done.headers["location"].partition("?")[0]


async def live(rolf, nina, world):
    """All that can be done with a contact; one stays. Ends with a cancellation, which is mailed."""
    kept = await books(rolf, await offers(nina, world, 20), FORM)
    seen = await nina.post(f"{kept}/coordonnees")
    assert WHOM["name"] in seen.text
    assert WHOM["address"] in seen.text
    api = kept.replace("/rendez-vous", "/api/v1/appointments")
    assert (await nina.get(f"{api}/contact")).json()["phone"] == PHONE
    assert (await rolf.put(f"{api}/contact", json=WHOM)).status_code == 200
    for refused in (
        {"name": MARK * 20},
        {"phone": MARK},
        {"birth_year": MARK},
        {MARK: MARK},
        {"name": WHOM["name"], "address": 1},
    ):
        assert (await rolf.put(f"{api}/contact", json=refused)).status_code == 422
    broken = await rolf.put(f"{api}/contact", content=f'{{"name": "{MARK}'.encode())
    assert broken.status_code in (400, 415)
    saved = await rolf.post(f"{kept}/coordonnees/enregistrer", data=FORM | {"patient_phone": MARK})
    assert saved.status_code == 422
    assert (await rolf.post(f"{kept}/coordonnees/enregistrer", data=FORM)).status_code == 303

    other = await books(rolf, await offers(nina, world, 22), FORM)
    api = other.replace("/rendez-vous", "/api/v1/appointments")
    held = await holds(rolf, await offers(nina, world, 24))
    moved = await command(rolf, f"{api}/move", {"hold_id": held["id"]})
    api = f"/api/v1/appointments/{moved.json()['id']}"
    assert (await nina.get(f"{api}/contact")).json()["name"] == WHOM["name"]
    assert (await command(nina, f"{api}/cancel")).status_code == 200
    assert (await rolf.get(f"{api}/contact")).json()["name"] == WHOM["name"]
    assert (await command(rolf, f"{api}/patient-told")).status_code == 200


async def in_tables(owner) -> list[str]:
    """Tables of whose rows the text has a canary, as text or as bytes."""
    found = []
    for row in await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        name = row["tablename"]
        text = str(await owner.fetch(f"SELECT t::text FROM {name} t"))
        found += [name for one in (MARK, PHONE) if one in text or one.encode().hex() in text]
    return found


def in_files(paths) -> list[str]:
    """Files that have a canary anywhere in them."""
    wanted = [MARK.encode(), PHONE.encode(), PHONE.replace(" ", "").encode()]
    return [
        path.name
        for path in paths
        if path.is_file() and any(one in path.read_bytes() for one in wanted)
    ]


@pytest.fixture
async def own_owner(settings, world):
    conn = await asyncpg.connect(settings.owner_database_url)
    yield conn
    await conn.close()


@pytest.mark.prove
async def test_a_contact_is_in_plain_nowhere(joins, world, settings, logs, own_owner, tmp_path):
    rolf, nina = await joins("rolf"), await joins("nina")
    mails, servers = settings.data_dir / "mail", tmp_path
    await live(rolf, nina, world)

    async def are_written():
        return len(list(mails.glob("*.eml"))) >= 2  # booked, and cancelled

    await until(are_written)
    assert await own_owner.fetchval("SELECT count(*) FROM patient_contact") >= 1
    assert await in_tables(own_owner) == []
    assert in_files((servers / "postgres").rglob("*")) == []  # whatever was committed is in its log
    client = redis_url.connect(settings.redis_url)
    assert await found_in_redis(client) == []
    assert in_files((servers / "valkey").rglob("*")) == []
    assert found_in_files("log", logs) == []
    assert in_files([*logs, *servers.glob("*.log")]) == []
    assert found_in_mails(mails.glob("*.eml")) == []
    addresses = "".join(rolf.told + nina.told)
    assert MARK not in addresses
    assert PHONE.replace(" ", "") not in addresses.replace("%20", "").replace("+", "")
    await must_find_what_is_planted(nina, world, own_owner, client, servers)
    await client.aclose()


async def must_find_what_is_planted(nina, world, owner, client, servers):
    """The control: what somebody writes into a slot's note is found in each of these places."""
    body = {"slots": [offered(world.schedules["nina"], hours=30, note=MARK, **VISIT)]}
    assert (await command(nina, "/api/v1/slots", body)).status_code == 201

    assert "slot" in await in_tables(owner)
    assert await found_in_redis(client) != []
    assert in_files((servers / "valkey").rglob("*")) != []
    assert in_files((servers / "postgres").rglob("*")) != []
