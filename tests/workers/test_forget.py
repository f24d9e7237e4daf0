from datetime import timedelta

from slots.reconcile.forget import (
    ADMISSIONS_FOR,
    FAILURES_FOR,
    KEYS_FOR,
    MAILS_FOR,
    SESSIONS_FOR,
    forget,
)
from slots.store.session import open_session
from slots.transaction import looking

A_MOMENT = timedelta(minutes=1)


async def test_keys_are_forgotten_when_nobody_repeats_any_more(desk, offer, owner, now):
    await offer()

    assert await forget(desk, now) == 0
    assert await forget(desk, now + KEYS_FOR + A_MOMENT) == 1

    assert await owner.fetchval("SELECT count(*) FROM idempotency_key") == 0


async def test_sessions_are_forgotten_after_their_end(desk, world, owner, now):
    async with looking(desk.pool) as conn:
        await open_session(conn, b"one", world.accounts["ann"].id, now)
        await open_session(conn, b"two", world.accounts["ann"].id, now)
    await owner.execute("UPDATE session SET ended_at = $1 WHERE id_hash = 'one'", now)

    assert await forget(desk, now + SESSIONS_FOR + A_MOMENT) == 1

    assert await owner.fetchval("SELECT count(*) FROM session") == 1


async def test_a_mail_is_forgotten_once_it_has_left_and_not_before(desk, world, owner, now):
    left = "INSERT INTO mail (id, territory_id, account_id, subject, body, sent_at, link) VALUES (gen_random_uuid(), 1, $1, 's', 'b', $2, $3)"
    ann = world.accounts["ann"].id
    await owner.execute(left, ann, now, None)
    await owner.execute(left, ann, None, None)
    await owner.execute(left, ann, now, "invitation")  # says when ann was invited

    assert await forget(desk, now + MAILS_FOR - A_MOMENT) == 0
    assert await forget(desk, now + MAILS_FOR + A_MOMENT) == 1

    rows = await owner.fetch("SELECT sent_at, link FROM mail")
    assert {(row["sent_at"], row["link"]) for row in rows} == {(None, None), (now, "invitation")}


async def test_wrong_passwords_are_forgotten_when_nobody_repeats_them(desk, world, owner, now):
    await owner.execute(
        "INSERT INTO sign_in_failure (email, address, failures, last_at)"
        " VALUES ('a@example.fr', '::1', 9, $1), ('b@example.fr', '::1', 1, $2)",
        now,
        now + FAILURES_FOR,
    )

    assert await forget(desk, now + FAILURES_FOR + A_MOMENT) == 1

    assert await owner.fetchval("SELECT email FROM sign_in_failure") == "b@example.fr"


async def test_who_asked_to_be_let_in_is_forgotten_some_time_after_the_answer(
    desk, world, owner, now
):
    asked = "INSERT INTO admission (id, territory_id, rpps, name, email, organisation, asked_at, decided_at) VALUES (gen_random_uuid(), 1, $1, 'Zoé', 'z@example.fr', 'Lilas', $2, $3)"
    await owner.execute(asked, "10000000001", now, now)
    await owner.execute(asked, "10000000002", now, None)
    await owner.execute(asked, "10000000003", now, now + A_MOMENT * 3)

    assert await forget(desk, now + ADMISSIONS_FOR - A_MOMENT) == 0
    assert await forget(desk, now + ADMISSIONS_FOR + A_MOMENT) == 2

    assert await owner.fetchval("SELECT rpps FROM admission") == "10000000003"
