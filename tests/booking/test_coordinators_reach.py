"""What a coordinator cannot do through the ledger's doors: asked in SQL, as who has entered."""

from datetime import timedelta
from uuid import uuid4

import pytest

from slots.booking import offering
from slots.errors import NotAllowed
from slots.transaction import entered
from tests.booking.conftest import a_key

INVITE = (
    "SELECT outcome FROM invite($1, $2, $3, 'Zoé Blanc', '', 'Lilas', $4, $5, $6, 's', 'b', now())"
)
PLACE = "SELECT outcome FROM put_place_of_work($1, $2, $3, NULL, NULL, NULL, '{consultation}', '{}', NULL, NULL)"
MEMBER = (
    "SELECT outcome FROM put_member($1, $2, $3, 'Ann Martin', '', NULL, 'Lilas', NULL, 'practice',"
    " '{referrer}', $4, false, false, NULL, 's', 'b', now())"
)


@pytest.fixture
def asks(desk, world):
    """What a door answers to cora, who coordinates the first territory."""

    async def asks(statement, *values, who="cora"):
        account = world.accounts[who]
        async with entered(desk.pool, account.id, [world.hauts]) as conn:
            return await conn.fetchval(statement, world.hauts, *values)

    return asks


def invites(asks, email, roles, rpps=""):
    return asks(INVITE, uuid4(), email, roles, rpps, uuid4())


@pytest.fixture
async def ann_has_a_number(owner, world):
    await owner.execute(
        "UPDATE practitioner SET rpps = '10001234567' WHERE id = $1", world.practitioners["ann"]
    )


async def test_whoever_works_next_door_is_put_to_work_here_by_nobody(asks, world, owner):
    carl = world.practitioners["carl"]
    assert await invites(asks, world.email("carl"), ["referrer"]) == "added"

    assert await asks(PLACE, carl, world.locations["bedarieux"]) == "person-elsewhere"

    assert (
        await owner.fetchval(
            "SELECT count(*) FROM practitioner_role WHERE practitioner_id = $1", carl
        )
        == 1
    )


async def test_but_who_works_here_already_has_one_more_place(asks, world):
    assert await asks(PLACE, world.practitioners["bob"], world.locations["bedarieux"]) == "new"


async def test_a_coordinator_invites_themselves_to_nothing(asks, world, owner):
    assert await invites(asks, world.email("cora"), ["referrer", "delegate"]) == "own-roles"

    roles = "SELECT array_agg(role) FROM membership WHERE account_id = $1"
    assert await owner.fetchval(roles, world.accounts["cora"].id) == ["coordinator"]


async def test_nobody_but_the_installation_makes_somebody_a_regulator(asks, world, owner):
    await owner.execute(
        "UPDATE membership SET role = 'referrer' WHERE account_id = $1", world.accounts["rita"].id
    )  # a secretary of the Centre 15, who refers

    assert await invites(asks, world.email("rita"), ["regulator"]) == "not-regulation"
    given = "SELECT set_roles($1, $2, '{regulator}', now())"
    assert await asks(given, world.accounts["rita"].id) is None


@pytest.mark.parametrize(("is_withdrawn", "answer"), [(False, "disabled"), (True, "withdrawn")])
async def test_whom_somebody_has_disabled_no_other_address_brings_back(
    asks, world, owner, ann_has_a_number, is_withdrawn, answer
):
    await owner.execute(
        "UPDATE account SET disabled_at = now(), is_withdrawn = $2 WHERE id = $1",
        world.accounts["ann"].id,
        is_withdrawn,
    )
    ann = world.practitioners["ann"]

    assert await asks(MEMBER, uuid4(), "ann.bis@example.fr", ann) == answer
    if not is_withdrawn:
        invited = await invites(asks, "ann.bis@example.fr", ["professional"], "10001234567")
        assert invited == "disabled"
    assert await owner.fetchval("SELECT count(*) FROM account WHERE practitioner_id = $1", ann) == 1


async def test_who_leaves_a_practice_reads_its_bookings_no_more(
    asks, world, owner, offer, book, desk
):
    slot = await offer("bob", after=timedelta(hours=4), audience=("CPTS",))
    await book(world.accounts["nina"], slot)  # of the house in which ann works as well
    seen = "SELECT count(*) FROM appointment WHERE $1 = territory_id"
    assert await asks(seen, who="ann") == 1
    role_of_ann = await owner.fetchval(
        "SELECT id FROM practitioner_role WHERE practitioner_id = $1", world.practitioners["ann"]
    )

    assert await asks("SELECT end_place_of_work($1, $2, now())", role_of_ann) == "changed"

    assert await asks(seen, who="ann") == 0
    assert await asks(seen, who="nina") == 1
    name = "SELECT organisation.name FROM account JOIN organisation ON organisation.id = organisation_id WHERE account.id = $1"
    assert await owner.fetchval(name, world.accounts["ann"].id) == "Ann Martin"


