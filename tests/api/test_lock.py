"""A PC locks when nobody is there, for the server too, and opens again by a PIN or a passkey."""

import asyncio
import html
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import argon2
import pytest

from slots.database import create_pool
from slots.secret_id import hash_of
from slots.store import lock as store
from slots.store.session import LOCK_AFTER, SESSION_FOR, Alive, sessions_alive
from tests.api.conftest import offered, problem
from tests.authenticator import Authenticator
from tests.world import PASSWORD
from web.app import create_app
from web.auth import COOKIE

PIN = "408162"
OTHER = "918273"
PIN_HASH = argon2.PasswordHasher(time_cost=1, memory_cost=64).hash(PIN)
LOCKED = (423, "session-locked")
OUR_PAGE = {"sec-fetch-site": "same-origin"}
SEEN = {"sec-fetch-mode": "navigate", "accept": "text/html"}
BY_ITSELF = {"sec-fetch-mode": "cors", "accept": "text/html"}
ALMOST = LOCK_AFTER - timedelta(minutes=1)


@pytest.fixture
def leaves(service, owner):
    """`await leaves(rolf)`: nobody has touched that PC for so long."""

    async def left(person, long=LOCK_AFTER):
        await service.state["sessions"].tell_attended()
        await owner.execute(
            "UPDATE session SET attended_at = attended_at - $2::interval WHERE id_hash = $1",
            *(session_of(person), long),
        )
        service.state["sessions"]._known.clear()

    return left


@pytest.fixture
def gives_pin(owner, world):
    async def given(name, pin_hash=PIN_HASH):
        await owner.execute(
            "UPDATE account SET pin_hash = $2 WHERE email = $1", world.email(name), pin_hash
        )

    return given


def session_of(person):
    return hash_of(person.cookies[COOKIE])


async def opens(person, pin=PIN):
    return await person.post("/api/v1/lock/open", json={"pin": pin})


async def verbs(owner):
    rows = await owner.fetch("SELECT verb FROM audit WHERE territory_id = 0 ORDER BY id")
    return [row["verb"] for row in rows]


async def test_after_half_an_hour_nothing_is_read_or_done(sign_in, world, leaves):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])
    await leaves(rolf)

    for path in ("/api/v1/slots", "/api/v1/session", "/api/v1/appointments", "/live/snapshot"):
        assert problem(await rolf.get(path)) == LOCKED, path
    held = await rolf.command("POST", f"/api/v1/slots/{slot['id']}/holds")
    assert problem(held) == LOCKED
    await leaves(ann)
    published = await ann.command(
        "POST", "/api/v1/slots", {"slots": [offered(world.schedules["ann"], hours=6)]}
    )
    assert problem(published) == LOCKED
    assert problem(await rolf.post("/api/v1/attention")) == LOCKED  # too late


async def test_half_an_hour_is_counted_from_the_last_sign_of_a_person(sign_in, leaves):
    rolf = await sign_in("rolf")
    await leaves(rolf, ALMOST)
    assert (await rolf.get("/api/v1/slots")).status_code == 200  # looks, and is no sign
    assert (await rolf.post("/api/v1/attention")).status_code == 204

    await leaves(rolf, ALMOST)
    assert (await rolf.get("/api/v1/slots")).status_code == 200

    await leaves(rolf, timedelta(minutes=1))
    assert problem(await rolf.get("/api/v1/slots")) == LOCKED


@pytest.mark.parametrize(
    ("method", "path", "headers", "is_sign"),
    [
        ("GET", "/orienter", SEEN, True),
        ("GET", "/orienter", {"accept": "text/html"}, True),
        ("POST", "/api/v1/attention", OUR_PAGE, True),
        ("GET", "/orientations?fragment=list", BY_ITSELF, False),
        ("GET", "/orientations?fragment=list", {"accept": "text/html"}, False),
        ("GET", "/live/snapshot", BY_ITSELF, False),
        ("GET", "/api/v1/appointments", {}, False),
    ],
)
async def test_a_page_that_draws_itself_again_is_no_sign_of_a_person(
    sign_in, leaves, method, path, headers, is_sign
):
    rolf = await sign_in("rolf")
    await leaves(rolf, ALMOST)

    assert (await rolf.request(method, path, headers=headers)).status_code in (200, 204)

    await leaves(rolf, timedelta(minutes=2))
    assert ((await rolf.get("/api/v1/slots")).status_code == 200) is is_sign


