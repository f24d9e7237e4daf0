"""Inside a territory, too: whose rows the ledger shows to whom, asked in SQL as each person."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from slots.reconcile.chain import chain
from slots.rights import MATRIX, Extent, Standing
from slots.store.push import write_pushes
from slots.transaction import entered
from tests.push_service import Browser, PushService

SIDES = {
    "rolf": "who booked",
    "rosa": "a colleague of who booked",
    "ann": "who sees the patient",
    "olga": "a delegate of who sees the patient",
}
OTHERS = {
    "nina": "a professional next door",
    "bob": "another professional",
    "dora": "a delegate of somebody else",
    "emma": "a referrer of another house",
    "cora": "the coordinator",
    "rita": "a regulator who did not book",
    "carl": "a neighbour",
}
EVERYBODY = sorted(SIDES | OTHERS)


@pytest.fixture
async def booked(desk, offer, book, world, now, owner):
    """Rolf's booking with ann, of which her phone is to be told, and somebody who asks to be let in."""
    await Browser(PushService(origin="https://fcm.googleapis.com")).subscribes(
        desk, world.accounts["ann"], now
    )
    booked = await book(world.accounts["rolf"], await offer(audience=("CPTS", "SNP", "PRO")))
    async with entered(desk.pool, None, [world.hauts]) as conn:
        await write_pushes(conn, now, remind_until=now, booked_until=now)
        await conn.execute(
            "INSERT INTO admission (id, territory_id, rpps, name, email, organisation, asked_at)"
            " VALUES (gen_random_uuid(), 1, '10000000001', 'Zoé Blanc', 'z@example.fr', 'Lilas', now())"
        )
    await chain(desk, world.hauts)
    return booked


async def who_sees(desk, world, table) -> set[str]:
    """The people to whom the ledger shows a row of the first territory, each in all territories."""
    found = set()
    for name in EVERYBODY:
        async with entered(desk.pool, world.accounts[name].id, [world.hauts, world.thau]) as conn:
            if await conn.fetchval(f"SELECT count(*) FROM {table} WHERE territory_id = 1"):
                found.add(name)
    return found


async def test_an_appointment_is_its_two_sides_alone(desk, world, booked):
    assert await who_sees(desk, world, "appointment") == set(SIDES)


async def test_the_ledger_says_of_appointments_what_the_matrix_says(desk, world, booked):
    # Whoever may open appointments may open those that are their own, and nobody opens all.
    assert {rights.open for rights in MATRIX.values()} == {Extent.OWN, Extent.NOTHING}
    for name in await who_sees(desk, world, "appointment"):
        standings = world.accounts[name].standings_in(world.hauts)
        assert any(MATRIX[standing].open is Extent.OWN for standing in standings)


async def test_an_administrator_sees_none(desk, world, booked, owner):
    await owner.execute(
        "UPDATE account SET is_administrator = true WHERE id = $1", world.accounts["cora"].id
    )

    assert MATRIX[Standing.ADMINISTRATOR].open is Extent.NOTHING
    assert "cora" not in await who_sees(desk, world, "appointment")


async def test_a_delegation_that_ends_shows_nothing_more_at_once(desk, world, booked, owner):
    await owner.execute("DELETE FROM delegation WHERE account_id = $1", world.accounts["olga"].id)
    async with entered(desk.pool, world.accounts["olga"].id, [world.hauts]) as conn:
        # Olga works in ann's house, which did not book.
        assert await conn.fetchval("SELECT count(*) FROM appointment") == 0


async def test_audit_and_mails_are_read_by_the_service_alone(desk, world, booked):
    assert await who_sees(desk, world, "audit") == set()
    assert await who_sees(desk, world, "mail") == set()
    async with entered(desk.pool, None, [world.hauts]) as conn:
        assert await conn.fetchval("SELECT count(*) FROM audit") > 0
        assert await conn.fetchval("SELECT count(*) FROM mail") > 0


async def test_who_asks_to_be_let_in_is_the_coordinators_to_read(desk, world, booked):
    assert await who_sees(desk, world, "admission") == {"cora"}


async def test_what_a_phone_was_told_is_its_owners(desk, world, booked):
    assert await who_sees(desk, world, "push") == {"ann"}


