"""A registered PC of a regulation room is a factor for its regulators, for a shift, and for nothing else."""

import asyncio
import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyotp
import pytest

from slots.rights import MATRIX, Action, Extent, Standing
from slots.sealing import Sealer
from slots.second_factor import new_app_secret
from slots.secret_id import hash_of
from slots.store import workstation as store
from slots.store.workstation import LINK_FOR, SHIFT_FOR, WORKSTATION_FOR
from slots.transaction import entered
from tests.api.conftest import Running, make_boards_ready, problem
from tests.conftest import SECRET_KEYS
from tests.waiting import until
from tests.world import PASSWORD
from web.app import create_app
from web.auth import COOKIE
from web.second_factor import APP_PLACE

OUR_PAGE = {"sec-fetch-site": "same-origin"}
STATION_COOKIE = f"{COOKIE}-workstation"
NAMES = ("rita", "rolf", "cora", "bob")
ENDS_WITHIN_S = 2.0


@pytest.fixture
async def strict(world, settings):
    """The service where everybody needs a second factor."""
    required = replace(settings, second_factor="required")
    app = create_app(required)
    async with app.router.lifespan_context(app) as state:
        await make_boards_ready(state["desk"])
        yield Running(app, dict(state), required.base_url)


@pytest.fixture
async def apps(owner, world):
    """Everybody's authenticator app. Cora administers the installation."""
    secrets = {}
    for name in NAMES:
        secret, account_id = new_app_secret(), world.accounts[name].id
        sealed = Sealer.of(SECRET_KEYS).seal(secret, APP_PLACE.format(account_id=account_id))
        await owner.execute("SELECT put_authenticator_app($1, $2, 0, now())", account_id, sealed)
        secrets[name] = pyotp.TOTP(secret.decode())
    await owner.execute("UPDATE account SET is_administrator = true WHERE name = 'Cora Faure'")
    return secrets


@pytest.fixture
async def samu(owner):
    return await owner.fetchval("SELECT id FROM organisation WHERE kind = 'regulation'")


@pytest.fixture
def at_station(strict, apps, world, samu):
    """A browser at a workstation of the Centre 15, or of *organisation_id*; nobody has signed in."""

    async def made(organisation_id=None):
        state = strict.state
        async with entered(state["desk"].pool, world.accounts["cora"].id, ()) as conn:
            _, link = await store.add(conn, organisation_id or samu, "Poste 3", datetime.now(UTC))
        pc = strict.client(**OUR_PAGE)
        answer = await pc.post("/poste", data={"link": link})
        assert "est enregistré" in answer.text
        return pc

    return made


async def signs_in_with_app(person, world, apps, name):
    due = await person.sign_in(world.email(name))
    assert due.status_code == 202
    body = {"ticket": due.json()["ticket"], "factor": "totp", "code": apps[name].now()}
    answer = await person.post("/api/v1/session/factor", json=body)
    assert answer.status_code == 200, answer.text


async def verbs(owner):
    rows = await owner.fetch("SELECT verb FROM audit WHERE territory_id = 0 ORDER BY id")
    return [row["verb"] for row in rows]


def shown_link(page):
    return html.unescape(re.search(r'<code class="secret">([^<]+)', page.text)[1])


async def test_a_regulator_needs_their_password_alone_there_for_a_shift(at_station, world, owner):
    pc = await at_station()

    answer = await pc.sign_in(world.email("rita"))

    assert answer.status_code == 200
    assert (await pc.get("/api/v1/slots")).status_code == 200
    row = await owner.fetchrow("SELECT proof, expires_at - created_at AS lasts FROM session")
    assert (row["proof"], row["lasts"]) == ("workstation", SHIFT_FOR)
    assert timedelta(hours=12) == SHIFT_FOR
    assert (await verbs(owner))[-1] == "sign-in-at-workstation"
    assert await owner.fetchval("SELECT used_at IS NOT NULL FROM workstation")


async def test_the_page_lets_in_as_the_api_does(at_station, world):
    pc = await at_station()
    form = {"email": world.email("rita"), "password": PASSWORD}

    answer = await pc.post("/connexion", data=form)

    assert answer.headers["location"] == "/regulation"


