"""A coordinator and the people of one territory; delegations; the installation's administrator."""

import asyncio
import html
import re

import pytest

from slots.rights import Action, Standing, may
from tests.world import HAUTS, SLUGS, THAU
from web.pages.journal_words import VERBS

OUR_PAGE = {"sec-fetch-site": "same-origin"}
SOMEBODY = {
    "name": "Zoé Blanc",
    "email": "Zoe@Example.fr",
    "organisation": "Cabinet des Lilas",
    "phone": "04 67 00 00 00",
    "role": ["delegate", "referrer"],
    "rpps": "",
}


@pytest.fixture
async def cora(sign_in):
    person = await sign_in("cora")
    person.headers.update(OUR_PAGE)
    return person


async def roles_of(owner, email, territory_id=HAUTS):
    rows = await owner.fetch(
        "SELECT role FROM membership JOIN account ON account.id = account_id"
        " WHERE email = $1 AND territory_id = $2 ORDER BY role",
        *(email, territory_id),
    )
    return [row["role"] for row in rows]


async def verbs(owner, territory_id=HAUTS):
    rows = await owner.fetch(
        "SELECT verb FROM audit WHERE territory_id = $1 ORDER BY id", territory_id
    )
    return [row["verb"] for row in rows]


def path_of(world, name, verb, territory_id=HAUTS):
    return f"/coordination/{territory_id}/personnes/{world.accounts[name].id}/{verb}"


async def test_somebody_is_invited_with_a_link_and_no_password(cora, owner):
    answer = await cora.post(f"/coordination/{HAUTS}/inviter", data=SOMEBODY)

    assert answer.headers["location"] == f"/coordination/{HAUTS}?fait=invite"
    account = await owner.fetchrow("SELECT * FROM account WHERE email = 'zoe@example.fr'")
    assert account["password_hash"] is None
    assert await roles_of(owner, "zoe@example.fr") == ["delegate", "referrer"]
    mail = await owner.fetchrow("SELECT * FROM mail WHERE account_id = $1", account["id"])
    assert mail["link"] == "invitation"
    assert "{link}" in mail["body"]
    assert await verbs(owner) == ["invite"]
    shown = (await cora.get("/coordination")).text
    assert "Zoé Blanc" in shown
    assert "pas encore venu" in shown


async def test_an_address_that_has_an_account_gets_the_roles_and_keeps_the_rest(cora, owner, world):
    before = await owner.fetchrow("SELECT * FROM account WHERE email = 'carl@example.test'")

    answer = await cora.post(
        f"/coordination/{HAUTS}/inviter",
        data=SOMEBODY | {"email": world.email("carl"), "role": "referrer"},
    )

    assert answer.headers["location"].endswith("fait=ajoute")
    assert await owner.fetchrow("SELECT * FROM account WHERE email = 'carl@example.test'") == before
    assert await roles_of(owner, world.email("carl")) == ["referrer"]
    assert await roles_of(owner, world.email("carl"), THAU) == ["professional"]
    assert await owner.fetchval("SELECT link FROM mail") is None  # told of it, and no link


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("email", "nobody", "adresse de courriel est attendue"),
        ("name", "", "prénom et le nom"),
        ("organisation", " ", "organisation est attendu"),
        ("phone", "appelez-moi", "téléphone est attendu"),
        ("role", [], "au moins un rôle"),
        ("rpps", "12345", "11 chiffres"),
    ],
)
async def test_what_cannot_be_accepted_is_said_beside_its_field_and_the_rest_stays(
    cora, owner, field, typed, words
):
    answer = await cora.post(f"/coordination/{HAUTS}/inviter", data=SOMEBODY | {field: typed})

    assert answer.status_code == 422
    assert words in answer.text
    assert f'id="error-{field}"' in answer.text
    assert field == "name" or 'value="Zoé Blanc"' in answer.text
    assert not await roles_of(owner, "zoe@example.fr")


