"""A territory that is added while the service runs, and words that change: nothing restarts."""

from argparse import ArgumentParser, Namespace

import pytest

from slots.desk import look_for_territories
from tests.world import HAUTS
from web.catalogue import ActLabels
from workers.people import territory

NEW = "lodeve"


@pytest.fixture
async def member_of_the_new_one(service, world, owner):
    """Rolf refers in a territory that the service has not heard of."""
    number = await territory.add(owner, words())
    await owner.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, $2, 'referrer')",
        world.accounts["rolf"].id,
        number,
    )
    return number


def words() -> Namespace:
    parser = ArgumentParser()
    territory.add_arguments(parser)
    named = ["--slug", NEW, "--name", "CPTS du Lodévois", "--department", "34"]
    # Of the partition there was no territory yet.
    return parser.parse_args(["add", *named, "--partition", "7"])


async def test_who_belongs_to_a_new_territory_signs_in_and_reads_it(
    service, sign_in, member_of_the_new_one
):
    rolf = await sign_in("rolf")

    session = (await rolf.get("/api/v1/session")).json()
    catalogue = await rolf.get("/api/v1/catalogue", params={"territory": NEW})
    slots = await rolf.get("/api/v1/slots", params={"territory": NEW})

    assert NEW in session["territories"]
    assert len(catalogue.json()["acts"]) == 14
    assert (slots.status_code, slots.json()["slots"]) == (200, [])
    for path in ("/orienter", "/annuaire", "/orientations"):
        assert (await rolf.get(path)).status_code == 200


async def test_who_was_signed_in_before_finds_the_new_territory_too(service, world, owner, sign_in):
    rolf = await sign_in("rolf")
    assert (await rolf.get("/orienter")).status_code == 200
    number = await territory.add(owner, words())
    await owner.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, $2, 'referrer')",
        world.accounts["rolf"].id,
        number,
    )
    await service.state["sessions"].recheck()

    answer = await rolf.get("/api/v1/session")

    assert NEW in answer.json()["territories"]


async def test_one_object_serves_the_desk_and_the_hub(service, owner):
    await territory.add(owner, words())

    new = await look_for_territories(service.state["desk"])

    assert new == 1
    assert service.state["hub"].territories.by_slug[NEW].name == "CPTS du Lodévois"
    assert await look_for_territories(service.state["desk"]) == 0


async def test_rows_pages_and_sheets_call_an_act_what_its_territory_calls_it(
    service, world, owner, sign_in
):
    await owner.execute(
        "INSERT INTO act (territory_id, code, label) VALUES ($1, 'spirometry', 'Spirométrie')",
        HAUTS,
    )
    await service.state["catalogue"].refresh()
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"], acts=["spirometry"])

    page = await rolf.get("/orienter")
    live = await rolf.get(
        "/live/snapshot", params={"territory": "hauts-cantons-et-vignobles", "as": "html"}
    )
    booked = await rolf.book(slot)
    sheet = await rolf.get(f"/rendez-vous/{booked['id']}")
    own = await ann.get("/disponibilites")

    assert "Spirométrie" in live.json()["snapshots"][0]["html"][0]
    for said in (page, sheet, own):
        assert "Spirométrie" in said.text


async def test_a_word_that_changes_is_said_in_rows_that_were_rendered_before(
    service, world, owner, sign_in
):
    ann = await sign_in("ann")
    await ann.offer(world.schedules["ann"])

    async def row() -> str:
        answer = await ann.get(
            "/live/snapshot", params={"territory": "hauts-cantons-et-vignobles", "as": "html"}
        )
        return answer.json()["snapshots"][0]["html"][0]

    before = await row()
    await owner.execute(
        "UPDATE act SET label = 'Visite au cabinet'"
        " WHERE code = 'consultation' AND territory_id = $1",
        HAUTS,
    )
    await service.state["catalogue"].refresh()

    assert "Consultation" in before
    assert "Visite au cabinet" in await row()


def test_an_act_that_a_territory_does_not_know_is_called_by_its_code():
    labels = ActLabels({("lodeve", "suture"): "Points de suture"})

    assert labels.of("lodeve", "suture") == "Points de suture"
    assert labels.of("thau", "suture") == "suture"
