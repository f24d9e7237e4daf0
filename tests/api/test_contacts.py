"""The patient's contact over HTTP, cell by cell: who leaves, reads and erases it, by API and page."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest

from slots.desk import look_for_territories
from slots.ids import INSTALLATION
from slots.scope import Scope
from slots.store.session import open_key
from slots.transaction import entered
from tests.api.conftest import problem
from tests.api.test_fuzz import spoilt
from tests.screens import hang_up
from tests.world import PASSWORD

OUR_PAGE = {"sec-fetch-site": "same-origin"}
WHOM = {"name": "Kanarienvogel J.", "birth_year": 1951, "phone": "06 12 34 56 78", "address": ""}
FORM = {f"patient_{name}": str(value) for name, value in WHOM.items()}
SIDES = {"rolf", "rosa", "ann", "olga"}
EVERYBODY = [
    *("rolf", "rosa", "ann", "olga", "nina", "bob", "dora", "emma", "rita", "cora", "carl"),
]


@pytest.fixture(autouse=True)
async def on(owner, service):
    """The first territory keeps contacts for two days; the second keeps none."""
    await owner.execute("UPDATE territory SET contact_kept_h = 48 WHERE id = 1")
    await look_for_territories(service.state["desk"])


@pytest.fixture
async def booked(sign_in, world):
    """A booking of rolf's with ann."""
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"], audience=["CPTS", "SNP", "PRO"])
    return await rolf.book(slot)


@pytest.fixture
async def left(booked, sign_in):
    """The address of its contact, which rolf has left."""
    path = f"/api/v1/appointments/{booked['id']}/contact"
    answer = await (await sign_in("rolf")).put(path, json=WHOM)
    assert answer.status_code == 200, answer.text
    return path


def page_of(path):
    return path.replace("/api/v1/appointments", "/rendez-vous").replace("contact", "coordonnees")


async def count(owner):
    return await owner.fetchval("SELECT count(*) FROM patient_contact")


async def test_it_is_left_read_and_erased(sign_in, owner, left, booked):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")

    read = await ann.get(left)
    assert read.status_code == 200
    assert {name: read.json()[name] for name in WHOM} == WHOM
    ends_at = datetime.fromisoformat(booked["starts_at"]) + timedelta(minutes=20)
    assert datetime.fromisoformat(read.json()["purge_at"]) == ends_at + timedelta(hours=48)
    assert read.headers["cache-control"] == "no-store"
    assert (await rolf.put(left, json={"name": "J. D."})).json()["phone"] == ""
    assert (await ann.delete(left)).status_code == 204
    assert (await ann.delete(left)).status_code == 204
    assert problem(await rolf.get(left)) == (404, "contact-unknown")
    verbs = await owner.fetch(
        "SELECT verb FROM audit WHERE verb LIKE '%contact' AND subject_id = $1 ORDER BY id",
        booked["id"],
    )
    assert [row["verb"].partition("-")[0] for row in verbs] == ["write", "read", "write", "erase"]


@pytest.mark.parametrize("name", [*EVERYBODY, "administrator", "nobody"])
async def test_only_the_two_sides_reach_it_by_the_api(sign_in, stranger, owner, left, world, name):
    if name == "administrator":
        await owner.execute("UPDATE account SET is_administrator = true WHERE name = 'Cora Faure'")
    person = (
        stranger if name == "nobody" else await sign_in("cora" if name == "administrator" else name)
    )

    read, written = await person.get(left), await person.put(left, json={"name": "X"})
    erased = await person.delete(left)

    if name in SIDES:
        assert (read.status_code, written.status_code, erased.status_code) == (200, 200, 204)
        return
    expected = (401, "not-signed-in") if name == "nobody" else (404, "appointment-unknown")
    assert problem(read) == problem(written) == problem(erased) == expected
    assert "Kanarienvogel" not in read.text + written.text + erased.text
    assert await count(owner) == 1


@pytest.mark.parametrize("name", [*EVERYBODY, "nobody"])
async def test_and_by_the_pages(service, sign_in, owner, left, world, name):
    person = service.client() if name == "nobody" else await sign_in(name)
    person.headers.update(OUR_PAGE)
    page = page_of(left)

    seen = await person.post(page)
    saved = await person.post(f"{page}/enregistrer", data={"patient_name": "X"})
    erased = await person.post(f"{page}/effacer")

    if name in SIDES:
        assert seen.status_code == 200
        assert "Kanarienvogel J." in seen.text
        assert "fait=coordonnees" in saved.headers["location"]
        assert "fait=coordonnees-effacees" in erased.headers["location"]
        assert await count(owner) == 0
    else:
        expected = 303 if name == "nobody" else 404
        assert [one.status_code for one in (seen, saved, erased)] == [expected] * 3
        assert "Kanarienvogel" not in seen.text
        assert await count(owner) == 1