async def test_a_professional_must_be_in_the_directory_of_the_territory(cora, owner):
    as_one = SOMEBODY | {"role": "professional"}
    await owner.execute("UPDATE account SET practitioner_id = NULL WHERE name = 'Nina Petit'")
    here = await owner.fetchval("SELECT rpps FROM practitioner WHERE given_name = 'Nina'")
    there = await owner.fetchval("SELECT rpps FROM practitioner WHERE given_name = 'Carl'")

    without = await cora.post(f"/coordination/{HAUTS}/inviter", data=as_one)
    foreign = await cora.post(f"/coordination/{HAUTS}/inviter", data=as_one | {"rpps": there})
    known = await cora.post(f"/coordination/{HAUTS}/inviter", data=as_one | {"rpps": f"8{here}"})

    assert without.status_code == 422
    assert foreign.status_code == 409
    assert "Personne de l’annuaire du territoire n’a ce numéro" in foreign.text
    assert known.status_code == 303
    assert await roles_of(owner, "zoe@example.fr") == ["professional"]


async def test_roles_change_and_the_screens_of_that_person_with_them(cora, sign_in, owner, world):
    rolf = await sign_in("rolf")

    await cora.post(path_of(world, "rolf", "roles"), data={"role": ["delegate"]})

    assert await roles_of(owner, world.email("rolf")) == ["delegate"]

    async with asyncio.timeout(2):
        while (await rolf.get("/api/v1/session")).json()["roles"][0]["role"] != "delegate":
            pass


async def test_who_is_taken_out_of_their_only_territory_is_out_at_once(cora, sign_in, owner, world):
    olga = await sign_in("olga")

    await cora.post(path_of(world, "olga", "roles"), data={"role": "delegate", "withdraw": "yes"})

    async with asyncio.timeout(2):
        while (await olga.get("/api/v1/session")).status_code != 401:
            pass
    assert (await olga.sign_in(world.email("olga"))).status_code == 401
    assert not await owner.fetchval(
        "SELECT count(*) FROM delegation WHERE account_id = $1", world.accounts["olga"].id
    )
    again = await cora.post(
        f"/coordination/{HAUTS}/inviter",
        data=SOMEBODY | {"email": world.email("olga"), "role": "delegate"},
    )
    assert again.headers["location"].endswith("fait=ajoute")
    assert (await olga.sign_in(world.email("olga"))).status_code == 200


async def test_a_regulator_who_is_taken_out_of_one_territory_keeps_the_other(cora, sign_in, world):
    rita = await sign_in("rita")

    await cora.post(path_of(world, "rita", "roles"), data={"withdraw": "yes"})

    async with asyncio.timeout(2):
        while SLUGS[HAUTS] in (await rita.get("/api/v1/session")).json()["territories"]:
            pass
    assert SLUGS[THAU] in (await rita.get("/api/v1/session")).json()["territories"]


async def test_nobody_changes_their_own_roles_so_that_the_last_coordinator_stays(
    cora, owner, world
):
    answer = await cora.post(path_of(world, "cora", "roles"), data={"role": ["referrer"]})

    assert answer.headers["location"].endswith("fait=impossible")
    assert await roles_of(owner, world.email("cora")) == ["coordinator"]


async def test_two_coordinators_who_take_each_others_role_leave_one(sign_in, owner, world):
    await owner.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, 1, 'coordinator')",
        world.accounts["rolf"].id,
    )
    people = [await sign_in(name) for name in ("cora", "rolf")]

    await asyncio.gather(
        *(
            person.post(path_of(world, other, "roles"), data={"role": "referrer"}, headers=OUR_PAGE)
            for person, other in zip(people, ("rolf", "cora"), strict=True)
        )
    )

    assert await owner.fetchval("SELECT count(*) FROM membership WHERE role = 'coordinator'") == 1


