"""The patient's contact of a booking: who leaves, reads and erases it, and what becomes of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from slots.account import Account
from slots.booking import appointments, contacts, holding, moving, offering
from slots.errors import (
    AppointmentEnded,
    AppointmentUnknown,
    ContactsOff,
    ContactUnknown,
    Invalid,
    LedgerUnavailable,
)
from slots.ids import SlotId
from slots.patient_contact import PatientContact
from slots.rights import Action
from slots.sealing import Sealer, make_key
from slots.store.patient_contact import purge_contacts
from slots.transaction import entered, looking
from tests.booking.conftest import a_key
from tests.contacts.conftest import KEPT_H, WHOM
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("on")

AT_HOME = PatientContact("Kanarienvogel J.", 1951, "", "3 rue des Lilas")
VISIT = {"modality": "HH", "area": {"radius_km": 20}}
# Of a booking of rolf's with ann. Bob and dora act for others, emma and rita book themselves.
SIDES = {"rolf", "rosa", "ann", "olga"}


@pytest.fixture
def left(desk, world, now):
    """A contact that somebody has left."""

    async def one(booked, by="rolf", contact=WHOM):
        return await contacts.write(desk, world.accounts[by], booked.id, contact, now)

    return one


async def audited(owner, booked):
    return [
        tuple(row)
        for row in await owner.fetch(
            "SELECT verb, account_id FROM audit WHERE subject_id = $1 AND verb LIKE '%contact'"
            " ORDER BY id",
            booked.id,
        )
    ]


async def rows(owner):
    return await owner.fetchval("SELECT count(*) FROM patient_contact")


async def test_what_was_left_is_read_and_each_time_is_written_down(
    desk, world, owner, booked, left, now
):
    one, rolf, ann = await booked(), world.accounts["rolf"], world.accounts["ann"]

    kept = await left(one)
    read = await contacts.read(desk, ann, one.id, now)
    await contacts.read(desk, ann, one.id, now)

    assert read == kept
    assert read.contact == WHOM
    ends_at = one.starts_at + timedelta(minutes=20)
    assert read.purge_at == ends_at + timedelta(hours=KEPT_H)
    assert await audited(owner, one) == [
        ("write-contact", rolf.id),
        ("read-contact", ann.id),
        ("read-contact", ann.id),
    ]


async def test_the_ledger_has_it_only_sealed_and_for_its_own_row(
    desk, world, owner, booked, left, now
):
    one, other = await booked(), await booked(after=timedelta(hours=3))
    await left(one)
    sealed = await owner.fetchval("SELECT sealed FROM patient_contact")
    assert b"Kanarienvogel" not in sealed

    await left(other, contact=PatientContact(name="X. Y."))
    await owner.execute(
        "UPDATE patient_contact SET sealed = $1 WHERE appointment_id = $2", sealed, other.id
    )

    assert (await contacts.read(desk, world.accounts["ann"], one.id, now)).contact == WHOM
    with pytest.raises(ContactUnknown):
        await contacts.read(desk, world.accounts["ann"], other.id, now)


async def test_what_an_old_key_sealed_is_still_read_and_written_anew_under_the_new_one(
    desk, world, booked, left, now
):
    one, ann = await booked(), world.accounts["ann"]
    await left(one)
    old = desk.sealer
    new = Sealer.of(make_key())
    both = replace(desk, sealer=Sealer({**new.keys, **old.keys}))

    assert (await contacts.read(both, ann, one.id, now)).contact == WHOM
    with pytest.raises(ContactUnknown):
        await contacts.read(replace(desk, sealer=new), ann, one.id, now)
    await contacts.write(both, ann, one.id, WHOM, now)
    assert (await contacts.read(replace(desk, sealer=new), ann, one.id, now)).contact == WHOM


@pytest.mark.parametrize("act", ["read", "write", "erase"])
@pytest.mark.parametrize(
    "who", ["rolf", "rosa", "ann", "olga", "nina", "bob", "dora", "emma", "rita", "cora", "carl"]
)
async def test_only_the_two_sides_and_their_delegates(
    desk, world, owner, booked, left, now, who, act
):
    one, account = await booked(), world.accounts[who]
    await left(one)
    acts = {
        "read": lambda: contacts.read(desk, account, one.id, now),
        "write": lambda: contacts.write(desk, account, one.id, WHOM, now),
        "erase": lambda: contacts.erase(desk, account, one.id, now),
    }

    if who in SIDES:
        await acts[act]()
    else:
        with pytest.raises(AppointmentUnknown):
            await acts[act]()
        assert await rows(owner) == 1
        assert [verb for verb, _ in await audited(owner, one)] == ["write-contact"]


@pytest.mark.parametrize("who", ["rolf", "nina", "bob", "emma", "rita", "cora", "carl", "nobody"])
async def test_the_ledger_says_the_same_by_itself(desk, world, owner, booked, left, who):
    """Row level security by person, cell by cell, whatever the code believes."""
    one = await booked()
    await left(one)
    account_id = world.accounts[who].id if who in world.accounts else None

    async with entered(desk.pool, account_id, [world.hauts, world.thau]) as conn:
        seen = await conn.fetchval("SELECT count(*) FROM patient_contact")
        is_side = await conn.fetchval("SELECT is_a_side_of_appointment($1)", one.id)
        gone = await conn.execute("DELETE FROM patient_contact")

    assert (seen, is_side, gone) == (
        (1, True, "DELETE 1") if who in SIDES else (0, False, "DELETE 0")
    )


async def test_control_without_its_second_wall_the_first_shows_it_to_the_whole_territory(
    desk, world, owner, booked, left
):
    one = await booked()
    await left(one)
    await owner.execute("DROP POLICY patient_contact_sides ON patient_contact")

    async with entered(desk.pool, world.accounts["emma"].id, [world.hauts]) as conn:
        assert await conn.fetchval("SELECT count(*) FROM patient_contact") == 1


async def test_what_cannot_be_written_down_is_not_told(desk, world, owner, booked, left, now):
    one = await booked()
    await left(one)
    await owner.execute(
        "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE SQLSTATE '57014'; END $$"
    )
    await owner.execute(
        "CREATE TRIGGER fails BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION fails()"
    )

    with pytest.raises(LedgerUnavailable):
        await contacts.read(desk, world.accounts["ann"], one.id, now)


async def test_a_cancellation_that_is_on_its_way_is_waited_for(desk, world, owner, booked, now):
    one = await booked()

    async def waits():
        return await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")

    async with owner.transaction():
        await owner.execute(
            "UPDATE appointment SET status = 'cancelled', cancelled_at = now(), cancelled_by_side = 'referrer'"
        )
        writing = asyncio.create_task(
            contacts.write(desk, world.accounts["rolf"], one.id, WHOM, now)
        )
        await until(waits)

    with pytest.raises(AppointmentEnded):
        await writing
    assert await rows(owner) == 0


@pytest.mark.parametrize("who", sorted(SIDES))
async def test_a_side_that_is_not_in_the_territory_sees_nothing(desk, world, booked, left, who):
    one = await booked()
    await left(one)

    async with entered(desk.pool, world.accounts[who].id, [world.thau]) as conn:
        assert await conn.fetchval("SELECT count(*) FROM patient_contact") == 0
        assert not await conn.fetchval("SELECT is_a_side_of_appointment($1)", one.id)


async def test_nobody_writes_past_the_code_for_others(desk, world, booked):
    one = await booked()

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with entered(desk.pool, world.accounts["emma"].id, [world.hauts]) as conn:
            await conn.execute(
                "INSERT INTO patient_contact (appointment_id, territory_id, sealed, written_at, purge_at)"
                " VALUES ($1, 1, '', now(), now())",
                one.id,
            )


async def test_code_and_ledger_agree_on_who_is_a_side_of_whose_booking(
    desk, world, owner, booked, now
):
    made = [
        await booked("rolf", "ann"),
        await booked("rita", "bob", after=timedelta(hours=3)),
        await booked("carl", "ann", after=timedelta(hours=4), audience=("PRO",)),
        await booked("ann", "ann", after=timedelta(hours=5)),
    ]
    await owner.execute(
        "UPDATE account SET organisation_id = $1 WHERE name = 'Cora Faure'",
        world.accounts["rolf"].organisation_id,
    )
    cora = replace(world.accounts["cora"], organisation_id=world.accounts["rolf"].organisation_id)

    for account in [*world.accounts.values(), cora]:
        if account == world.accounts["cora"]:
            continue
        async with entered(desk.pool, account.id, account.reach) as conn:
            for one in made:
                in_sql = await conn.fetchval("SELECT is_a_side_of_appointment($1)", one.id)
                assert in_sql is in_code(account, one), (account.name, one.booked_by)


def in_code(account: Account, one):
    return account.may(Action.CONTACT, one.territory_id, is_own=account.is_side_of(one))


async def test_whoever_loses_their_role_or_account_is_no_side_any_more(
    desk, world, owner, booked, left
):
    one = await booked()
    await left(one)

    async def is_side(name):
        async with entered(desk.pool, world.accounts[name].id, [world.hauts]) as conn:
            return await conn.fetchval("SELECT is_a_side_of_appointment($1)", one.id)

    for name, change in {
        "rolf": "DELETE FROM membership WHERE account_id = $1",
        "ann": "DELETE FROM membership WHERE account_id = $1",
        "olga": "DELETE FROM delegation WHERE account_id = $1",
        "rosa": "UPDATE account SET disabled_at = now() WHERE id = $1",
    }.items():
        assert await is_side(name), name
        await owner.execute(change, world.accounts[name].id)
        assert not await is_side(name), name


async def test_where_the_territory_keeps_none_nothing_is_written(
    desk, world, owner, offer, book, now
):
    one = await book(world.accounts["rita"], await offer("carl"))

    with pytest.raises(ContactsOff):
        await contacts.write(desk, world.accounts["rita"], one.id, WHOM, now)
    assert await rows(owner) == 0


async def test_without_a_key_nothing_is_written(desk, world, booked, now):
    one = await booked()

    with pytest.raises(ContactsOff):
        await contacts.write(
            replace(desk, sealer=Sealer({})), world.accounts["rolf"], one.id, WHOM, now
        )


async def test_switching_it_off_closes_what_is_there_at_once_and_a_worker_takes_it(
    desk, world, owner, booked, left, now
):
    one = await booked()
    await left(one)
    await owner.execute("UPDATE territory SET contact_kept_h = NULL")

    with pytest.raises(ContactUnknown):
        await contacts.read(desk, world.accounts["ann"], one.id, now)
    async with looking(desk.pool) as conn:
        assert await purge_contacts(conn, now) == 1
    assert await rows(owner) == 0


async def test_what_cannot_be_accepted_is_not_written(desk, world, owner, booked, now):
    one = await booked()

    with pytest.raises(Invalid):
        await contacts.write(
            desk, world.accounts["rolf"], one.id, PatientContact(address="3 rue des Lilas"), now
        )
    assert await rows(owner) == 0


async def test_it_is_written_only_while_booked_and_read_until_its_end(
    desk, world, booked, left, now
):
    one, ann = await booked(), world.accounts["ann"]
    kept = await left(one)
    after = one.starts_at
    await appointments.fulfil(desk, ann, one.id, a_key(), after)

    with pytest.raises(AppointmentEnded):
        await contacts.write(desk, ann, one.id, WHOM, after)
    just_before = kept.purge_at - timedelta(seconds=1)
    assert (await contacts.read(desk, ann, one.id, just_before)).contact == WHOM
    with pytest.raises(ContactUnknown):
        await contacts.read(desk, ann, one.id, kept.purge_at)


async def test_nobody_writes_on_a_booking_whose_contact_would_be_purged(desk, world, booked, now):
    one = await booked()
    late = one.starts_at + timedelta(hours=KEPT_H, minutes=20)

    with pytest.raises(AppointmentEnded):
        await contacts.write(desk, world.accounts["rolf"], one.id, WHOM, late)


async def test_erasing_is_for_good_and_safe_to_repeat(desk, world, owner, booked, left, now):
    one, rosa = await booked(), world.accounts["rosa"]
    await left(one)

    await contacts.erase(desk, rosa, one.id, now)
    await contacts.erase(desk, rosa, one.id, now)

    assert await rows(owner) == 0
    assert await audited(owner, one) == [
        ("write-contact", world.accounts["rolf"].id),
        ("erase-contact", rosa.id),
    ]


# --- what becomes of it when the booking ends


async def test_cancelled_by_the_referrer_it_is_closed_at_once_and_purged_by_the_next_round(
    desk, world, owner, booked, left, now
):
    one, rolf = await booked(), world.accounts["rolf"]
    await left(one)
    await appointments.cancel(desk, rolf, one.id, a_key(), now)

    for who in SIDES:
        with pytest.raises(AppointmentEnded):
            await contacts.read(desk, world.accounts[who], one.id, now)
    async with looking(desk.pool) as conn:
        assert await purge_contacts(conn, now) == 1
    assert await rows(owner) == 0


@pytest.mark.parametrize("way", ["cancel", "withdraw"])
async def test_cancelled_by_the_other_side_it_stays_until_the_patient_is_told(
    desk, world, owner, booked, left, now, way
):
    one, ann, rolf = await booked(), world.accounts["ann"], world.accounts["rolf"]
    await left(one)
    if way == "cancel":
        await appointments.cancel(desk, ann, one.id, a_key(), now)
    else:
        await offering.withdraw(desk, ann, one.slot_id, a_key(), now, cancel_booked=True)

    assert (await contacts.read(desk, rolf, one.id, now)).contact == WHOM
    async with looking(desk.pool) as conn:
        assert await purge_contacts(conn, now) == 0
    await appointments.patient_told(desk, rolf, one.id, a_key(), now)
    with pytest.raises(AppointmentEnded):
        await contacts.read(desk, rolf, one.id, now)
    async with looking(desk.pool) as conn:
        assert await purge_contacts(conn, now) == 1


@pytest.fixture
def moves(desk, world, offer, now):
    async def moved(one, who="rolf", to="bob", key=None, **fields):
        slot = await offer(to, after=timedelta(hours=20), **fields)
        account = world.accounts[who]
        held = await holding.hold(desk, account, SlotId(slot.id), a_key(), now)
        return await moving.move(desk, account, one.id, held.id, key or a_key(), now)

    return moved


async def test_it_moves_with_the_patient_and_the_old_effector_reads_it_no_more(
    desk, world, owner, booked, left, moves, now
):
    one = await booked()
    kept = await left(one)

    new = await moves(one)

    read = await contacts.read(desk, world.accounts["bob"], new.id, now)
    assert read.contact == WHOM
    assert read.written_at == kept.written_at
    assert read.purge_at == new.starts_at + timedelta(minutes=20, hours=KEPT_H)
    with pytest.raises(AppointmentEnded):
        await contacts.read(desk, world.accounts["ann"], one.id, now)
    assert await rows(owner) == 1
    assert [verb for verb, _ in await audited(owner, one)] == ["write-contact", "erase-contact"]
    assert [verb for verb, _ in await audited(owner, new)] == ["carry-contact", "read-contact"]


async def test_what_a_dead_process_left_behind_is_taken_along_by_the_retry_or_purged(
    desk, world, owner, booked, left, offer, now
):
    one, rolf = await booked(), world.accounts["rolf"]
    await left(one)
    slot = await offer("bob", after=timedelta(hours=20))
    held = await holding.hold(desk, rolf, SlotId(slot.id), a_key(), now)
    key = a_key()
    new = await appointments.move(desk, rolf, one.id, held.id, key, now)  # and dies

    async with looking(desk.pool) as conn:
        assert await purge_contacts(conn, now) == 0  # it has an hour
    assert (await moving.move(desk, rolf, one.id, held.id, key, now)).id == new.id
    assert (await contacts.read(desk, world.accounts["bob"], new.id, now)).contact == WHOM
    assert not await moving.carry_along(desk, rolf, one.id, new.id, now)


async def test_nobody_carries_it_to_a_booking_that_is_not_the_moved_one(
    desk, world, owner, booked, left, now
):
    one, other = await booked(), await booked(after=timedelta(hours=3))
    await left(one)

    assert not await moving.carry_along(desk, world.accounts["rolf"], one.id, other.id, now)

    assert await owner.fetchval("SELECT appointment_id FROM patient_contact") == one.id


async def test_moved_and_never_carried_it_goes_after_an_hour(desk, world, booked, left, offer, now):
    one, rolf = await booked(), world.accounts["rolf"]
    await left(one)
    slot = await offer("bob", after=timedelta(hours=20))
    held = await holding.hold(desk, rolf, SlotId(slot.id), a_key(), now)
    await appointments.move(desk, rolf, one.id, held.id, a_key(), now)

    async with looking(desk.pool) as conn:
        assert await purge_contacts(conn, now + timedelta(minutes=59)) == 0
        assert await purge_contacts(conn, now + timedelta(hours=1)) == 1


async def test_moved_to_where_none_is_kept_it_is_only_taken_away(
    desk, world, owner, booked, left, moves, now
):
    one = await booked("rita", "ann", audience=("SNP",))
    await left(one, "rita")

    new = await moves(one, "rita", "carl", audience=("SNP",))

    assert await rows(owner) == 0
    with pytest.raises(ContactUnknown):
        await contacts.read(desk, world.accounts["rita"], new.id, now)


async def test_it_is_sealed_anew_for_another_territory_with_that_ones_end(
    desk, world, owner, booked, left, moves, now
):
    await owner.execute("UPDATE territory SET contact_kept_h = 24 WHERE id = 2")
    one = await booked("rita", "ann", audience=("SNP",))
    await left(one, "rita")

    new = await moves(one, "rita", "carl", audience=("SNP",))

    read = await contacts.read(desk, world.accounts["carl"], new.id, now)
    assert read.contact == WHOM
    assert read.purge_at == new.starts_at + timedelta(minutes=20, hours=24)
    assert await owner.fetchval("SELECT territory_id FROM patient_contact") == world.thau


# --- the address of a visit at home


async def test_whoever_goes_there_and_reads_the_address_has_been_told_it(
    desk, world, owner, booked, left, now
):
    one, nina = await booked("rolf", "nina", **VISIT), world.accounts["nina"]
    await left(one, contact=AT_HOME)

    async def told_at():
        return await owner.fetchval("SELECT address_told_at FROM appointment")

    await contacts.read(desk, world.accounts["rolf"], one.id, now)
    assert await told_at() is None
    assert (await contacts.read(desk, nina, one.id, now)).contact == AT_HOME
    assert await told_at() == now


async def test_without_an_address_in_it_nobody_was_told_one(desk, world, owner, booked, left, now):
    one = await booked("rolf", "nina", **VISIT)
    await left(one)

    await contacts.read(desk, world.accounts["nina"], one.id, now)

    assert await owner.fetchval("SELECT address_told_at FROM appointment") is None


async def test_an_address_stays_behind_where_nobody_goes_any_more(
    desk, world, booked, left, moves, now
):
    one = await booked("rolf", "nina", **VISIT)
    await left(one, contact=AT_HOME)

    new = await moves(one, to="bob")

    read = await contacts.read(desk, world.accounts["bob"], new.id, now)
    assert read.contact == PatientContact(AT_HOME.name, AT_HOME.birth_year)
