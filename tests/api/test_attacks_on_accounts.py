"""What a second reader tried against accounts, sessions and coordinators; each was a fault once."""

import asyncio
import re
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pyotp
import pytest

from slots.ids import INSTALLATION
from slots.scope import Scope
from slots.store.session import open_key
from slots.store.ticket import Purpose, open_ticket
from slots.transaction import entered, looking
from tests.api.conftest import Running, make_boards_ready, problem
from tests.api.test_coordination import NEW, SOMEBODY, ada, cora, path_of, roles_of
from tests.screens import offer
from tests.world import HAUTS, PASSWORD, THAU
from web.app import create_app

__all__ = ["ada", "cora"]

OUR_PAGE = {"sec-fetch-site": "same-origin"}
INVITE = f"/coordination/{HAUTS}/inviter"


@pytest.fixture
def key_of(service, world):
    async def made(name, *scopes):
        now, account_id = datetime.now(UTC), world.accounts[name].id
        async with entered(service.state["desk"].pool, account_id, [INSTALLATION]) as conn:
            return await open_key(conn, "x", scopes, now, now + timedelta(days=30))

    return made


@pytest.fixture
async def strict(world, settings):
    """The service where everybody needs a second factor."""
    required = replace(settings, second_factor="required", base_url="http://localhost:8048")
    app = create_app(required)
    async with app.router.lifespan_context(app) as state:
        await make_boards_ready(state["desk"])
        yield Running(app, dict(state), required.base_url)


async def is_out(person):
    """Their session ends within two seconds."""
    async with asyncio.timeout(2):
        while (await person.get("/api/v1/session")).status_code != 401:
            pass


async def link(service, world, name, purpose):
    async with looking(service.state["desk"].pool) as conn:
        return await open_ticket(conn, purpose, world.accounts[name].id, datetime.now(UTC))