@pytest.mark.parametrize("scope", Scope)
async def test_a_key_needs_the_scope_that_is_about_contacts(service, world, left, scope):
    now = datetime.now(UTC)
    pool, ann = service.state["desk"].pool, world.accounts["ann"].id
    async with entered(pool, ann, [INSTALLATION]) as conn:
        key = await open_key(conn, "Logiciel", [scope], now, now + timedelta(days=1))
    software = service.client(authorization=f"Bearer {key}")

    answers = [
        await software.get(left),
        await software.put(left, json=WHOM),
        await software.delete(left),
    ]

    if scope is Scope.CONTACTS:
        assert [answer.status_code for answer in answers] == [200, 200, 204]
    else:
        assert {problem(answer) for answer in answers} == {(403, "not-allowed")}


async def test_a_wall_reads_none(service, world, left):
    pool, rita = service.state["desk"].pool, world.accounts["rita"].id
    secret = await hang_up(pool, rita, [world.hauts])
    wall = service.client(**OUR_PAGE)
    wall.cookies.set("chrono48-wall", secret)

    assert problem(await wall.get(left)) == (401, "not-signed-in")
    assert (await wall.post(page_of(left))).status_code == 303


async def test_a_phone_that_is_signed_in_for_long_shows_first_who_it_is(
    service, owner, world, left, booked
):
    sheet = f"/rendez-vous/{booked['id']}"
    async with service.client(**OUR_PAGE, referer=f"{service.base_url}{sheet}") as phone:
        await phone.post(
            "/connexion", data={"email": world.email("ann"), "password": PASSWORD, "phone": "yes"}
        )
        await owner.execute("UPDATE session SET proved_at = now() - interval '13 hours'")
        service.state["sessions"]._known.clear()

        assert (await phone.get(sheet)).status_code == 200
        assert problem(await phone.get(left)) == (403, "proof-due")
        asked = await phone.post(page_of(left))
        assert asked.headers["location"] == f"/compte/prouver?suite=%2Frendez-vous%2F{booked['id']}"
        await phone.post("/compte/confirmer", data={"password": PASSWORD, "after": sheet})
        assert "Kanarienvogel" in (await phone.post(page_of(left))).text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"birth_year": 1066}, "birth_year"),
        ({"birth_year": "1951"}, "birth_year"),
        ({"phone": "la voisine"}, "phone"),
        ({"address": "3 rue des Lilas"}, "address"),
        ({"ins": "1"}, "ins"),
    ],
)
async def test_what_cannot_be_accepted_is_named_and_not_repeated(sign_in, owner, left, body, field):
    await owner.execute("DELETE FROM patient_contact")
    answer = await (await sign_in("rolf")).put(left, json=body)

    assert problem(answer) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert await count(owner) == 0


async def test_a_territory_that_keeps_none_takes_none(sign_in, owner, world):
    carl, rita = await sign_in("carl"), await sign_in("rita")
    slot = await carl.offer(world.schedules["carl"], audience=["SNP"])
    booked = await rita.book(slot)

    answer = await rita.put(f"/api/v1/appointments/{booked['id']}/contact", json=WHOM)
    sheet = await rita.get(f"/rendez-vous/{booked['id']}")

    assert problem(answer) == (409, "contacts-off")
    assert await count(owner) == 0
    assert "Coordonnées du patient" not in sheet.text


async def test_a_cancelled_booking_takes_and_shows_none(sign_in, left, booked):
    rolf = await sign_in("rolf")
    await rolf.command("POST", f"/api/v1/appointments/{booked['id']}/cancel")

    assert problem(await rolf.get(left)) == (409, "appointment-ended")
    assert problem(await rolf.put(left, json=WHOM)) == (409, "appointment-ended")
    assert "Coordonnées du patient" not in (await rolf.get(f"/rendez-vous/{booked['id']}")).text


async def test_moving_by_the_api_takes_it_along(sign_in, world, left, booked):
    rolf, bob = await sign_in("rolf"), await sign_in("bob")
    held = await rolf.hold(await bob.offer(world.schedules["bob"], hours=9))

    moved = await rolf.command(
        "POST", f"/api/v1/appointments/{booked['id']}/move", {"hold_id": held["id"]}
    )

    read = await bob.get(f"/api/v1/appointments/{moved.json()['id']}/contact")
    assert read.json()["name"] == WHOM["name"]