@pytest.mark.parametrize("name", ["rolf", "cora", "bob"])
async def test_whoever_is_no_regulator_shows_their_factor_as_ever(at_station, world, owner, name):
    pc = await at_station()

    answer = await pc.sign_in(world.email(name))

    assert (answer.status_code, answer.json()["factors"]) == (202, ["totp"])
    assert await owner.fetchval("SELECT count(*) FROM session") == 0
    assert not await owner.fetchval("SELECT used_at IS NOT NULL FROM workstation")


async def test_a_regulator_of_another_organisation_shows_their_factor(at_station, world, owner):
    other = uuid4()
    await owner.execute(
        "INSERT INTO organisation (id, name, kind) VALUES ($1, 'SAMU 11', 'regulation')", other
    )
    pc = await at_station(other)

    assert (await pc.sign_in(world.email("rita"))).status_code == 202


async def test_whoever_regulates_no_more_shows_their_factor(at_station, world, owner):
    pc = await at_station()
    await owner.execute("DELETE FROM membership WHERE role = 'regulator'")

    assert (await pc.sign_in(world.email("rita"))).status_code == 202


@pytest.mark.parametrize(
    "ends",
    [
        "UPDATE workstation SET revoked_at = now()",
        "UPDATE workstation SET expires_at = now()",
        "UPDATE workstation SET secret_hash = NULL",
        "UPDATE organisation SET kind = 'hospital' WHERE kind = 'regulation'",
    ],
)
async def test_one_that_is_none_any_more_counts_for_nobody(at_station, world, owner, ends):
    pc = await at_station()
    await owner.execute(ends)

    assert (await pc.sign_in(world.email("rita"))).status_code == 202


async def test_a_stolen_cookie_without_the_password_opens_nothing(at_station, strict, world):
    pc = await at_station()
    thief = strict.client()
    thief.cookies.set(STATION_COOKIE, pc.cookies[STATION_COOKIE])

    assert problem(await thief.get("/api/v1/slots")) == (401, "not-signed-in")
    for _ in range(3):
        refused = await thief.sign_in(world.email("rita"), "mauvais mot de passe")
        assert problem(refused) == (401, "sign-in-refused")
    # Guesses are counted there as anywhere.
    assert problem(await thief.sign_in(world.email("rita"), PASSWORD)) == (429, "too-many-tries")
    thief.cookies.set(COOKIE, pc.cookies[STATION_COOKIE])
    assert problem(await thief.get("/api/v1/slots")) == (401, "not-signed-in")


async def test_a_cookie_that_somebody_has_made_up_is_none(strict, apps, world):
    pc = strict.client()
    pc.cookies.set(STATION_COOKIE, "x" * 43)

    assert (await pc.sign_in(world.email("rita"))).status_code == 202


async def test_nobody_calls_it_their_own_phone(at_station, world, owner):
    """Else a password would open thirty days."""
    pc = await at_station()
    form = {"email": world.email("rita"), "password": PASSWORD, "phone": "yes"}

    answer = await pc.post("/connexion", data=form)

    assert answer.headers["location"].startswith("/connexion/facteur")
    assert await owner.fetchval("SELECT count(*) FROM session") == 0


async def test_there_a_ticked_phone_is_none_after_its_factor_either(at_station, world, apps, owner):
    pc = await at_station()
    form = {"email": world.email("rita"), "password": PASSWORD, "phone": "yes"}
    due = await pc.post("/connexion", data=form)
    assert due.headers["location"].startswith("/connexion/facteur")

    await pc.post("/connexion/facteur", data={"code": apps["rita"].now(), "phone": "yes"})

    rows = await owner.fetch("SELECT is_phone FROM session WHERE ended_at IS NULL")
    assert [row["is_phone"] for row in rows] == [False]


@pytest.mark.parametrize("change", ["role", "organisation"])
async def test_a_session_of_who_regulates_there_no_more_ends(at_station, world, owner, change):
    pc = await at_station()
    assert (await pc.sign_in(world.email("rita"))).status_code == 200
    rita = world.accounts["rita"]
    if change == "role":
        await owner.execute(
            "UPDATE membership SET role = 'referrer' WHERE account_id = $1", rita.id
        )
    else:
        await owner.execute(
            "UPDATE account SET organisation_id = $2 WHERE id = $1",
            *(rita.id, world.accounts["rolf"].organisation_id),
        )

    async def is_refused():
        return (await pc.get("/api/v1/slots")).status_code == 401

    await until(is_refused, ENDS_WITHIN_S)