async def test_who_has_lost_everything_is_invited_anew(cora, sign_in, owner, world):
    ann = await sign_in("ann")
    await owner.execute(
        "SELECT put_passkey('x', $1, 'y', 0, 'Firefox', now())", world.accounts["ann"].id
    )

    answer = await cora.post(path_of(world, "ann", "inviter"))

    assert answer.headers["location"].endswith("fait=invite")
    assert not await owner.fetchval("SELECT count(*) FROM passkey")
    assert (await ann.sign_in(world.email("ann"))).status_code == 401
    async with asyncio.timeout(2):
        while (await ann.get("/api/v1/session")).status_code != 401:
            pass


async def test_nobody_takes_away_the_keys_of_who_works_elsewhere_too(cora, sign_in, world):
    answer = await cora.post(path_of(world, "rita", "inviter"))

    assert answer.headers["location"].endswith("fait=ailleurs")
    rita = await sign_in("rita")
    assert (await rita.get("/api/v1/session")).status_code == 200


async def test_a_persons_sessions_are_ended_from_here(cora, sign_in, world):
    rolf = await sign_in("rolf")

    await cora.post(path_of(world, "rolf", "sessions"))

    async with asyncio.timeout(2):
        while (await rolf.get("/api/v1/session")).status_code != 401:
            pass


@pytest.mark.parametrize("name", ["ann", "olga", "rolf", "rita", "carl", "cora"])
@pytest.mark.parametrize("territory_id", [HAUTS, THAU])
async def test_only_its_coordinator_rules_a_territory(sign_in, owner, world, name, territory_id):
    """Through HTTP, and with the wall's doors asked directly."""
    person = await sign_in(name)
    person.headers.update(OUR_PAGE)
    standings = {Standing.COORDINATOR} if (name, territory_id) == ("cora", HAUTS) else set()
    allowed = may(standings, Action.PEOPLE, is_own=False)
    other = "rosa" if territory_id == HAUTS else "carl"
    before = await owner.fetch("SELECT * FROM membership ORDER BY 1, 2, 3")

    page = await person.get(f"/coordination/{territory_id}")
    journal = await person.get(f"/coordination/{territory_id}/journal")
    invited = await person.post(f"/coordination/{territory_id}/inviter", data=SOMEBODY)
    changed = [
        await person.post(path_of(world, other, verb, territory_id), data={"withdraw": "yes"})
        for verb in ("roles", "inviter", "sessions")
    ]

    expected = (200, 303) if allowed else (403, 403)
    assert (page.status_code, invited.status_code) == expected
    assert journal.status_code == (200 if allowed else 403)
    assert {answer.status_code for answer in changed} == {303 if allowed else 403}
    if not allowed:
        assert await owner.fetch("SELECT * FROM membership ORDER BY 1, 2, 3") == before
        assert world.email(other) not in page.text


@pytest.mark.parametrize("name", ["ann", "rita", "carl"])
async def test_the_ledgers_doors_ask_by_themselves(service, world, name, owner):
    """Even where the code forgot to: whoever has entered must coordinate."""
    from slots.transaction import entered

    account, other = world.accounts[name], world.accounts["rosa"]
    before = await owner.fetch("SELECT * FROM account ORDER BY id")
    async with entered(service.state["desk"].pool, account.id, [HAUTS, THAU]) as conn:
        assert await conn.fetch("SELECT * FROM people_of(1::smallint)") == []
        assert await conn.fetch("SELECT * FROM audit_of(1::smallint, 1000, 10)") == []
        assert (
            await conn.fetchval("SELECT set_roles(1::smallint, $1, '{}', now())", other.id) is None
        )
        assert not await conn.fetchval(
            "SELECT invite_again(1::smallint, $1, $1, '', '', now())", other.id
        )
        assert not await conn.fetchval(
            "SELECT end_sessions_of_person(1::smallint, $1, now())", other.id
        )
        assert (
            await conn.fetchval("SELECT add_territory('x', 'x', '34', 1::smallint, '{}')") is None
        )
        row = await conn.fetchrow(
            "SELECT * FROM invite(1::smallint, $1, 'x@y.fr', 'x', '', 'x', '{referrer}', '', $1, '', '', now())",
            other.id,
        )
        assert row["outcome"] == "not-allowed"
    assert await owner.fetch("SELECT * FROM account ORDER BY id") == before


