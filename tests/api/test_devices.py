"""Keys for software do no more than their scopes, and screens on a wall look and do nothing."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from starlette.routing import Route

from slots.ids import INSTALLATION
from slots.scope import Scope
from slots.store.screen import LINK_FOR, SCREEN_FOR
from slots.store.session import DEVICE_PREFIX, open_key
from slots.transaction import entered
from tests.api.conftest import offered, problem
from tests.screens import hang_up
from web.api.routes import ENDPOINTS
from web.app import ROUTES
from web.auth import WALL_PATHS

LATER = timedelta(days=30)
OUR_PAGE = {"sec-fetch-site": "same-origin"}
KEYED = [endpoint for endpoint in ENDPOINTS if not endpoint.open]


@pytest.fixture
def makes(service, world):
    """Somebody's key, as the pages make it."""

    async def made(name, *scopes):
        now = datetime.now(UTC)
        pool, account_id = service.state["desk"].pool, world.accounts[name].id
        async with entered(pool, account_id, [INSTALLATION]) as conn:
            return await open_key(conn, "Logiciel", scopes, now, now + LATER)

    return made


@pytest.fixture
def with_key(service, makes):
    async def client(name, *scopes):
        key = await makes(name, *scopes)
        return service.client(authorization=f"Bearer {key}")

    return client


def filled(path):
    return re.sub(r"\{[^}]*\}", str(uuid4()), path)


async def asked(client, endpoint):
    json = {} if endpoint.body is not None else None
    return await client.request(
        endpoint.method,
        filled(endpoint.path),
        json=json,
        headers={"Idempotency-Key": str(uuid4())},
    )


@pytest.mark.parametrize("scope", Scope)
async def test_a_key_opens_what_its_scope_says_and_nothing_else(with_key, scope):
    client = await with_key("ann", scope)

    for endpoint in KEYED:
        answer = await asked(client, endpoint)

        if endpoint.scope is scope:
            assert answer.status_code not in (401, 403), (endpoint.path, answer.text)
        else:
            assert problem(answer) == (403, "not-allowed"), endpoint.path


async def test_every_address_behind_a_session_names_the_scope_that_it_needs():
    assert {endpoint.scope for endpoint in KEYED} - {None} == set(Scope)
    # What is about a person before a screen, whom software is not.
    assert {endpoint.path for endpoint in KEYED if endpoint.scope is None} == {
        *("/api/v1/attention", "/api/v1/lock", "/api/v1/lock/open"),
    }


async def test_a_key_acts_as_its_owner_and_never_as_more(with_key, world):
    rolf = await with_key("rolf", *Scope)  # who only refers

    who = await rolf.get("/api/v1/session")
    made = await rolf.command("POST", "/api/v1/slots", {"slots": [offered(world.schedules["ann"])]})

    assert who.json()["account"]["name"] == "Rolf Garcia"
    assert problem(made) == (403, "not-allowed")


async def test_software_publishes_books_and_reads_for_its_owner(with_key, world):
    ann = await with_key("ann", Scope.PUBLISH)
    rolf = await with_key("rolf", Scope.BOOK)

    slot = await ann.offer(world.schedules["ann"])
    booked = await rolf.book(slot)

    listed = await (await with_key("ann", Scope.APPOINTMENTS)).get("/api/v1/appointments")
    assert booked["id"] in listed.text


async def test_no_key_opens_a_page(with_key):
    client = await with_key("ann", *Scope)
    pages = [route for route in ROUTES if isinstance(route, Route) and "/api/" not in route.path]

    for route in pages:
        for method in route.methods - {"HEAD"}:
            answer = await client.request(method, filled(route.path), follow_redirects=False)
            is_open = answer.status_code == 200 and "Ann Martin" not in answer.text
            assert is_open or answer.status_code in (303, 403, 404, 410, 422, 401), route.path
            assert "set-cookie" not in answer.headers or "Max-Age=0" in answer.headers["set-cookie"]
    assert (await client.get("/compte")).status_code == 403
    assert (await client.get("/api/v1/session")).status_code == 200  # it was not signed out


@pytest.mark.parametrize("end", ["expired", "revoked", "disabled"])
async def test_a_key_ends_at_once(with_key, makes, sign_in, owner, end):
    client = await with_key("ann", Scope.READ)
    assert (await client.get("/api/v1/session")).status_code == 200

    await owner.execute(
        {
            "expired": "UPDATE session SET expires_at = now() WHERE kind = 'key'",
            "revoked": "UPDATE session SET ended_at = now() WHERE kind = 'key'",
            "disabled": "UPDATE account SET disabled_at = now() WHERE name = 'Ann Martin'",
        }[end]
    )

    async with asyncio.timeout(2):
        while (await client.get("/api/v1/session")).status_code != 401:
            pass


async def test_a_key_lasts_though_it_is_used_rarely(with_key, owner):
    client = await with_key("ann", Scope.READ)
    await owner.execute("UPDATE session SET seen_at = now() - interval '20 days'")

    assert (await client.get("/api/v1/session")).status_code == 200
    assert await owner.fetchval("SELECT seen_at > now() - interval '1 minute' FROM session")


