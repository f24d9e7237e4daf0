"""What a process knows of sessions is a second old at most, and costs a request nothing."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from slots.second_factor import Proof
from slots.secret_id import hash_of
from slots.store.session import end_session
from tests.world import World, make_world
from web.refusals import NotSignedIn
from web.sessions import KNOWN_FOR_S, RECHECK_EVERY_S, Sessions


@pytest.fixture
async def world(owner: asyncpg.Connection) -> World:
    return await make_world(owner)


@pytest.fixture
async def known(pool, world):
    """Sessions that have looked ann's up; nothing rechecks but the test."""
    sessions = Sessions(pool)
    session_id = await sessions.open(world.accounts["ann"].id)
    session_hash = hash_of(session_id)
    assert (await sessions.signed_in(session_hash)).account == world.accounts["ann"]
    return sessions, session_hash


def test_what_is_known_is_asked_about_before_it_grows_old():
    assert RECHECK_EVERY_S < KNOWN_FOR_S


async def test_a_session_that_ended_elsewhere_is_forgotten_by_the_next_recheck(pool, known):
    sessions, session_hash = known
    async with pool.acquire() as elsewhere:
        await end_session(elsewhere, session_hash, datetime.now(UTC))
    assert await sessions.signed_in(session_hash) is not None  # for a second at most

    await sessions.recheck()

    assert await sessions.signed_in(session_hash) is None


async def test_a_token_that_a_proof_replaced_elsewhere_is_forgotten_by_the_next_recheck(
    pool, world, known
):
    sessions, old_hash = known
    new, _ = await Sessions(pool).prove(old_hash, Proof.PASSWORD)
    assert await sessions.signed_in(old_hash) is not None  # for a second at most

    await sessions.recheck()

    assert await sessions.signed_in(old_hash) is None
    assert (await sessions.signed_in(hash_of(new))).account == world.accounts["ann"]


async def test_of_two_tabs_that_prove_at_once_one_goes_on_and_the_session_stays_one(owner, known):
    sessions, old_hash = known

    both = await asyncio.gather(
        *(sessions.prove(old_hash, Proof.PASSWORD) for _ in range(2)), return_exceptions=True
    )

    [(new, _)] = [one for one in both if not isinstance(one, BaseException)]
    assert [type(one) for one in both].count(NotSignedIn) == 1
    assert await sessions.signed_in(old_hash) is None
    assert await sessions.signed_in(hash_of(new)) is not None
    assert await owner.fetchval("SELECT count(*) FROM session WHERE ended_at IS NULL") == 1


async def test_a_session_that_has_ended_is_not_proved_back_to_life(pool, known):
    sessions, old_hash = known
    async with pool.acquire() as elsewhere:
        await end_session(elsewhere, old_hash, datetime.now(UTC))

    with pytest.raises(NotSignedIn):
        await sessions.prove(old_hash, Proof.PASSWORD)


async def test_a_sign_of_a_person_goes_along_to_the_new_token(owner, pool, known):
    _, old_hash = known
    await owner.execute("UPDATE session SET attended_at = attended_at - interval '20 minutes'")
    sessions = Sessions(pool)
    assert await sessions.signed_in(old_hash) is not None
    sessions.attend(old_hash)

    await sessions.prove(old_hash, Proof.PASSWORD)
    await sessions.tell_attended()

    minutes = "SELECT extract(epoch FROM now() - attended_at) / 60 FROM session"
    assert await owner.fetchval(minutes) < 1


async def test_an_account_whose_rights_changed_is_read_anew(owner, world, known):
    sessions, session_hash = known
    ann = world.accounts["ann"]
    await owner.execute(
        "DELETE FROM membership WHERE account_id = $1 AND role = 'referrer'", ann.id
    )

    await sessions.recheck()

    changed = (await sessions.signed_in(session_hash)).account
    assert changed.roles_in(world.hauts) == {"professional"}


async def test_what_a_recheck_found_good_is_not_looked_up_again(owner, known):
    sessions, session_hash = known
    await sessions.recheck()
    # Gone without a word: only a look-up would find out.
    await owner.execute("DELETE FROM session")

    assert (await sessions.signed_in(session_hash)).account.name == "Ann Martin"


async def test_who_was_used_last_is_asked_about_also_where_another_was_looked_up_later(
    pool, world, known, monkeypatch
):
    sessions, of_ann = known
    of_bob = hash_of(await sessions.open(world.accounts["bob"].id))
    assert await sessions.signed_in(of_bob) is not None
    assert await sessions.signed_in(of_ann) is not None
    monkeypatch.setattr("web.sessions.RECHECKED_MAX", 1)
    async with pool.acquire() as elsewhere:
        for session_hash in (of_ann, of_bob):
            await end_session(elsewhere, session_hash, datetime.now(UTC))

    await sessions.recheck()

    assert await sessions.signed_in(of_ann) is None
    assert await sessions.signed_in(of_bob) is not None  # for a second at most
