"""One account at a time, from the command line."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

import asyncpg
import pytest

from slots.secret_id import hash_of
from tests.world import SLUGS, make_world
from workers.people import account, accounts, territory

BASE_URL = "https://chrono.example"
HAUTS, THAU = SLUGS.values()


@pytest.fixture
async def world(owner):
    return await make_world(owner)


@pytest.fixture
def add(owner, world):
    async def add(*words):
        parser = ArgumentParser()
        account.add_arguments(parser)
        arguments = parser.parse_args(["add", *words])
        async with owner.transaction():
            return await account.add(owner, arguments.email, arguments, BASE_URL)

    return add


SOMEBODY = ("--email", "zoe@example.fr", "--name", "Zoé Blanc")


async def memberships(owner, email):
    rows = await owner.fetch(
        "SELECT slug, role FROM membership JOIN account ON account.id = account_id"
        " JOIN territory ON territory.id = territory_id WHERE email = $1",
        email,
    )
    return {tuple(row) for row in rows}


async def purpose_of(owner, link):
    """What a link that was told is for, if it is good now."""
    where, _, token = link.rpartition("/")
    assert where == f"{BASE_URL}/lien"
    return await owner.fetchval("SELECT purpose FROM ticket_at($1, now())", hash_of(token))


async def test_an_account_is_made_without_a_password_and_its_link_told_once(add, owner):
    told = await add(*SOMEBODY, "--role", "coordinator", "--territory", HAUTS)

    row = await owner.fetchrow("SELECT * FROM account WHERE email = 'zoe@example.fr'")
    assert row["password_hash"] is None
    assert "for 24 h" in told
    assert await purpose_of(owner, told.splitlines()[-1]) == "invitation"
    assert await memberships(owner, "zoe@example.fr") == {(HAUTS, "coordinator")}
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE subject_id = $1", row["id"]) == 1


async def test_a_regulator_of_two_territories_joins_the_centre_15_that_is_there(add, owner, world):
    await add(
        *SOMEBODY,
        *("--role", "regulator", "--territory", f"{HAUTS}+{THAU}"),
        *("--organisation", "SAMU 34, Centre 15"),
    )

    organisation_id = await owner.fetchval(
        "SELECT organisation_id FROM account WHERE email = 'zoe@example.fr'"
    )
    assert organisation_id == world.accounts["rita"].organisation_id
    assert await memberships(owner, "zoe@example.fr") == {
        (HAUTS, "regulator"),
        (THAU, "regulator"),
    }


async def test_adding_again_adds_roles_and_keeps_the_password(add, owner):
    await add(*SOMEBODY, "--role", "coordinator", "--territory", HAUTS)
    kept = "chosen meanwhile"
    await owner.execute(
        "UPDATE account SET password_hash = $1 WHERE email = 'zoe@example.fr'", kept
    )

    told = await add(*SOMEBODY, "--role", "referrer", "--territory", HAUTS)

    assert "signs in as before" in told
    assert "/lien/" not in told
    assert kept == await owner.fetchval(
        "SELECT password_hash FROM account WHERE email = 'zoe@example.fr'"
    )
    assert len(await memberships(owner, "zoe@example.fr")) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("--role", "boss", "--territory", HAUTS),
        ("--role", "referrer", "--territory", "elsewhere"),
        ("--role", "professional", "--territory", HAUTS),
        ("--role", "professional", "--territory", HAUTS, "--rpps", "10000000009"),
        ("--role", "regulator", "--territory", HAUTS),
        ("--role", "+", "--territory", HAUTS),
    ],
)
async def test_what_makes_no_account_is_refused(add, owner, words):
    with pytest.raises(account.NotPossible):
        await add(*SOMEBODY, *words)

    assert not await memberships(owner, "zoe@example.fr")


async def test_a_professional_is_somebody_of_the_directory(add, owner, world):
    number = await owner.fetchval(
        "SELECT rpps FROM practitioner WHERE id = $1", world.practitioners["nina"]
    )

    await add(*SOMEBODY, "--role", "professional", "--territory", HAUTS, "--rpps", number)

    assert world.practitioners["nina"] == await owner.fetchval(
        "SELECT practitioner_id FROM account WHERE email = 'zoe@example.fr'"
    )


def reset(owner, email):
    return accounts.reset(owner, email, BASE_URL, datetime.now(UTC))


async def test_a_reset_ends_the_sessions_the_password_and_older_links_and_keeps_the_factors(
    owner, world
):
    ann = world.accounts["ann"].id
    await open_session(owner, ann)
    await owner.execute("SELECT put_passkey('x', $1, 'y', 0, 'Firefox', now())", ann)
    older = await reset(owner, world.email("ann"))

    made = await reset(owner, world.email("ann"))

    assert await owner.fetchval("SELECT password_hash IS NULL FROM account WHERE id = $1", ann)
    assert await owner.fetchval("SELECT count(*) FROM session WHERE ended_at IS NULL") == 0
    assert await owner.fetchval("SELECT count(*) FROM passkey WHERE account_id = $1", ann) == 1
    assert await purpose_of(owner, older.link) is None
    # An invitation would let its reader add a passkey beside those that are there.
    assert await purpose_of(owner, made.link) == "reset"


async def test_no_link_is_made_to_a_disabled_account(owner, world):
    await accounts.disable(owner, world.email("ann"))

    with pytest.raises(accounts.Unknown):
        await reset(owner, world.email("ann"))


async def test_a_disabled_account_has_no_session_and_cannot_be_added_to(add, owner, world):
    await open_session(owner, world.accounts["ann"].id)

    await accounts.disable(owner, world.email("ann"))

    assert await owner.fetchval("SELECT count(*) FROM session WHERE ended_at IS NULL") == 0
    with pytest.raises(accounts.Disabled):
        await add(
            *("--email", world.email("ann"), "--name", "Ann", "--role", "referrer"),
            *("--territory", HAUTS),
        )


async def test_nobody_s_password_cannot_be_reset(owner, world):
    with pytest.raises(accounts.Unknown):
        await reset(owner, "nobody@example.fr")
    with pytest.raises(accounts.Unknown):
        await accounts.disable(owner, "nobody@example.fr")


def territory_words(**changes):
    parser = ArgumentParser()
    territory.add_arguments(parser)
    words = ["add", "--slug", "lodeve", "--name", "CPTS du Lodévois", "--department", "34"]
    return Namespace(**vars(parser.parse_args(words)) | changes)


async def test_a_territory_starts_with_communes_neighbours_and_a_catalogue(owner, world):
    number = await territory.add(owner, territory_words(neighbour=[HAUTS]))

    assert number == 3
    assert await owner.fetchval("SELECT count(*) FROM commune") == 341
    assert await owner.fetchval("SELECT count(*) FROM act WHERE territory_id = 3") == 14
    assert (
        await owner.fetchval(
            "SELECT count(*) FROM territory_neighbour WHERE 3 IN (territory_id, neighbour_id)"
        )
        == 2
    )


@pytest.mark.parametrize(
    "changes", [{"slug": HAUTS}, {"slug": "Not A Slug"}, {"neighbour": ["elsewhere"]}]
)
async def test_a_territory_that_cannot_be_is_refused(owner, world, changes):
    with pytest.raises(territory.NotPossible):
        async with owner.transaction():
            await territory.add(owner, territory_words(**changes))

    assert await owner.fetchval("SELECT count(*) FROM territory") == 2


async def test_a_territory_keeps_contacts_or_not_and_the_audit_says_since_when(owner, world):
    told = await territory.keep_contacts(owner, HAUTS, 36, is_able=True)
    assert "until 36 h after the slot" in told
    assert await kept(owner) == {1: 36, 2: None}

    await territory.keep_contacts(owner, HAUTS, None, is_able=False)
    assert await kept(owner) == {1: None, 2: None}
    verbs = await owner.fetch(
        "SELECT verb FROM audit WHERE territory_id = 1 AND subject = 'territory' ORDER BY id"
    )
    assert [row["verb"] for row in verbs] == ["keep-contacts", "keep-no-contacts"]


async def kept(owner):
    rows = await owner.fetch("SELECT id, contact_kept_h FROM territory")
    return {row["id"]: row["contact_kept_h"] for row in rows}


async def test_without_a_key_or_a_territory_no_contact_is_kept(owner, world):
    with pytest.raises(territory.NotPossible, match="SECRET_KEYS"):
        await territory.keep_contacts(owner, HAUTS, 48, is_able=False)
    with pytest.raises(territory.NotPossible, match="no territory"):
        await territory.keep_contacts(owner, "elsewhere", 48, is_able=True)

    assert set((await kept(owner)).values()) == {None}


@pytest.mark.parametrize("hours", ["23", "73", "x"])
def test_hours_beyond_the_law_of_the_table_are_not_taken(hours):
    parser = ArgumentParser()
    territory.add_arguments(parser)

    with pytest.raises(SystemExit):
        parser.parse_args(["contacts", "--slug", HAUTS, "--hours", hours])


@pytest.mark.parametrize("hours", [23, 73])
async def test_nor_by_the_table(owner, world, hours):
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute("UPDATE territory SET contact_kept_h = $1", hours)


async def open_session(owner, account_id):
    await owner.execute(
        "INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at)"
        " VALUES ('\\x01', $1, now(), now(), now() + interval '1 hour')",
        account_id,
    )


async def test_who_has_lost_everything_is_invited_by_mail(owner, world):
    ann = world.accounts["ann"].id
    await owner.execute("SELECT put_passkey('x', $1, 'y', 0, 'Firefox', now())", ann)
    await owner.execute(
        "SELECT open_ticket('t', $1, 'sign-in', now(), now() + interval '1 hour', NULL)", ann
    )

    await accounts.invite(owner, world.email("ann"), "48H Chrono")

    assert await owner.fetchval("SELECT password_hash IS NULL FROM account WHERE id = $1", ann)
    assert await owner.fetchval("SELECT count(*) FROM passkey") == 0
    assert await owner.fetchval("SELECT spent_at IS NOT NULL FROM ticket")
    mail = await owner.fetchrow("SELECT * FROM mail")
    assert (mail["account_id"], mail["link"]) == (ann, "invitation")
    with pytest.raises(accounts.Unknown):
        await accounts.invite(owner, "nobody@example.test", "48H Chrono")


async def test_an_administrator_is_named_and_unnamed_and_both_are_in_the_audit(owner, world):
    email = world.email("rolf")

    await accounts.administer(owner, email, is_on=True)
    assert await owner.fetchval("SELECT is_administrator FROM account WHERE email = $1", email)
    await accounts.administer(owner, email, is_on=False)

    assert not await owner.fetchval("SELECT is_administrator FROM account WHERE email = $1", email)
    verbs = await owner.fetch("SELECT verb FROM audit WHERE territory_id = 0 ORDER BY id")
    assert [row["verb"] for row in verbs] == ["administer", "administer-no-more"]
    with pytest.raises(accounts.Unknown):
        await accounts.administer(owner, "nobody@example.test", is_on=True)