async def test_a_stolen_session_is_no_key_beside_ones_own_proof(service, sign_in, owner, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    await owner.execute(
        "UPDATE session SET proved_at = now() - interval '1 day' WHERE account_id = $1",
        world.accounts["ann"].id,
    )
    headers = OUR_PAGE | {"authorization": f"Bearer {ann.cookies['chrono48']}"}

    answers = [
        await rolf.post(
            "/compte/mot-de-passe", data={"password": "vent lune tiroir"}, headers=headers
        ),
        await rolf.post("/compte/codes", headers=headers),
        await rolf.get("/compte", headers=headers),
    ]

    assert {answer.headers["location"].partition("?")[0] for answer in answers} == {"/connexion"}
    assert problem(await rolf.get("/api/v1/session", headers=headers)) == (401, "not-signed-in")
    assert (await rolf.sign_in(world.email("ann"))).status_code == 200  # her password is hers


async def test_who_finds_an_open_session_does_not_change_the_password(service, sign_in, world):
    ann, new = await sign_in("ann"), {"password": "vent lune tiroir bleu"}

    for typed in (new, new | {"current": new["password"]}):
        answer = await ann.post("/compte/mot-de-passe", data=typed, headers=OUR_PAGE)
        assert answer.status_code == 422
        assert "Ce n’est pas votre mot de passe actuel." in answer.text
    assert (await service.client().sign_in(world.email("ann"))).status_code == 200

    typed = new | {"current": PASSWORD}
    answer = await ann.post("/compte/mot-de-passe", data=typed, headers=OUR_PAGE)
    assert answer.headers["location"] == "/compte?fait=mot-de-passe"
    assert (await service.client().sign_in(world.email("ann"), new["password"])).status_code == 200


async def test_an_owner_reads_by_mail_what_was_changed_of_their_protection(sign_in, owner, world):
    ann, account_id = await sign_in("ann"), world.accounts["ann"].id
    await owner.execute("SELECT put_authenticator_app($1, 'sealed', 0, now())", account_id)
    await owner.execute("UPDATE session SET proof = 'totp'")

    await ann.post("/compte/codes", headers=OUR_PAGE)
    await ann.post("/compte/application/retirer", headers=OUR_PAGE)
    await ann.post("/compte/application/retirer", headers=OUR_PAGE)  # gone already

    told = await owner.fetch("SELECT account_id, subject FROM mail ORDER BY created_at")
    assert [(row["account_id"], row["subject"].partition(" sur ")[0]) for row in told] == [
        (account_id, "Nouveaux codes de secours"),
        (account_id, "Moyen de connexion retiré"),
    ]


async def test_a_key_is_no_cookie(service, key_of):
    key = await key_of("ann", *Scope)
    browser = service.client()
    browser.cookies.set("chrono48", key)

    assert problem(await browser.get("/api/v1/session")) == (401, "not-signed-in")


@pytest.mark.parametrize(
    "organisation", ["SAMU 34, Centre 15", "Urgences de Béziers", "Cabinet de la Corniche"]
)
async def test_nobody_is_put_into_an_organisation_of_elsewhere(
    cora, service, sign_in, owner, world, organisation
):
    """Colleagues share their bookings: whose colleague one is, is not for the next territory to say."""
    carl, rita = await sign_in("carl"), await sign_in("rita")
    booked = await rita.book(await carl.offer(world.schedules["carl"], audience=["SNP", "CPTS"]))
    await cora.post(INVITE, data=SOMEBODY | {"email": world.email("carl"), "role": "referrer"})
    await cora.post(
        INVITE,
        data=SOMEBODY
        | {"email": "eve@example.fr", "role": "referrer", "organisation": organisation},
    )
    await owner.execute(
        "UPDATE account SET password_hash = (SELECT password_hash FROM account WHERE name = 'Cora Faure')"
        " WHERE email = 'eve@example.fr'"
    )
    eve = service.client()
    assert (await eve.sign_in("eve@example.fr")).status_code == 200

    opened = await eve.get(f"/rendez-vous/{booked['id']}")
    cancelled = await eve.command("POST", f"/api/v1/appointments/{booked['id']}/cancel")

    assert opened.status_code == cancelled.status_code == 404
    assert (
        await owner.fetchval(
            "SELECT kind FROM organisation JOIN account ON organisation_id = organisation.id"
            " WHERE email = 'eve@example.fr'"
        )
        == "practice"
    )


async def test_a_colleague_of_the_territory_joins_their_organisation(cora, owner, world):
    here = SOMEBODY | {"organisation": "Maison de santé de Bédarieux"}
    await cora.post(INVITE, data=here)

    assert (
        await owner.fetchval(
            "SELECT count(DISTINCT organisation_id) FROM account WHERE email IN ($1, 'zoe@example.fr')",
            world.email("ann"),
        )
        == 1
    )


async def test_a_coordinator_makes_nobody_a_regulator_but_who_regulates_already(cora, owner, world):
    await owner.execute(
        "DELETE FROM membership WHERE account_id = $1 AND territory_id = 1",
        world.accounts["rita"].id,
    )

    stranger = await cora.post(INVITE, data=SOMEBODY | {"role": "regulator"})
    rolf = await cora.post(path_of(world, "rolf", "roles"), data={"role": "regulator"})
    rita = await cora.post(
        INVITE, data=SOMEBODY | {"email": world.email("rita"), "role": "regulator"}
    )

    assert stranger.status_code == 409
    assert "ajoutés par l’administration" in stranger.text
    assert rolf.headers["location"].endswith("fait=impossible")
    assert rita.headers["location"].endswith("fait=ajoute")
    assert await roles_of(owner, world.email("rita")) == ["regulator"]


async def test_nobody_but_the_installation_lets_in_whom_it_has_disabled(
    cora, stranger, owner, world
):
    await owner.execute(
        "UPDATE account SET disabled_at = now() WHERE id = $1", world.accounts["olga"].id
    )
    again = SOMEBODY | {"email": world.email("olga")}

    first = await cora.post(INVITE, data=again)
    await cora.post(path_of(world, "olga", "roles"), data={"withdraw": "yes"})
    second = await cora.post(INVITE, data=again)

    assert first.status_code == second.status_code == 409
    assert (await stranger.sign_in(world.email("olga"))).status_code == 401


async def test_sessions_and_keys_do_not_come_back_with_the_account(
    cora, service, sign_in, key_of, world
):
    rolf = await sign_in("rolf")
    key = await key_of("rolf", Scope.READ)
    software = service.client(authorization=f"Bearer {key}")
    await cora.post(path_of(world, "rolf", "roles"), data={"withdraw": "yes"})
    await is_out(rolf)

    await cora.post(INVITE, data=SOMEBODY | {"email": world.email("rolf"), "role": "referrer"})

    assert (await rolf.sign_in(world.email("rolf"))).status_code == 200
    assert (await software.get("/api/v1/session")).status_code == 401


async def test_nobody_ends_the_sessions_of_who_works_elsewhere_by_adding_them(
    cora, sign_in, owner, world
):
    carl = await sign_in("carl")
    await cora.post(INVITE, data=SOMEBODY | {"email": world.email("carl"), "role": "referrer"})

    answer = await cora.post(path_of(world, "carl", "sessions"))

    assert answer.headers["location"].endswith("fait=ailleurs")
    assert (await carl.get("/api/v1/session")).status_code == 200
    assert "vous a ajouté" in await owner.fetchval("SELECT subject FROM mail")  # he is told


async def test_nobody_is_tied_to_anothers_number(cora, owner, world):
    rpps = await owner.fetchval("SELECT rpps FROM practitioner WHERE given_name = 'Ann'")

    for email in ("eve@example.fr", world.email("rita")):
        answer = await cora.post(
            INVITE, data=SOMEBODY | {"email": email, "role": "referrer", "rpps": rpps}
        )
        assert answer.status_code == 409, email
    assert not await owner.fetchval(
        "SELECT count(*) FROM account WHERE practitioner_id IS NOT NULL AND name IN ('Rita Simon', 'Zoé Blanc')"
    )


async def test_a_coordinator_gives_nothing_to_themselves(cora, sign_in, owner, world):
    own = await cora.post(
        path_of(world, "cora", "roles"), data={"role": ["coordinator", "delegate"]}
    )
    await owner.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, 1, 'delegate')",
        world.accounts["cora"].id,
    )
    delegated = await cora.post(
        f"/delegations/{world.schedules['ann']}", data={"email": world.email("cora")}
    )

    assert own.headers["location"].endswith("fait=impossible")
    assert delegated.status_code == 422
    assert not await owner.fetchval(
        "SELECT count(*) FROM delegation WHERE account_id = $1", world.accounts["cora"].id
    )