# --- the form that confirms


@pytest.fixture
async def rolf(sign_in):
    person = await sign_in("rolf")
    person.headers.update(OUR_PAGE)
    return person


@pytest.fixture
async def held(sign_in, rolf, world):
    """What rolf's form would send, and where to."""
    ann = await sign_in("ann")
    held = await rolf.hold(await ann.offer(world.schedules["ann"]))
    page = await rolf.get(f"/retenues/{held['id']}", params={"creneau": held["slot_id"]})
    assert "Lu seulement par votre organisation" in page.text
    form = {
        "key": str(uuid4()),
        "creneau": held["slot_id"],
        "until": held["expires_at"],
        "reason": "pain",
        "urgency": "today",
    }
    return f"/retenues/{held['id']}/confirmer", form


async def test_booking_and_contact_come_with_one_form(rolf, owner, held):
    path, form = held

    done = await rolf.post(path, data=form | FORM)

    assert "fait=reserve-avec" in done.headers["location"]
    assert "Kanarienvogel" not in done.headers["location"]
    sheet = await rolf.get(done.headers["location"])
    assert "les coordonnées sont enregistrées" in sheet.text
    assert "Kanarienvogel" not in sheet.text  # until somebody asks for it
    assert await count(owner) == 1


async def test_with_nothing_typed_nothing_is_left(rolf, owner, held):
    path, form = held

    done = await rolf.post(path, data=form | dict.fromkeys(FORM, ""))

    assert "fait=reserve&" in done.headers["location"] + "&"
    assert await count(owner) == 0


async def test_what_is_to_be_mended_is_shown_again_and_nothing_is_booked_yet(rolf, owner, held):
    path, form = held

    again = await rolf.post(path, data=form | FORM | {"patient_birth_year": "51"})

    assert again.status_code == 422
    assert 'value="Kanarienvogel J."' in again.text
    assert 'id="error-patient_birth_year"' in again.text
    assert await owner.fetchval("SELECT count(*) FROM appointment") == 0
    done = await rolf.post(path, data=form | FORM)
    assert "fait=reserve-avec" in done.headers["location"]


@pytest.mark.parametrize("way", ["off meanwhile", "the ledger fails"])
async def test_where_storing_fails_the_booking_stands_and_the_page_says_so(rolf, owner, held, way):
    path, form = held
    if way == "off meanwhile":
        await owner.execute("UPDATE territory SET contact_kept_h = NULL")
    else:
        await owner.execute(
            "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE SQLSTATE '57014'; END $$"
        )
        await owner.execute(
            "CREATE TRIGGER fails BEFORE INSERT ON patient_contact FOR EACH ROW EXECUTE FUNCTION fails()"
        )

    done = await rolf.post(path, data=form | FORM)

    assert "fait=reserve-sans" in done.headers["location"]
    sheet = await rolf.get(done.headers["location"])
    assert "n’ont pas pu être enregistrées" in sheet.text
    assert await owner.fetchval("SELECT status FROM appointment") == "booked"
    assert await count(owner) == 0


async def test_the_key_keeps_no_hash_of_what_was_typed_of_a_patient(rolf, owner, held):
    """The same key with another patient is the same booking: its hash knows of none."""
    path, form = held
    first = await rolf.post(path, data=form | FORM)
    again = await rolf.post(path, data=form | FORM | {"patient_name": "Somebody else"})

    assert first.headers["location"] == again.headers["location"]
    hashes = await owner.fetch("SELECT body_hash FROM idempotency_key WHERE verb = 'confirm'")
    assert len(hashes) == 1


async def test_the_sheet_shows_again_what_is_to_be_mended(rolf, left, owner):
    page = page_of(left)

    again = await rolf.post(
        f"{page}/enregistrer", data={"patient_name": "J. D.", "patient_phone": "la voisine"}
    )
    nothing = await rolf.post(f"{page}/enregistrer", data={})

    assert again.status_code == nothing.status_code == 422
    assert 'value="J. D."' in again.text
    assert 'id="error-patient_phone"' in again.text
    assert 'id="error-patient_name"' in nothing.text


async def test_nonsense_is_refused_or_kept_and_never_breaks_anything(sign_in, left):
    rolf, dice = await sign_in("rolf"), Random(48)

    for _ in range(150):
        body = spoilt(dice, dict(WHOM), 0.4)
        answer = await rolf.put(left, json=body)
        assert answer.status_code in (200, 400, 422), (body, answer.text)
        read = await rolf.get(left)
        assert read.status_code == 200, (body, read.text)