async def test_signs_of_a_person_are_written_twice_a_minute_at_most(
    sign_in, service, owner, leaves
):
    rolf = await sign_in("rolf")
    attended = "SELECT attended_at FROM session WHERE id_hash = $1"
    first = await owner.fetchval(attended, session_of(rolf))
    for _ in range(3):
        await rolf.post("/api/v1/attention")
    await service.state["sessions"].tell_attended()
    assert await owner.fetchval(attended, session_of(rolf)) == first

    await leaves(rolf, timedelta(seconds=31))
    await rolf.post("/api/v1/attention")
    await service.state["sessions"].tell_attended()
    assert await owner.fetchval(attended, session_of(rolf)) > first


async def test_a_sign_that_the_ledger_could_not_hear_is_told_when_it_is_back(
    sign_in, service, owner, leaves, settings
):
    rolf, sessions = await sign_in("rolf"), service.state["sessions"]
    await leaves(rolf, timedelta(minutes=20))
    await rolf.post("/api/v1/attention")
    pool, nowhere = sessions._pool, "postgresql://nobody@127.0.0.1:1/nothing"
    sessions._pool = await create_pool(replace(settings, database_url=nowhere))
    await sessions.tell_attended()
    sessions._pool = pool
    await sessions.tell_attended()

    attended = await owner.fetchval(
        "SELECT attended_at FROM session WHERE id_hash = $1", session_of(rolf)
    )
    assert datetime.now(UTC) - attended < timedelta(minutes=1)


async def test_a_process_that_stops_tells_of_those_who_were_there(world, settings, owner):
    app = create_app(settings)
    async with app.router.lifespan_context(app) as state:
        session_hash = hash_of(await state["sessions"].open(world.accounts["rolf"].id))
        attended = "SELECT attended_at FROM session WHERE id_hash = $1"
        await owner.execute(
            "UPDATE session SET attended_at = attended_at - interval '20 minutes'"
            " WHERE id_hash = $1",
            session_hash,
        )
        first = await owner.fetchval(attended, session_hash)
        await state["sessions"].signed_in(session_hash)
        state["sessions"].attend(session_hash)

    assert await owner.fetchval(attended, session_hash) > first


async def test_phones_keys_and_walls_never_lock(service, sign_in, world, leaves, owner):
    phone = service.client(**OUR_PAGE)
    form = {"email": world.email("ann"), "password": PASSWORD, "phone": "yes"}
    await phone.post("/connexion", data=form)
    rita = await sign_in("rita")
    key = await rita.post(
        "/compte/cles-logiciel", data={"name": "Logiciel", "scope": "read"}, headers=OUR_PAGE
    )
    wall = await rita.post(
        "/compte/ecrans", data={"name": "Mur", "territory": "1"}, headers=OUR_PAGE
    )
    secret = key.text.split('<code class="secret">')[1].split("<")[0]
    link = wall.text.split('<code class="secret">')[1].split("<")[0]
    software, screen = service.client(authorization=f"Bearer {secret}"), service.client()
    await screen.post("/mur/ecran", data={"link": link.rpartition("/")[2]}, headers=OUR_PAGE)
    await owner.execute("UPDATE session SET attended_at = attended_at - interval '9 hours'")
    service.state["sessions"]._known.clear()

    assert (await phone.get("/disponibilites")).status_code == 200
    assert (await software.get("/api/v1/slots")).status_code == 200
    assert (await screen.get("/mur")).status_code == 200
    assert problem(await rita.get("/api/v1/slots")) == LOCKED
    for person in (phone, software, screen):
        assert problem(await person.post("/api/v1/lock")) in (
            (403, "not-allowed"),
            (401, "not-signed-in"),
        )
    assert (await phone.get("/disponibilites")).status_code == 200


async def test_a_pin_opens_it_and_proves_nothing_more(sign_in, leaves, gives_pin, owner):
    await gives_pin("rolf")
    rolf = await sign_in("rolf")
    await owner.execute("UPDATE session SET proved_at = proved_at - interval '1 hour'")
    before = await owner.fetchrow("SELECT proof, proved_at, expires_at FROM session")
    await leaves(rolf)
    lock = (await rolf.get("/api/v1/lock")).json()
    assert (lock["locked"], lock["locks_in_s"], lock["opened_by"]) == (True, 0, ["pin"])

    assert (await opens(rolf)).status_code == 204

    assert (await rolf.get("/api/v1/slots")).status_code == 200
    assert 1790 < (await rolf.get("/api/v1/lock")).json()["locks_in_s"] <= 1800
    assert await owner.fetchrow("SELECT proof, proved_at, expires_at FROM session") == before
    assert (await verbs(owner))[-1] == "unlock"
    asked = await rolf.get("/compte/logiciels", headers=SEEN)
    assert asked.headers["location"].startswith("/compte/confirmer")