async def test_the_owner_of_a_schedule_is_told_of_a_new_delegate(cora, owner, world):
    await cora.post(f"/delegations/{world.schedules['ann']}", data={"email": world.email("bob")})

    mail = await owner.fetchrow("SELECT * FROM mail")
    assert mail["schedule_id"] == world.schedules["ann"]
    assert mail["subject"].startswith("Bob Bernard agit désormais")


async def test_a_link_of_a_screen_changes_nothing_for_who_is_signed_in(
    service, sign_in, owner, world
):
    link = await offer(service.state["desk"].pool, world.accounts["rita"].id, [HAUTS])
    ann = await sign_in("ann")
    await ann.get(f"/mur/ecran/{link}", headers={"sec-fetch-site": "cross-site"})
    sent = await ann.post(
        "/mur/ecran", data={"link": link}, headers={"sec-fetch-site": "cross-site"}
    )

    assert sent.status_code == 403
    assert (await ann.get("/compte")).status_code == 200
    async with service.client(**OUR_PAGE) as screen:
        await screen.post("/mur/ecran", data={"link": link})
        assert (await screen.get("/connexion")).status_code == 200
        posted = await screen.post(
            "/connexion", data={"email": world.email("rita"), "password": PASSWORD}
        )
        assert posted.headers["location"] == "/regulation"
        assert (await screen.get("/compte")).status_code == 200
        await screen.post("/deconnexion")
        assert (await screen.get("/mur")).status_code == 200  # a screen again
        await owner.execute(
            "DELETE FROM membership WHERE account_id = $1", world.accounts["rita"].id
        )
        async with asyncio.timeout(2):
            while (refused := await screen.get("/mur")).status_code != 403:
                pass
        assert "Rita Simon" not in refused.text


async def test_a_ticket_to_add_a_factor_ends_with_its_session(sign_in, owner, world):
    thief, ann = await sign_in("ann"), await sign_in("ann")
    await thief.post("/compte/protection", headers=OUR_PAGE)
    page = (await thief.get("/protection")).text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")
    await ann.post("/compte/sessions/fermer-les-autres", headers=OUR_PAGE)
    await is_out(thief)

    done = await thief.post(
        "/protection/application", data={"code": pyotp.TOTP(secret).now()}, headers=OUR_PAGE
    )

    assert done.headers["location"] == "/connexion?fait=trop-tard"
    assert not await owner.fetchval("SELECT count(*) FROM authenticator_app")
    assert (await thief.get("/api/v1/session")).status_code == 401