async def test_the_ledger_has_only_the_hash_of_a_key(makes, owner):
    key = await makes("ann", Scope.READ)

    assert key.startswith(DEVICE_PREFIX)
    dumped = str(await owner.fetch("SELECT * FROM session"))
    assert key not in dumped
    assert key.removeprefix(DEVICE_PREFIX) not in dumped


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "", "Bearer " + "x" * 200]
)
async def test_what_is_no_key_is_nobody_even_beside_a_good_cookie(sign_in, header):
    ann = await sign_in("ann")

    answer = await ann.get("/api/v1/session", headers={"authorization": header})

    assert problem(answer) == (401, "not-signed-in")


@pytest.fixture
async def screen(service, world):
    """A screen that rita has hung up, for one of her two territories."""
    pool, rita = service.state["desk"].pool, world.accounts["rita"].id
    secret = await hang_up(pool, rita, [world.hauts])
    client = service.client(**OUR_PAGE)
    client.cookies.set("chrono48-wall", secret)
    return client


async def test_a_screen_shows_the_wall_of_its_territories_without_a_name(screen, sign_in, world):
    ann, carl = await sign_in("ann"), await sign_in("carl")
    seen = await ann.offer(world.schedules["ann"], audience=["SNP"])
    await ann.offer(world.schedules["ann"], hours=4, audience=["CPTS"])
    await carl.offer(world.schedules["carl"], hours=5, audience=["SNP"])

    page = await screen.get("/mur")
    live = (await screen.get("/live/snapshot")).text

    assert page.status_code == 200
    assert "Ann Martin" in page.text
    assert "Carl Durand" not in page.text
    assert "Rita Simon" not in page.text
    assert "/deconnexion" not in page.text
    assert re.findall(r'"id":"([0-9a-f-]{36})"', live).count(seen["id"]) >= 1
    assert live.count('"schedule":') == 1
    assert "Carl Durand" not in live


async def test_a_screen_writes_nothing_and_opens_nothing_else(screen):
    for route in ROUTES:
        if not isinstance(route, Route):
            continue
        for method in route.methods - {"HEAD"}:
            is_wall = route.path in WALL_PATHS and method == "GET"
            answer = await screen.request(
                method, filled(route.path), headers={"Idempotency-Key": "k"}
            )
            if is_wall:
                assert answer.status_code == 200, route.path
            elif answer.is_success:
                assert "Rita Simon" not in answer.text, route.path
                assert method == "GET" or route.path in OPEN_TO_ANYBODY, route.path
            else:
                assert answer.status_code != 500, route.path
    assert (await screen.get("/mur")).status_code == 200  # nothing of that has ended it


# Before anybody is signed in: what they do is not done as the screen.
OPEN_TO_ANYBODY = {
    "/api/v1/session",
    "/api/v1/session/factor",
    "/api/v1/session/passkey",
    "/mot-de-passe-oublie",
    "/lien",
}


@pytest.mark.parametrize("path", ["/compte", "/regulation", "/annuaire", "/api/v1/slots"])
async def test_a_screen_is_no_way_in(screen, path):
    answer = await screen.get(path)

    assert answer.status_code in (303, 401)
    assert answer.status_code == 401 or answer.headers["location"].startswith("/connexion?suite=")


async def test_a_screen_shows_no_more_what_its_maker_regulates_no_more(screen, owner, world):
    assert (await screen.get("/mur")).status_code == 200
    await owner.execute("DELETE FROM membership WHERE account_id = $1", world.accounts["rita"].id)

    async with asyncio.timeout(2):
        while (await screen.get("/mur")).status_code != 403:
            pass


async def test_only_who_regulates_hangs_up_a_screen(sign_in, world):
    for name in ("ann", "cora", "carl"):
        person = await sign_in(name)
        answer = await person.post(
            "/compte/ecrans", data={"name": "x", "territory": "1"}, headers=OUR_PAGE
        )
        assert answer.status_code == 403
    rita = await sign_in("rita")
    foreign = await rita.post(
        "/compte/ecrans", data={"name": "x", "territory": "3"}, headers=OUR_PAGE
    )
    assert foreign.headers["location"] == "/compte/logiciels?fait=ecran-incomplet"


@pytest.fixture
def hangs_up(sign_in):
    """Rita, and the link of a screen that she has just made."""

    async def made():
        rita = await sign_in("rita")
        page = await rita.post(
            "/compte/ecrans", data={"name": "Salle", "territory": ["1", "2"]}, headers=OUR_PAGE
        )
        return rita, re.search(r"/mur/ecran/([\w-]+)", page.text)[1]

    return made


def begins(wall, link):
    return wall.post("/mur/ecran", data={"link": link}, headers=OUR_PAGE)