async def test_a_coordinator_who_has_not_entered_a_territory_has_no_door_there(service, world):
    from slots.transaction import entered

    async with entered(service.state["desk"].pool, world.accounts["cora"].id, [THAU]) as conn:
        assert await conn.fetch("SELECT * FROM people_of(1::smallint)") == []


async def test_the_journal_says_who_did_what_with_both_names(cora, sign_in, world):
    olga = await sign_in("olga")
    slot = await olga.offer(world.schedules["ann"])
    rolf = await sign_in("rolf")
    booked = await rolf.book(slot)

    page = (await cora.get(f"/coordination/{HAUTS}/journal")).text

    for words in ("Olga Roux", VERBS["offer"], "Rolf Garcia", VERBS["confirm"]):
        assert words in page
    assert booked["reference"] not in page


async def test_a_professional_names_a_delegate_who_then_acts_and_ends_it(sign_in, owner, world):
    ann, rosa = await sign_in("ann"), await sign_in("rosa")
    schedule = world.schedules["ann"]
    refused = await ann.post(
        f"/delegations/{schedule}", data={"email": world.email("rosa")}, headers=OUR_PAGE
    )
    assert refused.status_code == 422  # she only refers
    await owner.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, 1, 'delegate')",
        world.accounts["rosa"].id,
    )

    named = await ann.post(
        f"/delegations/{schedule}", data={"email": world.email("rosa").upper()}, headers=OUR_PAGE
    )
    assert named.status_code == 303
    async with asyncio.timeout(2):
        while str(schedule) not in (await rosa.get("/api/v1/session")).text:
            pass
    await rosa.offer(schedule)
    assert "Rosa Fabre" in (await ann.get("/delegations")).text
    await ann.post(f"/delegations/{schedule}/{world.accounts['rosa'].id}/retirer", headers=OUR_PAGE)
    async with asyncio.timeout(2):
        while str(schedule) in (await rosa.get("/api/v1/session")).text:
            pass
    assert [verb for verb in await verbs(owner) if "deleg" in verb] == [
        *("delegate", "delegate"),
        *("end-delegation", "end-delegation"),
    ]


@pytest.mark.parametrize("name", ["olga", "bob", "rolf", "rita", "carl"])
async def test_nobody_else_names_delegates_for_a_schedule(sign_in, owner, world, name):
    person = await sign_in(name)
    before = await owner.fetch("SELECT * FROM delegation ORDER BY 1, 3")

    named = await person.post(
        f"/delegations/{world.schedules['ann']}",
        data={"email": world.email("bob")},
        headers=OUR_PAGE,
    )
    ended = await person.post(
        f"/delegations/{world.schedules['ann']}/{world.accounts['olga'].id}/retirer",
        headers=OUR_PAGE,
    )

    assert named.status_code == ended.status_code == 403
    assert await owner.fetch("SELECT * FROM delegation ORDER BY 1, 3") == before


async def test_its_coordinator_names_delegates_for_a_service(cora, owner, world):
    answer = await cora.post(
        f"/delegations/{world.schedules['radiology']}", data={"email": world.email("olga")}
    )

    assert answer.status_code == 303
    assert (
        await owner.fetchval(
            "SELECT count(*) FROM delegation WHERE schedule_id = $1", world.schedules["radiology"]
        )
        == 2
    )


@pytest.fixture
async def ada(sign_in, owner, world):
    """Dora administers the installation, and has no role anywhere any more."""
    dora = world.accounts["dora"].id
    await owner.execute("UPDATE account SET is_administrator = true WHERE id = $1", dora)
    await owner.execute("DELETE FROM delegation WHERE account_id = $1", dora)
    await owner.execute("DELETE FROM membership WHERE account_id = $1", dora)
    person = await sign_in("dora")
    person.headers.update(OUR_PAGE)
    return person


NEW = {
    "name": "CPTS du Lodévois",
    "slug": "lodevois",
    "department": "34",
    "like": "1",
    "coordinator": "Léa Roques",
    "email": "lea@example.fr",
    "neighbour": ["1"],
}