async def test_a_new_password_forgets_no_guess_at_the_second_factor(strict, owner, world):
    await owner.execute(
        "INSERT INTO sign_in_failure (email, address, failures, last_at) VALUES ($1, 'second factor', 50, now())",
        world.email("ann"),
    )
    token = await link(strict, world, "ann", Purpose.RESET)

    async with strict.client(**OUR_PAGE) as thief:
        await thief.get(f"/lien/{token}")
        await thief.post("/nouveau-mot-de-passe", data={"password": "vent lune tiroir bleu"})

    assert (
        await owner.fetchval("SELECT failures FROM sign_in_failure WHERE address = 'second factor'")
        == 50
    )


async def test_without_a_password_an_app_is_not_offered(strict, owner, world):
    await owner.execute("UPDATE account SET password_hash = NULL WHERE name = 'Ann Martin'")
    token = await link(strict, world, "ann", Purpose.INVITATION)

    async with strict.client(**OUR_PAGE) as ann:
        await ann.get(f"/lien/{token}")
        page = (await ann.get("/protection")).text

    assert "Créer une clé d’accès" in page
    assert "/protection/application" not in page


async def test_a_refused_passkey_says_so_where_there_is_no_app(strict, owner, world):
    await owner.execute("SELECT put_passkey('x', $1, 'y', 0, 'F', now())", world.accounts["ann"].id)

    async with strict.client(**OUR_PAGE) as ann:
        await ann.post("/connexion", data={"email": world.email("ann"), "password": PASSWORD})
        await ann.get("/connexion/facteur")
        answer = await ann.post(
            "/connexion/facteur", data={"credential": '{"rawId":"eA","id":"eA","response":{}}'}
        )

    assert "Ce code ou cette clé n’est pas le bon" in answer.text


async def test_who_is_signed_in_reads_that_a_step_has_ended(sign_in, owner):
    ann = await sign_in("ann")
    await ann.post("/compte/protection", headers=OUR_PAGE)
    await owner.execute("UPDATE ticket SET expires_at = now()")

    answer = await ann.post("/protection/application", data={"code": "123456"}, headers=OUR_PAGE)

    assert "a trop duré" in (await ann.get(answer.headers["location"])).text


@pytest.mark.parametrize("path", ["/compte/logiciels", "/coordination", "/delegations"])
async def test_what_is_typed_is_typed_after_one_has_shown_who_one_is(sign_in, owner, path):
    person = await sign_in("cora" if path == "/coordination" else "ann")
    await owner.execute("UPDATE session SET proved_at = now() - interval '20 minutes'")

    page = await person.get(path)

    assert page.headers["location"].startswith("/compte/confirmer?suite=")
    back = await person.post(
        "/compte/confirmer", data={"password": PASSWORD, "after": path}, headers=OUR_PAGE
    )
    assert back.headers["location"] == path
    assert (await person.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (INVITE, SOMEBODY),
        (f"/coordination/{HAUTS}/personnes/{{rolf}}/roles", {"role": "coordinator"}),
        (f"/coordination/{HAUTS}/personnes/{{rolf}}/inviter", {}),
    ],
)
async def test_a_stolen_session_of_a_coordinator_rules_nobody(cora, owner, world, path, data):
    await owner.execute("UPDATE session SET proved_at = now() - interval '2 hours'")
    before = await owner.fetch("SELECT * FROM membership ORDER BY 1, 2, 3")

    answer = await cora.post(path.format(rolf=world.accounts["rolf"].id), data=data)

    assert answer.headers["location"].startswith("/compte/prouver")
    assert await owner.fetch("SELECT * FROM membership ORDER BY 1, 2, 3") == before
    assert not await owner.fetchval("SELECT count(*) FROM mail")


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/mot-de-passe-oublie", {"email": "a\0b@x.fr"}),
        ("/connexion", {"email": "a\0b@x.fr", "password": "x"}),
        ("/lien", {"token": "a\0"}),
        ("/mur/ecran", {"link": "a\0"}),
        ("/connexion/facteur", {"credential": "[" * 60_000, "ticket": "x"}),
        ("/connexion/facteur", {"credential": '{"rawId":"é"}', "ticket": "x"}),
        (INVITE, SOMEBODY | {"name": "Zo\0"}),
    ],
)
async def test_no_sign_that_somebody_sends_breaks_a_page(cora, stranger, path, data):
    person = cora if path == INVITE else stranger

    assert (await person.post(path, data=data, headers=OUR_PAGE)).status_code < 500


