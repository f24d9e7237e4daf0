"""Every cell of the matrix, walked through HTTP: what it gives, and that there is nothing else."""

import asyncio
from uuid import uuid4

import pytest

from slots.audience import Audience
from slots.rights import MATRIX, Action, Standing, audiences, may
from tests.api.conftest import offered
from tests.world import HAUTS, PASSWORD, SLUGS, THAU, password_hash

FAR = 3  # a third territory, which nobody has anything to do with
WHERE = {"hauts": HAUTS, "thau": THAU, "far": FAR}
SLUG = {**SLUGS, FAR: "far-away"}
# By hand, and not by what the code makes of memberships.
WHO = {
    "bob": ({Standing.PROFESSIONAL}, {Standing.NEIGHBOUR}),
    "olga": ({Standing.DELEGATE}, {Standing.NEIGHBOUR}),
    "rolf": ({Standing.REFERRER}, {Standing.NEIGHBOUR}),
    "rita": ({Standing.REGULATOR}, {Standing.REGULATOR}),
    "cora": ({Standing.COORDINATOR}, {Standing.STRANGER}),
    "carl": ({Standing.NEIGHBOUR}, {Standing.PROFESSIONAL}),
}
OWN_SCHEDULE = {"bob": ("bob", HAUTS), "olga": ("ann", HAUTS), "carl": ("carl", THAU)}
PUBLISHERS = {"hauts": "nina", "thau": "thea", "far": "fay"}
AT_HOME = {name: "thau" if name == "carl" else "hauts" for name in WHO}


def standings_of(name, where):
    here, beside = WHO[name]
    return frozenset({"hauts": here, "thau": beside, "far": {Standing.STRANGER}}[where])


@pytest.fixture
async def world(world, owner):
    """The small world, with a professional more in Thau, and a territory far away with one."""
    await owner.execute(
        "INSERT INTO territory (id, slug, name, department) VALUES (3, 'far-away', 'CPTS du Bout du Monde', '34')"
    )
    for table in ("act", "reason", "urgency"):
        columns = [
            row["column_name"]
            for row in await owner.fetch(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_name = $1 AND column_name <> 'territory_id'",
                table,
            )
        ]
        names = ", ".join(columns)
        await owner.execute(
            f"INSERT INTO {table} (territory_id, {names}) SELECT 3, {names} FROM {table} WHERE territory_id = 1"
        )
    for name, territory_id in (("thea", THAU), ("fay", FAR)):
        await adds_professional(owner, world, name, territory_id)
    return world


async def adds_professional(owner, world, name, territory_id):
    organisation, location, practitioner, role, schedule, account = (uuid4() for _ in range(6))
    await owner.execute(
        "INSERT INTO organisation (id, name, kind) VALUES ($1, $2, 'practice')",
        *(organisation, f"Cabinet de {name}"),
    )
    await owner.execute(
        "INSERT INTO location (id, territory_id, organisation_id, name, insee, lat, lon, phone)"
        " VALUES ($1, $2, $3, $4, '34301', 43.4, 3.6, '0400000099')",
        *(location, territory_id, organisation, f"Cabinet de {name}"),
    )
    await owner.execute(
        "INSERT INTO practitioner (id, given_name, family_name, profession, specialty)"
        " VALUES ($1, $2, 'Loin', '10', 'SM54')",
        *(practitioner, name),
    )
    await owner.execute(
        "INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id)"
        " VALUES ($1, $2, $3, $4)",
        *(role, territory_id, practitioner, location),
    )
    await owner.execute(
        "INSERT INTO schedule (id, territory_id, practitioner_role_id) VALUES ($1, $2, $3)",
        *(schedule, territory_id, role),
    )
    await owner.execute(
        "INSERT INTO account (id, email, password_hash, name, phone, organisation_id, practitioner_id)"
        " VALUES ($1, $2, $3, $4, '0600000099', $5, $6)",
        *(account, f"{name}@example.test", password_hash(), f"{name} Loin", organisation),
        practitioner,
    )
    await owner.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, $2, 'professional')",
        *(account, territory_id),
    )
    world.schedules[name] = schedule


@pytest.fixture
def signs_in(service):
    async def signed_in(name):
        person = service.client()
        answer = await person.sign_in(f"{name}@example.test")
        assert answer.status_code == 200, answer.text
        return person

    return signed_in