async def test_the_fifth_wrong_pin_ends_the_session(sign_in, leaves, gives_pin, owner):
    await gives_pin("rolf")
    rolf = await sign_in("rolf")
    await leaves(rolf)
    refused = [await opens(rolf, OTHER) for _ in range(5)]

    assert [problem(answer) for answer in refused] == [(401, "pin-refused")] * 4 + [
        (401, "not-signed-in")
    ]
    assert "Il reste un essai" in refused[3].json()["detail"]
    assert problem(await opens(rolf)) == (401, "not-signed-in")
    assert problem(await rolf.get("/api/v1/slots")) == (401, "not-signed-in")
    assert (await verbs(owner))[-6:] == ["unlock-refused"] * 5 + ["unlock-ended"]


async def test_tries_at_once_are_as_many(sign_in, leaves, gives_pin, owner):
    """Were they counted after they had been looked at, all twenty would be listened to."""
    await gives_pin("rolf")
    rolf = await sign_in("rolf")
    await leaves(rolf)

    answers = await asyncio.gather(*(opens(rolf, f"40816{digit % 10}") for digit in range(3, 23)))

    assert {problem(answer) for answer in answers if answer.status_code != 204} <= {
        (401, "pin-refused"),
        (401, "not-signed-in"),
    }
    assert (await verbs(owner)).count("unlock-refused") <= 5
    assert problem(await rolf.get("/api/v1/slots")) == (401, "not-signed-in")


async def test_a_right_pin_counts_from_zero_again(sign_in, leaves, gives_pin):
    await gives_pin("rolf")
    rolf = await sign_in("rolf")
    for _ in range(3):
        await leaves(rolf)
        for _ in range(4):
            assert problem(await opens(rolf, OTHER)) == (401, "pin-refused")
        assert (await opens(rolf)).status_code == 204


async def test_whoever_has_no_pin_is_not_let_in_by_any(sign_in, leaves, gives_pin, owner):
    rolf, rosa = await sign_in("rolf"), await sign_in("rosa")
    await gives_pin("rosa")
    await leaves(rolf)

    assert problem(await opens(rolf)) == (401, "pin-refused")
    assert (await rolf.get("/api/v1/lock")).json()["opened_by"] == []
    assert (await rosa.get("/api/v1/lock")).json()["locked"] is False


async def test_it_locks_at_once_where_somebody_says_so(sign_in, gives_pin):
    await gives_pin("rolf")
    rolf, elsewhere = await sign_in("rolf"), await sign_in("rolf")

    for _ in range(2):
        assert (await rolf.post("/api/v1/lock")).status_code == 204

    assert problem(await rolf.get("/api/v1/slots")) == LOCKED
    assert problem(await rolf.post("/api/v1/attention")) == LOCKED
    assert (await elsewhere.get("/api/v1/slots")).status_code == 200
    assert (await opens(rolf)).status_code == 204
    assert (await rolf.get("/api/v1/slots")).status_code == 200


async def test_it_locks_and_opens_under_the_token_that_a_proof_gave(
    sign_in, service, gives_pin, owner
):
    await gives_pin("rolf")
    rolf = await sign_in("rolf")
    old = rolf.cookies[COOKIE]
    form = {"password": PASSWORD, "after": "/compte"}
    assert (await rolf.post("/compte/confirmer", data=form, headers=OUR_PAGE)).status_code == 303

    assert (await rolf.post("/api/v1/lock")).status_code == 204
    async with service.client(cookie=f"{COOKIE}={old}") as thief:
        assert problem(await opens(thief)) == (401, "not-signed-in")
    assert problem(await rolf.get("/api/v1/slots")) == LOCKED
    new = session_of(rolf)
    assert (await opens(rolf)).status_code == 204

    assert (await rolf.get("/api/v1/slots")).status_code == 200
    assert await owner.fetchval("SELECT id_hash FROM session") == new == session_of(rolf)