async def test_a_coordinator_shares_no_bookings_of_their_house(asks, world, owner, offer, book):
    await book(world.accounts["rolf"], await offer())
    await owner.execute(
        "UPDATE account SET organisation_id = $2 WHERE id = $1",
        world.accounts["cora"].id,
        world.accounts["rolf"].organisation_id,
    )

    assert await asks("SELECT count(*) FROM appointment WHERE $1 = territory_id") == 0
    assert await asks("SELECT count(*) FROM appointment WHERE $1 = territory_id", who="rosa") == 1


async def test_a_withdrawal_by_who_acts_for_the_slot_no_more_leaves_no_booking_behind(
    desk, world, owner, offer, book, now
):
    slot = await offer()
    await book(world.accounts["rolf"], slot)
    await owner.execute("DELETE FROM delegation WHERE account_id = $1", world.accounts["olga"].id)

    with pytest.raises(NotAllowed):  # what her process knew of her is a second old
        await offering.withdraw(
            desk, world.accounts["olga"], slot.id, a_key(), now, cancel_booked=True
        )

    assert await owner.fetchval("SELECT withdrawn_at FROM slot WHERE id = $1", slot.id) is None


async def test_an_organisation_is_left_by_nobody_else(asks, world, owner):
    left = "SELECT leave_organisation($1, $2, $3)"
    nina, house = world.practitioners["nina"], world.accounts["nina"].organisation_id
    await owner.execute(
        "UPDATE practitioner_role SET ended_at = now() WHERE practitioner_id = $1", nina
    )

    await asks(left, nina, house, who="bob")

    of_nina = "SELECT organisation_id FROM account WHERE practitioner_id = $1"
    assert await owner.fetchval(of_nina, nina) == house
    await asks(left, nina, house)
    assert await owner.fetchval(of_nina, nina) != house


async def test_whose_appointments_an_entry_has_nobody_makes_their_own(asks, world, owner):
    await owner.execute(
        "UPDATE account SET practitioner_id = $2 WHERE id = $1",
        *(world.accounts["cora"].id, world.practitioners["bob"]),
    )
    merged = "SELECT merge_practitioners($1, $2, $3, now())"

    assert await asks(merged, world.practitioners["bob"], world.practitioners["ann"]) == "own-roles"


async def test_a_new_schedule_begins_with_the_audiences_that_the_territory_has_set(
    asks, world, owner
):
    await owner.execute("UPDATE territory SET default_audience = '{CPTS}' WHERE id = 1")

    assert await asks(PLACE, world.practitioners["bob"], world.locations["bedarieux"]) == "new"

    audience = "SELECT default_audience FROM schedule JOIN practitioner_role role ON role.id = practitioner_role_id WHERE role.practitioner_id = $1 AND role.location_id = $2"
    found = await owner.fetchval(audience, world.practitioners["bob"], world.locations["bedarieux"])
    assert found == ["CPTS"]


async def test_a_newcomer_shares_the_bookings_of_no_house_that_is_at_work_elsewhere(
    asks, world, owner, ann_has_a_number
):
    """Nor of one that they have left."""
    await owner.execute("UPDATE account SET practitioner_id = NULL WHERE name = 'Ann Martin'")
    await owner.execute(
        "UPDATE practitioner_role SET ended_at = now() WHERE practitioner_id = $1",
        world.practitioners["ann"],
    )
    asked = await owner.fetchval(
        "INSERT INTO admission (id, territory_id, rpps, name, email, organisation, asked_at)"
        " VALUES (gen_random_uuid(), 1, '10001234567', 'Ann Martin', 'a2@example.fr', 'Lilas', now())"
        " RETURNING id"
    )

    let_in = "SELECT decide_admission($2, $1 = 1, gen_random_uuid(), now())"
    assert await asks(let_in, asked) is not None

    row = await owner.fetchrow(
        "SELECT organisation.name, array_agg(role) AS roles FROM account"
        " JOIN organisation ON organisation.id = organisation_id"
        " JOIN membership ON account_id = account.id WHERE email = 'a2@example.fr' GROUP BY 1"
    )
    assert (row["name"], row["roles"]) == ("Lilas", ["referrer"])