async def test_it_lets_nobody_change_what_protects_an_account(at_station, world, apps, owner):
    pc = await at_station()
    await pc.sign_in(world.email("rita"))

    for path in ("/compte/logiciels", "/compte/mot-de-passe", "/compte/code"):
        asked = await pc.get(path)
        assert asked.headers["location"].startswith("/connexion/facteur"), path
    key = await pc.post("/compte/cles-logiciel", data={"name": "Logiciel", "scope": "read"})
    assert key.headers["location"].startswith("/connexion/facteur")
    assert await owner.fetchval("SELECT count(*) FROM session WHERE kind = 'key'") == 0

    shown = await pc.post("/connexion/facteur", data={"code": apps["rita"].now()})
    assert shown.status_code == 303
    assert (await pc.get("/compte/code")).status_code == 200


async def test_who_has_no_factor_yet_adds_one_before_anything_else(at_station, world, owner):
    pc = await at_station()
    await owner.execute("DELETE FROM authenticator_app")
    assert (await pc.sign_in(world.email("rita"))).status_code == 200

    assert (await pc.get("/compte/code")).headers["location"].startswith("/compte/confirmer")
    answer = await pc.post(
        "/compte/confirmer", data={"password": PASSWORD, "after": "/compte/code"}
    )

    assert answer.headers["location"].startswith("/protection")
    assert (await pc.get("/compte/code")).headers["location"].startswith("/compte/confirmer")


async def test_it_locks_as_any_pc_does(at_station, world, owner, strict):
    pc = await at_station()
    await pc.sign_in(world.email("rita"))
    await owner.execute("UPDATE session SET attended_at = attended_at - interval '31 minutes'")
    strict.state["sessions"]._known.clear()

    assert problem(await pc.get("/api/v1/slots")) == (423, "session-locked")
    assert (await pc.sign_in(world.email("rita"))).status_code == 200  # the password again
    assert (await pc.get("/api/v1/slots")).status_code == 200


async def test_an_administrator_registers_it_and_its_link_is_good_once(
    strict, apps, world, samu, owner
):
    cora, pc = strict.client(**OUR_PAGE), strict.client(**OUR_PAGE)
    await signs_in_with_app(cora, world, apps, "cora")
    made = await cora.post(
        "/installation/postes", data={"station": "Salle, poste 3", "organisation": str(samu)}
    )
    link = shown_link(made)
    path = link.removeprefix(strict.base_url)
    assert "pas encore confirmé" in (await cora.get("/installation")).text

    for _ in range(2):  # looking spends nothing
        offered = await pc.get(path)
        assert "SAMU 34, Centre 15" in html.unescape(offered.text)
        assert STATION_COOKIE not in pc.cookies
    token = path.rpartition("/")[2]
    done = await asyncio.gather(
        *(strict.client(**OUR_PAGE).post("/poste", data={"link": token}) for _ in range(5))
    )

    assert sorted(answer.status_code for answer in done) == [200] + [410] * 4
    assert (await pc.get(path)).status_code == 410
    [given] = [answer for answer in done if answer.status_code == 200]
    cookie = given.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    secret = given.cookies[STATION_COOKIE]
    row = await owner.fetchrow("SELECT * FROM workstation")
    assert row["secret_hash"] == hash_of(secret)
    assert row["link_hash"] is None
    assert secret.encode() not in str(dict(row)).encode()
    assert row["expires_at"] - row["created_at"] == WORKSTATION_FOR
    assert "pas encore utilisé" in (await cora.get("/installation")).text
    assert [verb for verb in await verbs(owner) if "workstation" in verb] == [
        "workstation-added",
        "workstation-confirmed",
    ]


async def test_a_late_link_makes_nothing(strict, apps, world, samu):
    then = datetime.now(UTC) - LINK_FOR
    async with entered(strict.state["desk"].pool, world.accounts["cora"].id, ()) as conn:
        _, link = await store.add(conn, samu, "Poste 3", then)
    pc = strict.client(**OUR_PAGE)

    assert (await pc.post("/poste", data={"link": link})).status_code == 410
    assert STATION_COOKIE not in pc.cookies