async def offers(person, schedule_id, hours, audience=("CPTS", "SNP", "PRO", "PUBLIC")):
    return await person.offer(schedule_id, hours=hours, audience=list(audience))


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("name", WHO)
async def test_boards_show_and_holds_take_what_the_matrix_says(world, signs_in, name, where):
    held = standings_of(name, where)
    publisher = await signs_in(PUBLISHERS[where])
    slots = {
        audience: await offers(publisher, world.schedules[PUBLISHERS[where]], 2 + n, [audience])
        for n, audience in enumerate(Audience)
    }
    person = await signs_in(name)

    board = await person.get("/api/v1/slots", params={"territory": SLUG[WHERE[where]]})
    shown = {slot["id"] for slot in board.json()["slots"]} if board.status_code == 200 else set()
    seen, booked = set(), set()
    for audience, slot in slots.items():
        one = await person.get(f"/api/v1/slots/{slot['id']}")
        assert (one.status_code == 200) is (slot["id"] in shown), one.text
        if one.status_code == 200:
            seen.add(audience)
        held_seat = await person.command("POST", f"/api/v1/slots/{slot['id']}/holds")
        if held_seat.status_code == 201:
            booked.add(audience)
        else:
            # What one may not see does not even exist.
            expected = (403, "not-allowed") if audience in seen else (404, "slot-unknown")
            assert (held_seat.status_code, held_seat.json()["code"]) == expected

    assert seen == audiences(held, Action.SEE)
    assert booked == audiences(held, Action.BOOK)
    if audiences(held, Action.SEE) == frozenset():
        assert board.status_code in (403, 422)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("name", WHO)
async def test_offers_are_made_and_changed_as_the_matrix_says(world, signs_in, name, where):
    held = standings_of(name, where)
    publisher = await signs_in(PUBLISHERS[where])
    foreign = world.schedules[PUBLISHERS[where]]
    slot = await offers(publisher, foreign, 3)
    person = await signs_in(name)

    made = await person.command("POST", "/api/v1/slots", {"slots": [offered(foreign, hours=6)]})
    amended = await person.command("PATCH", f"/api/v1/slots/{slot['id']}", {"note": "à moi"})
    withdrawn = await person.command("DELETE", f"/api/v1/slots/{slot['id']}")

    may_all = may(held, Action.PUBLISH, is_own=False)
    for answer in (made, amended, withdrawn):
        assert answer.is_success is may_all
        if not may_all:
            assert answer.status_code in (403, 404), answer.text

    own = OWN_SCHEDULE.get(name)
    if own is not None and own[1] == WHERE[where]:
        mine = await person.command(
            "POST", "/api/v1/slots", {"slots": [offered(world.schedules[own[0]], hours=8)]}
        )
        assert (mine.status_code == 201) is may(held, Action.PUBLISH, is_own=True)


async def booked_between(world, signs_in, referrer, where, hours=3):
    """An appointment of *referrer* with the publisher of *where*, and both people."""
    publisher, sender = await signs_in(PUBLISHERS[where]), await signs_in(referrer)
    slot = await offers(publisher, world.schedules[PUBLISHERS[where]], hours)
    return await sender.book(slot), sender, publisher


async def asks_contact(person, booked, method="GET"):
    """Of a territory that keeps none: whoever may hears that there is none."""
    path = f"/api/v1/appointments/{booked['id']}/contact"
    return await person.request(method, path, json={"name": "J. D."} if method == "PUT" else None)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("name", WHO)
async def test_appointments_of_others_are_closed_to_everybody(world, signs_in, name, where):
    """Neither referrer nor effector: whatever one is, the appointment does not exist."""
    referrer = {"hauts": "emma", "thau": "thea", "far": "fay"}[where]
    booked, _, _ = await booked_between(world, signs_in, referrer, where)
    person = await signs_in(name)

    for action, path in (
        (Action.CANCEL, "cancel"),
        (Action.ANSWER, "seen"),
        (Action.ANSWER, "fulfil"),
        (Action.ANSWER, "noshow"),
        (Action.TELL, "patient-told"),
    ):
        answer = await person.command("POST", f"/api/v1/appointments/{booked['id']}/{path}")
        assert not may(standings_of(name, where), action, is_own=False)
        assert (answer.status_code, answer.json()["code"]) == (404, "appointment-unknown")
    assert not may(standings_of(name, where), Action.CONTACT, is_own=False)
    for method in ("GET", "PUT", "DELETE"):
        answer = await asks_contact(person, booked, method)
        assert (answer.status_code, answer.json()["code"]) == (404, "appointment-unknown")
    listed = await person.get("/api/v1/appointments")
    assert booked["id"] not in listed.text
    for page in ("", "/feuille", "/agenda.ics"):
        opened = await person.get(f"/rendez-vous/{booked['id']}{page}")
        assert opened.status_code == 404
        assert booked["reference"] not in opened.text