async def test_twelve_hours_end_it_however_often_it_was_opened(sign_in, owner, gives_pin, service):
    await gives_pin("rolf")
    rolf = await sign_in("rolf")
    await rolf.post("/api/v1/lock")
    await owner.execute("UPDATE session SET expires_at = expires_at - $1::interval", SESSION_FOR)
    service.state["sessions"]._known.clear()

    assert problem(await opens(rolf)) == (401, "not-signed-in")


async def test_a_passkey_opens_it_and_anothers_does_not(sign_in, leaves, owner):
    rolf, rosa = await sign_in("rolf"), await sign_in("rosa")
    mine, hers = Authenticator(), Authenticator()
    for person, device in ((rolf, mine), (rosa, hers)):
        await adds_passkey(person, device)
    await leaves(rolf)
    assert (await rolf.get("/api/v1/lock")).json()["opened_by"] == ["passkey"]

    refused = await shows(rolf, hers)
    assert problem(refused) == (401, "factor-refused")
    assert problem(await rolf.get("/api/v1/slots")) == LOCKED
    mine.verifies = False  # somebody has found the key, and is asked for no finger
    assert problem(await shows(rolf, mine)) == (401, "factor-refused")
    mine.verifies = True
    proved = await owner.fetchval(
        "SELECT proved_at FROM session WHERE id_hash = $1", session_of(rolf)
    )
    assert (await shows(rolf, mine)).status_code == 204

    assert (await rolf.get("/api/v1/slots")).status_code == 200
    assert proved == await owner.fetchval(
        "SELECT proved_at FROM session WHERE id_hash = $1", session_of(rolf)
    )


async def asked_to_create(person):
    """What the page asks the browser for, where there are passkeys: under a name."""
    person.headers["host"] = "localhost:8048"
    page = await person.post("/compte/protection", headers=OUR_PAGE, follow_redirects=True)
    options = page.text.split('data-passkey="create" data-options="')[1].split('"')[0]
    return json.loads(html.unescape(options))


async def adds_passkey(person, device, options=None):
    created = device.creates(options or await asked_to_create(person))
    await person.post("/protection/cle", data={"credential": json.dumps(created)}, headers=OUR_PAGE)


async def shows(person, device):
    asked = (await person.post("/api/v1/session/passkey", json={})).json()
    return await person.post(
        "/api/v1/lock/open",
        json={"ticket": asked["ticket"], "credential": device.shows(asked["options"])},
    )


async def test_a_password_before_the_lock_begins_another_session(sign_in, leaves, world):
    rolf = await sign_in("rolf")
    old = session_of(rolf)
    await leaves(rolf)

    assert (await rolf.sign_in(world.email("rolf"))).status_code == 200

    assert session_of(rolf) != old
    assert (await rolf.get("/api/v1/slots")).status_code == 200


async def test_nothing_is_added_to_an_account_from_before_the_lock(sign_in, owner):
    """A page that adds a key was left open: it is as good as closed."""
    rolf, device = await sign_in("rolf"), Authenticator()
    options = await asked_to_create(rolf)
    await rolf.post("/api/v1/lock")

    await adds_passkey(rolf, device, options)

    assert await owner.fetchval("SELECT count(*) FROM passkey") == 0


async def test_whoever_leaves_before_the_lock_is_signed_out(sign_in, owner):
    rolf = await sign_in("rolf")
    await rolf.post("/api/v1/lock")

    assert (await rolf.delete("/api/v1/session")).status_code == 204

    assert problem(await opens(rolf)) == (401, "not-signed-in")


async def test_the_ledger_says_the_same_at_any_instant(owner, world, service):
    """Time passed in: open for half an hour, locked from then on, and a sign comes too late."""
    sessions, now = service.state["sessions"], datetime.now(UTC)
    session_hash = hash_of(await sessions.open(world.accounts["rolf"].id))
    later = now + LOCK_AFTER + timedelta(seconds=5)

    async def alive(at) -> Alive:
        return (await sessions_alive(owner, [session_hash], at))[session_hash]

    assert not (await alive(later - timedelta(minutes=1))).is_locked
    assert (await alive(later)).is_locked
    await store.attend(owner, {session_hash: later})
    assert (await alive(later)).is_locked
    await store.attend(owner, {session_hash: later - timedelta(minutes=1)})
    assert not (await alive(later)).is_locked
    assert (await alive(later)) != (await alive(later + LOCK_AFTER))