async def test_under_https_the_cookie_is_the_hosts_alone(settings, world, apps, samu):
    secure = replace(settings, second_factor="required", base_url="https://chrono48.example")
    app = create_app(secure)
    async with app.router.lifespan_context(app) as state:
        async with entered(state["desk"].pool, world.accounts["cora"].id, ()) as conn:
            _, link = await store.add(conn, samu, "Poste 3", datetime.now(UTC))
        pc = Running(app, dict(state), secure.base_url).client(**OUR_PAGE)
        cookie = (await pc.post("/poste", data={"link": link})).headers["set-cookie"]

    assert cookie.startswith("__Host-chrono48-workstation=")
    assert "Secure" in cookie
    assert "Path=/" in cookie


async def test_revoking_one_ends_what_was_opened_there_within_two_seconds(
    at_station, strict, apps, world, owner
):
    pc, elsewhere, cora = await at_station(), strict.client(), strict.client(**OUR_PAGE)
    await pc.sign_in(world.email("rita"))
    await signs_in_with_app(elsewhere, world, apps, "rita")
    await signs_in_with_app(cora, world, apps, "cora")
    assert (await pc.get("/api/v1/slots")).status_code == 200
    station = await owner.fetchval("SELECT id FROM workstation")

    answer = await cora.post(f"/installation/postes/{station}/retirer")

    assert answer.headers["location"] == "/installation?fait=poste-retire"
    async with asyncio.timeout(2):
        while (await pc.get("/api/v1/slots")).status_code != 401:
            pass
    assert (await elsewhere.get("/api/v1/slots")).status_code == 200
    assert (await pc.sign_in(world.email("rita"))).status_code == 202
    assert "workstation-ended" in await verbs(owner)


@pytest.mark.parametrize("name", ["rita", "rolf", "bob"])
async def test_nobody_else_registers_revokes_or_lists_them(
    strict, at_station, apps, world, owner, samu, name
):
    await at_station()
    station = await owner.fetchval("SELECT id FROM workstation")
    person = strict.client(**OUR_PAGE)
    await signs_in_with_app(person, world, apps, name)
    assert MATRIX[Standing.ADMINISTRATOR].cell(Action.WORKSTATIONS) is Extent.TERRITORY
    for standing in set(Standing) - {Standing.ADMINISTRATOR}:
        assert MATRIX[standing].cell(Action.WORKSTATIONS) is Extent.NOTHING

    made = await person.post(
        "/installation/postes", data={"station": "Mon PC", "organisation": str(samu)}
    )
    ended = await person.post(f"/installation/postes/{station}/retirer")

    assert made.status_code == ended.status_code == 403
    # And the ledger says so by itself.
    async with entered(strict.state["desk"].pool, world.accounts[name].id, ()) as conn:
        assert await store.add(conn, samu, "Mon PC", datetime.now(UTC)) is None
        assert not await store.revoke(conn, station, datetime.now(UTC))
        assert await store.registered(conn, datetime.now(UTC)) == []
    assert await owner.fetchval("SELECT count(*) FROM workstation WHERE revoked_at IS NULL") == 1


async def test_only_an_organisation_of_regulation_has_them(strict, apps, world, owner):
    cabinet = world.accounts["rolf"].organisation_id
    cora = strict.client(**OUR_PAGE)
    await signs_in_with_app(cora, world, apps, "cora")

    answer = await cora.post(
        "/installation/postes", data={"station": "", "organisation": str(cabinet)}
    )

    assert answer.status_code == 422
    assert "Choisissez l’organisation" in html.unescape(answer.text)
    assert "Le nom du poste est attendu" in html.unescape(answer.text)
    async with entered(strict.state["desk"].pool, world.accounts["cora"].id, ()) as conn:
        assert await store.add(conn, cabinet, "Poste", datetime.now(UTC)) is None


async def test_an_administrator_shows_who_they_are_first(strict, apps, world, owner, samu):
    cora = strict.client(**OUR_PAGE)
    await signs_in_with_app(cora, world, apps, "cora")
    await owner.execute("UPDATE session SET proved_at = proved_at - interval '2 hours'")

    answer = await cora.post(
        "/installation/postes", data={"station": "Poste", "organisation": str(samu)}
    )

    assert answer.headers["location"].startswith("/compte/prouver")
    assert await owner.fetchval("SELECT count(*) FROM workstation") == 0