async def test_an_administrator_adds_a_territory_and_names_its_coordinator(
    ada, sign_in, owner, service
):
    answer = await ada.post("/installation/territoires", data=NEW)

    assert answer.headers["location"] == "/installation?fait=cree"
    assert await roles_of(owner, "lea@example.fr", 3) == ["coordinator"]
    assert await owner.fetchval("SELECT count(*) FROM mail WHERE link = 'invitation'") == 1
    acts = "SELECT count(*) FROM act WHERE territory_id = $1"
    assert await owner.fetchval(acts, 3) == await owner.fetchval(acts, 1)
    assert "CPTS du Lodévois" in (await ada.get("/installation")).text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("slug", "Lodève !"),
        ("slug", SLUGS[HAUTS]),
        ("department", "x"),
        ("email", "lea"),
        ("like", "9"),
    ],
)
async def test_a_territory_that_makes_no_sense_is_not_made(ada, owner, field, typed):
    answer = await ada.post("/installation/territoires", data=NEW | {field: typed})

    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert await owner.fetchval("SELECT count(*) FROM territory") == 2


async def test_an_administrator_sees_no_slot_no_appointment_and_nobody(ada, sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])
    booked = await rolf.book(slot)

    for path, status in (
        (f"/api/v1/slots/{slot['id']}", 404),
        (f"/rendez-vous/{booked['id']}", 404),
        (f"/coordination/{HAUTS}", 403),
        (f"/coordination/{HAUTS}/journal", 403),
        ("/regulation", 403),
    ):
        assert (await ada.get(path)).status_code == status, path
    for path in ("/api/v1/slots", "/api/v1/appointments", "/annuaire", "/orientations"):
        assert "Ann Martin" not in (await ada.get(path)).text, path


@pytest.mark.parametrize("name", ["ann", "cora", "rita"])
async def test_nobody_else_adds_a_territory(sign_in, owner, name):
    person = await sign_in(name)

    answer = await person.post("/installation/territoires", data=NEW, headers=OUR_PAGE)

    assert answer.status_code == (await person.get("/installation")).status_code == 403
    assert await owner.fetchval("SELECT count(*) FROM territory") == 2


async def test_everybody_sees_the_matrix_as_it_is(sign_in):
    page = (await (await sign_in("rolf")).get("/droits")).text

    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page)
    assert len(rows) == len(Standing)
    regulator = dict(rows)["Régulateur d’un territoire couvert"]
    cells = re.findall(r"<td>(.*?)</td>", regulator)
    assert cells == [
        "SNP, PRO, PUBLIC",
        "SNP, PRO, PUBLIC",
        "—",
        *["les siens"] * 2,
        "—",
        *["les siens"] * 2,
        "oui",
        *["—"] * 5,
    ]


async def test_a_refusal_of_somebody_signed_in_is_in_the_audit_once_a_minute(sign_in, owner, world):
    rolf = await sign_in("rolf")

    for _ in range(3):
        assert (await rolf.get("/coordination")).status_code == 403
    await rolf.get("/installation")

    rows = await owner.fetch("SELECT account_id FROM audit WHERE verb = 'refuse'")
    assert [row["account_id"] for row in rows] == [world.accounts["rolf"].id] * 2


async def test_a_coordinator_sees_what_a_person_has_open_and_ends_all_of_it(
    cora, sign_in, owner, world
):
    await sign_in("rolf")
    rolf = world.accounts["rolf"].id
    await owner.execute(
        "INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, kind, scopes)"
        " VALUES ('key', $1, now(), now(), now() + interval '1 day', 'key', '{slots}')",
        rolf,
    )

    page = (await cora.get("/coordination")).text
    assert "1\xa0session ouverte · 1\xa0clé de logiciel" in html.unescape(page)

    await cora.post(path_of(world, "rolf", "sessions"))
    alive = "SELECT count(*) FROM session WHERE account_id = $1 AND ended_at IS NULL"
    assert await owner.fetchval(alive, rolf) == 0