@pytest.mark.parametrize("number", ["²", "٣", "9" * 20, "9" * 5_000, "-1"])
async def test_no_number_that_somebody_sends_breaks_a_page(sign_in, world, number):
    ann = await sign_in("ann")
    form = {"key": "x", "schedule_id": str(world.schedules["ann"])}
    form |= {"duration_min": number, "capacity": number, "day": "2026-11-29", "at": number}

    answers = [
        await ann.post("/disponibilites", data=form, headers=OUR_PAGE),
        await ann.get("/orienter", params={"delai": number, "rayon": number}),
        await ann.get("/annuaire", params={"combien": number, "rayon": number}),
    ]

    assert [answer.status_code for answer in answers] == [422, 200, 200]


@pytest.mark.parametrize("length", [255, 5_000, 60_000])
async def test_an_address_longer_than_any_is_nobodys_and_breaks_nothing(stranger, owner, length):
    typed = {"email": secrets.token_hex(length)[:length], "password": PASSWORD}

    assert (await stranger.post("/connexion", data=typed, headers=OUR_PAGE)).status_code == 401

    assert await owner.fetchval("SELECT max(length(email)) FROM sign_in_failure") == 254


async def test_two_who_invite_one_address_at_once_both_succeed(cora, owner):
    answers = await asyncio.gather(*(cora.post(INVITE, data=SOMEBODY) for _ in range(6)))

    assert {answer.status_code for answer in answers} == {303}
    assert await owner.fetchval("SELECT count(*) FROM account WHERE email = 'zoe@example.fr'") == 1
    assert await owner.fetchval("SELECT count(*) FROM mail WHERE link = 'invitation'") == 1


async def test_who_is_withdrawn_here_while_joining_elsewhere_stays(cora, owner, owner_url, world):
    """The account is off only where nothing is left: whichever of the two comes first."""
    rolf = world.accounts["rolf"].id
    other = await asyncpg.connect(owner_url)
    joining = other.transaction()
    await joining.start()
    await other.execute("SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE", rolf)
    withdrawing = asyncio.create_task(
        cora.post(path_of(world, "rolf", "roles"), data={"withdraw": "yes"})
    )
    await other.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, $2, 'referrer')",
        *(rolf, THAU),
    )
    await joining.commit()
    await withdrawing
    await other.close()

    assert await owner.fetchval("SELECT disabled_at IS NULL FROM account WHERE id = $1", rolf)
    assert await roles_of(owner, world.email("rolf")) == []


async def test_naming_a_disabled_person_says_what_is_wrong_and_keeps_what_was_typed(
    ada, owner, world
):
    await owner.execute(
        "UPDATE account SET disabled_at = now() WHERE id = $1", world.accounts["rosa"].id
    )

    answer = await ada.post("/installation/territoires", data=NEW | {"email": world.email("rosa")})

    assert 'id="error-email"' in answer.text
    assert 'name="neighbour" value="1" checked' in answer.text
    assert await owner.fetchval("SELECT count(*) FROM territory") == 2


async def test_a_new_territory_opens_to_its_neighbours_and_not_the_other_way(ada, owner):
    await ada.post("/installation/territoires", data=NEW)

    rows = await owner.fetch(
        "SELECT territory_id, neighbour_id FROM territory_neighbour WHERE 3 IN (territory_id, neighbour_id)"
    )
    assert [tuple(row) for row in rows] == [(3, 1)]


async def test_nonsense_of_strangers_leaves_nothing_in_the_audit(strict, owner):
    async with strict.client() as anybody:
        for _ in range(5):
            asked = (await anybody.post("/api/v1/session/passkey", json={})).json()
            await anybody.post(
                "/api/v1/session/factor",
                json={
                    "ticket": asked["ticket"],
                    "factor": "passkey",
                    "credential": {"rawId": "eA"},
                },
            )

    assert not await owner.fetchval("SELECT count(*) FROM audit")