async def test_a_contact_is_the_two_sides_and_not_even_the_services(desk, world, booked, owner):
    await owner.execute(
        "INSERT INTO patient_contact (appointment_id, territory_id, sealed, written_at, purge_at)"
        " VALUES ($1, 1, '', now(), now())",
        booked.id,
    )

    assert await who_sees(desk, world, "patient_contact") == set(SIDES)
    async with entered(desk.pool, None, [world.hauts]) as conn:
        assert await conn.fetchval("SELECT count(*) FROM patient_contact") == 0


async def test_control_without_the_policy_the_whole_territory_reads_the_booking(
    desk, world, booked, owner
):
    await owner.execute("DROP POLICY appointment_sides ON appointment")

    assert await who_sees(desk, world, "appointment") == set(EVERYBODY)


async def test_nobody_writes_an_appointment_of_which_they_are_no_side(desk, world, booked, owner):
    bob = world.accounts["bob"]
    async with entered(desk.pool, bob.id, bob.reach) as conn:
        answer = await conn.execute(
            "UPDATE appointment SET seen_at = now() WHERE id = $1", booked.id
        )
    assert answer == "UPDATE 0"

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with entered(desk.pool, world.accounts["rolf"].id, [world.hauts]) as conn:
            # A booking in the name of a house that is not one's own, with somebody not one's own.
            await conn.execute(
                "UPDATE appointment SET booked_by_organisation_id = $2 WHERE id = $1",
                booked.id,
                bob.organisation_id,
            )


async def writes_a_booking(desk, world, name, like) -> bool:
    """Whether the ledger takes a booking like *like*, with its two sides, from *name*."""
    try:
        async with entered(desk.pool, world.accounts[name].id, [world.hauts, world.thau]) as conn:
            await conn.execute(
                """
                INSERT INTO appointment (id, territory_id, schedule_id, reference, origin, reason, urgency, starts_at,
                                         booked_by_account_id, booked_by_organisation_id, booked_by_name,
                                         booked_by_organisation, booked_by_phone, booked_at)
                VALUES (gen_random_uuid(), $1, $2, $3, 'referrer', 'pain', 'today', $4,
                        $5, $6, 'x', 'x', 'x', now())
                """,
                *(
                    like.territory_id,
                    like.schedule_id,
                    f"ABCDE{'23456789ABC'[EVERYBODY.index(name)]}",
                    like.starts_at,
                ),
                *(world.accounts[name].id, like.booked_by_organisation_id),
            )
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


async def test_a_booking_is_written_by_one_of_its_sides_alone(desk, world, booked):
    wrote = {name for name in EVERYBODY if await writes_a_booking(desk, world, name, booked)}

    assert wrote == set(SIDES)


async def test_a_neighbour_writes_bookings_of_their_own_house_in_the_next_territory(
    desk, world, booked
):
    carl = world.accounts["carl"]
    like = replace(booked, booked_by_organisation_id=carl.organisation_id)

    assert await writes_a_booking(desk, world, "carl", like)
    assert not await writes_a_booking(desk, world, "cora", like)


async def test_control_without_the_policy_everybody_writes_it(desk, world, booked, owner):
    await owner.execute("DROP POLICY appointment_booked ON appointment")

    assert await writes_a_booking(desk, world, "bob", booked)


async def test_who_changes_all_appointments_changes_their_own(desk, world, booked, owner):
    """Without a condition nothing is read, and the policies of reading do not speak."""
    for name, changed in {"bob": 0, "cora": 0, "rolf": 1, "olga": 1}.items():
        async with entered(desk.pool, world.accounts[name].id, [world.hauts]) as conn:
            answer = await conn.execute("UPDATE appointment SET seen_at = now()")
        assert answer == f"UPDATE {changed}"


async def test_everybody_counts_the_seats_that_others_have_taken(desk, world, booked, now):
    for name in ("bob", "emma", "rita"):
        async with entered(desk.pool, world.accounts[name].id, [world.hauts]) as conn:
            seats = await conn.fetchval(
                "SELECT seats FROM ledger_slot WHERE id = $1", booked.slot_id
            )
            assert len(seats) == 1
    async with entered(desk.pool, world.accounts["carl"].id, [world.thau]) as conn:
        assert await conn.fetchval("SELECT seats_of_slot($1)", booked.slot_id) == {}
        counted = await conn.fetchval(
            "SELECT booked_that_day($1, $2, $3)",
            booked.schedule_id,
            now,
            now + timedelta(days=1),
        )
        assert counted == 0
