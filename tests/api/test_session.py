"""Signing in and out, and what a session is worth."""

import asyncio
from datetime import UTC, datetime, timedelta

import argon2
import pytest

from slots.database import set_codecs
from slots.secret_id import hash_of
from slots.store.factor import renew_password_hash
from slots.store.session import account_of_session
from tests.api.conftest import problem
from web.sign_in import DELAY_MAX, FREE_FAILURES, wait_until

HASHER = argon2.PasswordHasher()
KEPT = "SELECT password_hash FROM account WHERE name = 'Ann Martin'"


@pytest.fixture
def hashes_as_elsewhere(monkeypatch):
    """As slowly as where people use it: the world's hashes are of before."""
    monkeypatch.setattr("web.passwords.HASHER", HASHER)


async def test_signing_in_says_who_one_is_and_where(stranger, world):
    answer = await stranger.sign_in(world.email("ann"))

    assert answer.status_code == 200
    session = answer.json()
    assert session["account"] == {"id": str(world.accounts["ann"].id), "name": "Ann Martin"}
    assert session["roles"] == [
        {
            "role": "professional",
            "territory": "hauts-cantons-et-vignobles",
            "schedule_ids": [str(world.schedules["ann"])],
        },
        {"role": "referrer", "territory": "hauts-cantons-et-vignobles", "schedule_ids": []},
    ]
    assert session["territories"] == ["hauts-cantons-et-vignobles", "bassin-de-thau"]


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger, world):
    answer = await stranger.sign_in(world.email("ann"))

    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("chrono48=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


async def test_every_account_of_the_world_is_read_whole(owner, sign_in, world):
    await set_codecs(owner)
    for name, account in world.accounts.items():
        person = await sign_in(name)
        session_hash = hash_of(person.cookies["chrono48"])

        found = await account_of_session(owner, session_hash, datetime.now(UTC))

        assert found is not None
        assert found.account == account


async def test_the_ledger_keeps_only_a_hash_of_the_session_id(owner, sign_in):
    person = await sign_in("ann")
    session_id = person.cookies["chrono48"]

    kept = await owner.fetchval("SELECT id_hash FROM session")

    assert kept == hash_of(session_id)
    assert session_id.encode() not in kept


async def test_the_session_shows_who_is_signed_in(sign_in, world):
    rita = await sign_in("rita")

    answer = await rita.get("/api/v1/session")

    assert answer.status_code == 200
    assert [role["role"] for role in answer.json()["roles"]] == ["regulator", "regulator"]


@pytest.mark.parametrize("email, password", [("ann", "wrong"), ("nobody", "wrong")])
async def test_a_wrong_password_and_an_unknown_address_sound_the_same(stranger, email, password):
    answer = await stranger.sign_in(f"{email}@example.test", password)

    assert problem(answer) == (401, "sign-in-refused")
    assert answer.json()["detail"] == "Adresse ou mot de passe incorrect."
    assert "set-cookie" not in answer.headers


async def test_addresses_are_taken_as_people_type_them(stranger, world):
    answer = await stranger.sign_in(" Ann@Example.TEST ")

    assert answer.status_code == 200


async def test_after_some_failures_the_next_try_must_wait(stranger, world):
    for _ in range(FREE_FAILURES):
        assert problem(await stranger.sign_in(world.email("ann"), "wrong"))[0] == 401

    answer = await stranger.sign_in(world.email("ann"))

    assert problem(answer) == (429, "too-many-tries")
    assert int(answer.headers["retry-after"]) >= 1


async def test_the_delay_of_one_address_locks_nobody_else_out(owner, stranger, world):
    await owner.execute(
        "INSERT INTO sign_in_failure VALUES ($1, '203.0.113.9', 50, now())", world.email("ann")
    )

    answer = await stranger.sign_in(world.email("ann"))

    assert answer.status_code == 200


async def test_many_guesses_at_once_are_counted_one_after_the_other(stranger, world):
    answers = await asyncio.gather(
        *(stranger.sign_in(world.email("ann"), f"guess {number}") for number in range(12))
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == FREE_FAILURES
    assert statuses.count(429) == 12 - FREE_FAILURES


@pytest.mark.usefixtures("hashes_as_elsewhere")
async def test_a_password_that_was_hashed_as_before_is_hashed_anew_once(owner, stranger, world):
    before = await owner.fetchval(KEPT)
    assert HASHER.check_needs_rehash(before)
    assert (await stranger.sign_in(world.email("ann"), "wrong")).status_code == 401
    assert await owner.fetchval(KEPT) == before

    assert (await stranger.sign_in(world.email("ann"))).status_code == 200

    after = await owner.fetchval(KEPT)
    assert not HASHER.check_needs_rehash(after)
    assert (await stranger.sign_in(world.email("ann"))).status_code == 200
    assert await owner.fetchval(KEPT) == after


@pytest.mark.usefixtures("hashes_as_elsewhere")
@pytest.mark.parametrize(
    "in_the_way",
    ["SELECT FROM account FOR NO KEY UPDATE", "LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE"],
    ids=["a row", "the table"],
)
async def test_what_cannot_be_hashed_anew_keeps_nobody_out(owner, stranger, world, in_the_way):
    before = await owner.fetchval(KEPT)

    async with owner.transaction():
        await owner.execute(in_the_way)
        assert (await stranger.sign_in(world.email("ann"))).status_code == 200

    assert await owner.fetchval(KEPT) == before
    assert (await stranger.get("/api/v1/session")).status_code == 200


async def test_a_new_hash_is_written_over_no_password_that_was_chosen_meanwhile(owner, world):
    ann, old = world.accounts["ann"].id, await owner.fetchval(KEPT)
    await owner.execute("SELECT set_password($1, 'another')", ann)

    assert not await renew_password_hash(owner, ann, old, "the old one, hashed anew")

    assert await owner.fetchval(KEPT) == "another"


async def test_a_success_forgets_the_failures(owner, stranger, world):
    await stranger.sign_in(world.email("ann"), "wrong")
    await stranger.sign_in(world.email("ann"))

    assert await owner.fetchval("SELECT count(*) FROM sign_in_failure") == 0


def test_the_delay_grows_and_has_an_end():
    last_at = datetime(2026, 11, 22, tzinfo=UTC)
    waits = [wait_until(failures, last_at) - last_at for failures in range(40)]

    assert waits[FREE_FAILURES - 1] == timedelta()
    assert waits[FREE_FAILURES : FREE_FAILURES + 3] == [timedelta(seconds=s) for s in (1, 2, 4)]
    assert waits == sorted(waits)
    assert waits[-1] == DELAY_MAX


async def test_a_disabled_account_cannot_sign_in(owner, stranger, world):
    await owner.execute("UPDATE account SET disabled_at = now()")

    assert problem(await stranger.sign_in(world.email("ann"))) == (401, "sign-in-refused")


async def test_signing_out_ends_the_session_at_once(sign_in):
    ann = await sign_in("ann")
    session_id = ann.cookies["chrono48"]

    answer = await ann.delete("/api/v1/session")

    assert answer.status_code == 204
    again = await ann.get("/api/v1/session", headers={"Cookie": f"chrono48={session_id}"})
    assert problem(again) == (401, "not-signed-in")


async def test_signing_out_twice_harms_nobody(stranger):
    assert (await stranger.delete("/api/v1/session")).status_code == 204


async def test_signing_in_again_ends_the_session_before_it(owner, sign_in, world):
    ann = await sign_in("ann")

    await ann.sign_in(world.email("ann"))

    assert await owner.fetchval("SELECT count(*) FROM session WHERE ended_at IS NULL") == 1


@pytest.mark.parametrize(
    "ended",
    [
        "expires_at = now()",
        "seen_at = now() - interval '12 hours 1 second'",
        "ended_at = now()",
    ],
)
async def test_a_session_ends_by_age_by_idleness_and_by_order(owner, service, sign_in, ended):
    ann = await sign_in("ann")
    await owner.execute(f"UPDATE session SET {ended}")
    service.state["sessions"]._known.clear()  # a second later

    assert problem(await ann.get("/api/v1/session")) == (401, "not-signed-in")


async def test_use_keeps_a_session_awake(owner, service, sign_in):
    ann = await sign_in("ann")
    await owner.execute("UPDATE session SET seen_at = now() - interval '11 hours'")
    service.state["sessions"]._known.clear()

    await ann.get("/api/v1/session")

    idle = await owner.fetchval("SELECT now() - seen_at FROM session")
    assert idle < timedelta(minutes=1)


@pytest.mark.parametrize("cookie", ["", "x", "é", "x" * 101, "a b"])
async def test_a_cookie_that_is_not_ours_is_no_session(stranger, cookie):
    headers = [(b"cookie", b"chrono48=" + cookie.encode())]

    assert problem(await stranger.get("/api/v1/session", headers=headers)) == (401, "not-signed-in")