async def must_have_ended(service, link):
    """Whoever looks at the link, or sends it, reads that it is good no more and what to do."""
    for answer in (
        await service.client().get(f"/mur/ecran/{link}"),
        await begins(service.client(), link),
    ):
        assert answer.status_code == 410
        assert "Ce lien d’écran n’est plus valable" in answer.text
        assert "peut créer un autre lien" in answer.text
        assert "set-cookie" not in answer.headers


async def test_a_link_of_a_screen_is_exchanged_once_for_a_cookie(service, hangs_up):
    _, link = await hangs_up()
    wall = service.client()

    begun = await begins(wall, link)

    assert (begun.status_code, begun.headers["location"]) == (303, "/mur")
    assert (await wall.get("/mur")).status_code == 200
    await must_have_ended(service, link)
    await must_have_ended(service, "nonsense")
    assert (await wall.get("/mur")).status_code == 200


async def test_of_many_who_open_a_link_at_once_one_is_the_screen(service, hangs_up):
    _, link = await hangs_up()

    answers = await asyncio.gather(*(begins(service.client(), link) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [303] + [410] * 7


async def test_the_link_of_a_screen_is_not_its_cookie(service, hangs_up, owner):
    _, link = await hangs_up()
    before, after = service.client(), service.client()
    for wall in (before, after):
        for shown in (link, DEVICE_PREFIX + link):
            wall.cookies.set("chrono48-wall", shown)
            assert (await wall.get("/mur")).status_code == 303  # to sign in
        if wall is before:
            begun = await begins(service.client(), link)

    cookie = begun.cookies["chrono48-wall"]
    assert link not in cookie
    kept = str(await owner.fetch("SELECT * FROM session"))
    assert link not in kept
    assert cookie.removeprefix(DEVICE_PREFIX) not in kept
    await must_have_ended(service, cookie)


async def test_whoever_only_looks_at_the_link_of_a_screen_spends_nothing(service, hangs_up):
    _, link = await hangs_up()

    for _ in range(3):
        scanner = service.client()
        looked = await scanner.get(f"/mur/ecran/{link}")
        assert (looked.status_code, "set-cookie" in looked.headers) == (200, False)
        assert "Afficher le mur ici" in looked.text
        assert (await scanner.get("/mur")).status_code == 303

    assert (await begins(service.client(), link)).status_code == 303


async def test_the_link_of_a_screen_is_good_for_a_day_and_the_screen_for_a_year(
    service, hangs_up, owner
):
    assert (timedelta(hours=24), timedelta(days=365)) == (LINK_FOR, SCREEN_FOR)
    _, late = await hangs_up()
    await passes(owner, LINK_FOR)
    _, early = await hangs_up()
    await passes(owner, LINK_FOR - timedelta(minutes=5))
    wall = service.client()

    assert (await begins(wall, early)).status_code == 303
    await must_have_ended(service, late)
    await passes(owner, timedelta(days=364))
    assert (await wall.get("/mur")).status_code == 200


async def passes(owner, time):
    """As if *time* had gone by for whatever screens there are."""
    await owner.execute(
        "UPDATE session SET expires_at = expires_at - $1::interval WHERE kind = 'wall'", time
    )


async def test_its_maker_sees_a_screen_from_its_link_on_to_its_last_use(service, hangs_up):
    rita, link = await hangs_up()
    offered = await rita.get("/compte")
    await begins(service.client(), link)
    opened = await rita.get("/compte")

    assert "Salle" in offered.text
    assert "lien pas encore ouvert · il expire" in offered.text
    assert "Salle" in opened.text
    assert "utilisé" in opened.text
    assert "pas encore" not in opened.text
    assert link not in offered.text + opened.text


@pytest.mark.parametrize("is_open", [False, True])
async def test_a_screen_is_revoked_whether_its_link_was_opened_or_not(
    service, hangs_up, owner, is_open
):
    rita, link = await hangs_up()
    wall = service.client()
    if is_open:
        await begins(wall, link)
        assert (await wall.get("/mur")).status_code == 200
    session_id = await owner.fetchval("SELECT id FROM session WHERE kind = 'wall'")

    await rita.post(f"/compte/sessions/{session_id}/fermer", headers=OUR_PAGE)

    await must_have_ended(service, link)
    assert "Salle" not in (await rita.get("/compte")).text
    async with asyncio.timeout(2):
        while (await wall.get("/mur")).status_code != 303:
            pass


async def test_whose_screen_was_opened_is_in_the_audit(service, hangs_up, owner, world):
    _, link = await hangs_up()
    await begins(service.client(), link)

    rows = await owner.fetch(
        "SELECT verb, account_id, subject_id FROM audit WHERE verb LIKE 'wall%' ORDER BY id"
    )
    rita = world.accounts["rita"].id
    assert [tuple(row) for row in rows] == [("wall-added", rita, rita), ("wall-opened", None, rita)]


async def test_no_link_of_a_disabled_person_makes_a_screen(service, hangs_up, owner):
    _, link = await hangs_up()
    await owner.execute("UPDATE account SET disabled_at = now() WHERE name = 'Rita Simon'")

    await must_have_ended(service, link)
