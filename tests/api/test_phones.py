"""A person's own phone stays signed in for thirty days, for what is their own; a PC for a long day."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.conftest import offered, problem
from tests.world import PASSWORD

OUR_PAGE = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def phone(service, world, owner):
    """Ann's, on which she signed in thirteen hours ago."""
    person = service.client(**OUR_PAGE)
    answer = await person.post(
        "/connexion", data={"email": world.email("ann"), "password": PASSWORD, "phone": "yes"}
    )
    assert "Max-Age=2592000" in answer.headers["set-cookie"]
    await owner.execute(
        "UPDATE session SET proved_at = now() - interval '13 hours',"
        " created_at = created_at - interval '13 hours', seen_at = seen_at - interval '13 hours'"
    )
    service.state["sessions"]._known.clear()
    yield person
    await person.aclose()


async def test_a_phone_publishes_and_answers_for_its_owner_without_being_asked_again(
    phone, sign_in, world
):
    slot = await phone.offer(world.schedules["ann"])
    rolf = await sign_in("rolf")
    booked = await rolf.book(slot)

    for path in ("/disponibilites", "/orientations", "/compte", f"/rendez-vous/{booked['id']}"):
        assert (await phone.get(path)).status_code == 200, path
    seen = await phone.command("POST", f"/api/v1/appointments/{booked['id']}/seen")
    withdrawn = await phone.command("DELETE", f"/api/v1/slots/{slot['id']}?cancel_booked=true")
    assert (seen.status_code, withdrawn.status_code) == (200, 200)


@pytest.mark.parametrize(
    "path", ["/orienter", "/annuaire", "/orienter?commune=34028", "/delegations"]
)
async def test_for_more_it_asks_who_it_is_and_then_goes_on(phone, world, path):
    asked = await phone.get(path)
    assert urlsplit(asked.headers["location"]).path == "/compte/prouver"
    form = await phone.get(asked.headers["location"])
    after = parse_qs(urlsplit(form.headers["location"]).query)["suite"][0]
    assert after == path

    done = await phone.post("/compte/confirmer", data={"password": PASSWORD, "after": after})

    assert done.headers["location"] == path
    assert (await phone.get(path)).status_code == 200


async def test_a_proof_gives_it_a_new_token_and_no_day_more(phone, service, owner):
    await owner.execute("UPDATE session SET expires_at = expires_at - interval '10 days'")
    goes_on = "SELECT id, created_at, expires_at, ended_at, is_phone FROM session"
    old, before = phone.cookies["chrono48"], await owner.fetch(goes_on)

    done = await phone.post("/compte/confirmer", data={"password": PASSWORD, "after": "/orienter"})

    assert (await phone.get("/orienter")).status_code == 200
    async with service.client(cookie=f"chrono48={old}") as thief:
        assert problem(await thief.get("/api/v1/session")) == (401, "not-signed-in")
    assert await owner.fetch(goes_on) == before
    good_for_s = int(re.search(r"Max-Age=(\d+)", done.headers["set-cookie"])[1])
    assert timedelta(days=19) < timedelta(seconds=good_for_s) <= timedelta(days=20)


async def test_it_holds_and_books_nothing_until_then(phone, sign_in, world):
    bob = await sign_in("bob")
    slot = await bob.offer(world.schedules["bob"])

    held = await phone.command("POST", f"/api/v1/slots/{slot['id']}/holds")
    listed = await phone.get("/api/v1/slots")

    assert problem(held) == problem(listed) == (403, "proof-due")


async def test_an_unproved_phone_follows_only_what_is_its_owners(phone, sign_in, world):
    bob = await sign_in("bob")
    other = await bob.offer(world.schedules["bob"])
    own = await phone.offer(world.schedules["ann"], hours=5)

    shown = (await phone.get("/live/snapshot")).text

    assert own["id"] in shown
    assert other["id"] not in shown


async def test_a_password_alone_is_no_proof_for_who_has_a_factor(phone, owner, world):
    await owner.execute("SELECT put_passkey('x', $1, 'y', 0, 'F', now())", world.accounts["ann"].id)

    answer = await phone.post(
        "/compte/confirmer", data={"password": PASSWORD, "after": "/orienter"}
    )

    assert answer.headers["location"].startswith("/connexion/facteur")
    assert (await phone.get("/orienter")).status_code == 303


async def test_a_proof_that_another_process_heard_counts_here_at_once(phone, owner):
    assert (await phone.get("/orienter")).status_code == 303
    await owner.execute("UPDATE session SET proved_at = now()")

    assert (await phone.get("/orienter")).status_code == 200


async def test_a_phone_lasts_unused_and_a_pc_does_not(phone, sign_in, owner, service):
    pc = await sign_in("ann")
    await owner.execute("UPDATE session SET seen_at = now() - interval '20 days'")
    service.state["sessions"]._known.clear()

    assert (await phone.get("/api/v1/session")).status_code == 200
    assert (await pc.get("/api/v1/session")).status_code == 401


@pytest.mark.parametrize(("is_phone", "hours"), [(False, 12), (True, 30 * 24)])
async def test_each_has_its_end(service, world, owner, is_phone, hours):
    async with service.client(**OUR_PAGE) as person:
        form = {"email": world.email("ann"), "password": PASSWORD}
        await person.post("/connexion", data=form | ({"phone": "yes"} if is_phone else {}))

    lasts = await owner.fetchval(
        "SELECT extract(epoch FROM expires_at - created_at) / 3600 FROM session"
    )
    assert round(lasts) == hours


async def test_a_fresh_phone_may_do_all_that_its_owner_may(service, world):
    async with service.client(**OUR_PAGE) as person:
        await person.post(
            "/connexion", data={"email": world.email("ann"), "password": PASSWORD, "phone": "yes"}
        )

        assert (await person.get("/orienter")).status_code == 200
        made = await person.command(
            "POST", "/api/v1/slots", {"slots": [offered(world.schedules["ann"])]}
        )
        assert made.status_code == 201