@pytest.mark.parametrize(
    ("name", "where"),
    [
        (name, where)
        for name in WHO
        for where in WHERE
        if audiences(standings_of(name, where), Action.BOOK)
    ],
)
async def test_a_referrer_opens_cancels_and_tells_but_does_not_answer(world, signs_in, name, where):
    held = standings_of(name, where)
    booked, person, publisher = await booked_between(world, signs_in, name, where)

    opened = await person.get(f"/rendez-vous/{booked['id']}")
    assert (opened.status_code == 200) is may(held, Action.OPEN, is_own=True)
    contact = await asks_contact(person, booked)
    reaches = contact.json()["code"] == "contact-unknown"
    assert reaches is may(held, Action.CONTACT, is_own=True)
    answer = await person.command("POST", f"/api/v1/appointments/{booked['id']}/seen")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    await publisher.command("POST", f"/api/v1/appointments/{booked['id']}/cancel")
    told = await person.command("POST", f"/api/v1/appointments/{booked['id']}/patient-told")
    assert told.is_success is may(held, Action.TELL, is_own=True)

    again, _, _ = await booked_between(world, signs_in, name, where, hours=5)
    cancelled = await person.command("POST", f"/api/v1/appointments/{again['id']}/cancel")
    assert cancelled.is_success is may(held, Action.CANCEL, is_own=True)


@pytest.mark.parametrize("name", OWN_SCHEDULE)
async def test_an_effector_and_their_delegate_open_answer_and_cancel(world, signs_in, name):
    schedule, territory_id = OWN_SCHEDULE[name]
    where = "thau" if territory_id == THAU else "hauts"
    held = standings_of(name, where)
    person = await signs_in(name)
    slot = await offers(person, world.schedules[schedule], 3)
    referrer = await signs_in("thea" if where == "thau" else "emma")
    booked = await referrer.book(slot)

    opened = await person.get(f"/rendez-vous/{booked['id']}")
    contact = await asks_contact(person, booked)
    reaches = contact.json()["code"] == "contact-unknown"
    assert reaches is may(held, Action.CONTACT, is_own=True)
    seen = await person.command("POST", f"/api/v1/appointments/{booked['id']}/seen")
    told = await person.command("POST", f"/api/v1/appointments/{booked['id']}/patient-told")
    cancelled = await person.command("POST", f"/api/v1/appointments/{booked['id']}/cancel")

    assert (opened.status_code == 200) is may(held, Action.OPEN, is_own=True)
    assert seen.is_success is may(held, Action.ANSWER, is_own=True)
    assert (told.status_code, told.json()["code"]) == (403, "not-allowed")  # the referrer's word
    assert cancelled.is_success is may(held, Action.CANCEL, is_own=True)


async def test_a_delegate_of_one_does_nothing_for_another(world, signs_in):
    olga, bob = await signs_in("olga"), await signs_in("bob")
    slot = await offers(bob, world.schedules["bob"], 3)

    made = await olga.command(
        "POST", "/api/v1/slots", {"slots": [offered(world.schedules["bob"], hours=6)]}
    )
    withdrawn = await olga.command("DELETE", f"/api/v1/slots/{slot['id']}")

    assert made.status_code == withdrawn.status_code == 403


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("name", WHO)
async def test_directories_open_as_the_matrix_says(world, signs_in, name, where):
    person = await signs_in(name)
    slug = SLUG[WHERE[where]]

    answers = [
        await person.get(f"/api/v1/{kind}", params={"territory": slug})
        for kind in ("practitioners", "services")
    ]

    expected = may(standings_of(name, where), Action.DIRECTORY, is_own=False)
    assert [answer.is_success for answer in answers] == [expected] * 2, answers[0].text


@pytest.mark.parametrize("name", WHO)
async def test_a_disabled_account_does_nothing_at_once(world, owner, signs_in, name):
    person = await signs_in(name)
    assert (await person.get("/api/v1/session")).status_code == 200
    await owner.execute(
        "UPDATE account SET disabled_at = now() WHERE email = $1", f"{name}@example.test"
    )

    async with asyncio.timeout(2):
        while (await person.get("/api/v1/slots")).status_code != 401:
            pass
    again = await person.sign_in(f"{name}@example.test", PASSWORD)
    assert again.status_code == 401


def test_the_matrix_knows_everybody_who_is_walked():
    walked = {standing for here, beside in WHO.values() for standing in here | beside}

    assert walked == set(MATRIX) - {Standing.WALL, Standing.ADMINISTRATOR}
