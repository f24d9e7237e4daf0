"""A worker takes contacts away when their time has come, and the audit's chain goes on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from slots.booking import contacts
from slots.clock import Clock
from slots.reconcile.chain import chain
from slots.reconcile.purge import purge
from tests.contacts.conftest import KEPT_H, WHOM
from workers.audit import verify
from workers.duties import duties
from workers.post import Post
from workers.workshop import Workshop

pytestmark = pytest.mark.usefixtures("on")


@pytest.fixture
async def two(desk, world, booked, now):
    """Two bookings with a contact each, the second an hour after the first."""
    made = [await booked(), await booked(after=timedelta(hours=3))]
    for one in made:
        await contacts.write(desk, world.accounts["rolf"], one.id, WHOM, now)
    return made


async def left(owner):
    return {row["appointment_id"] for row in await owner.fetch("SELECT * FROM patient_contact")}


async def test_each_goes_at_its_time_and_no_other(desk, owner, two):
    first, second = two
    first_goes_at = first.starts_at + timedelta(minutes=20, hours=KEPT_H)

    assert await purge(desk, first_goes_at - timedelta(seconds=1)) == 0
    assert await left(owner) == {first.id, second.id}
    assert await purge(desk, first_goes_at) == 1
    assert await left(owner) == {second.id}
    assert await purge(desk, first_goes_at) == 0


async def test_a_shorter_time_later_changes_no_promise_of_before(desk, owner, two):
    await owner.execute("UPDATE territory SET contact_kept_h = 24")

    assert await purge(desk, two[0].starts_at + timedelta(hours=25)) == 0


async def test_the_chain_of_the_audit_holds_over_a_purge_and_tells_of_it(desk, owner, world, two):
    await chain(desk, world.hauts)
    before = await verify(desk, world.hauts)
    assert await purge(desk, two[1].starts_at + timedelta(days=4)) == 2
    await chain(desk, world.hauts)
    after = await verify(desk, world.hauts)

    assert before.found is after.found is None
    assert after.waiting == 0
    assert after.head.position == before.head.position + 2
    purged = await owner.fetch(
        "SELECT account_id, subject_id FROM audit WHERE verb = 'purge-contact'"
    )
    assert {tuple(row) for row in purged} == {(None, one.id) for one in two}


async def test_it_is_found_by_its_index(owner):
    await owner.execute("SET enable_seqscan = off")

    plan = await owner.fetch("EXPLAIN SELECT FROM patient_contact WHERE purge_at <= now()")

    assert "patient_contact_by_purge" in str(plan)


async def test_a_worker_does_it_by_the_clock_of_its_desk(desk, two):
    def purging(clock):
        workshop = Workshop(replace(desk, clock=clock), Post("nobody@example.test", None), None)
        return next(loop for loop in duties(workshop) if loop.name == "purge")

    assert await purging(Clock()).do() == 0
    assert await purging(Clock(ahead=timedelta(days=4))).do() == 2
