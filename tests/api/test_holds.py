"""Holding, renewing, releasing, confirming; beyond the slots."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from slots.ids import new_id
from tests.api.conftest import offered, problem
from tests.world import HAUTS, make_world

CHOICE = {"reason": "pain", "urgency": "today"}


async def test_a_hold_is_three_minutes_of_a_seat(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])

    held = await rolf.hold(slot)

    assert (held["slot_id"], held["seat"]) == (slot["id"], 1)
    left = datetime.fromisoformat(held["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=2, seconds=50) < left <= timedelta(minutes=3)


async def test_of_many_who_want_one_seat_exactly_one_gets_it(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])

    answers = await asyncio.gather(
        *(rolf.command("POST", f"/api/v1/slots/{slot['id']}/holds") for _ in range(20))
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19


async def test_the_loser_hears_what_else_there_is(sign_in, world):
    ann, bob = await sign_in("ann"), await sign_in("bob")
    rolf, rosa = await sign_in("rolf"), await sign_in("rosa")
    slot, other = await ann.offer(world.schedules["ann"]), await bob.offer(world.schedules["bob"])
    await rolf.hold(slot)

    answer = await rosa.command("POST", f"/api/v1/slots/{slot['id']}/holds")

    assert problem(answer) == (409, "slot-taken")
    assert [one["id"] for one in answer.json()["alternatives"]] == [other["id"]]


async def test_the_loser_hears_it_too_where_there_is_nothing_else(sign_in, world):
    ann, rolf, rosa = await sign_in("ann"), await sign_in("rolf"), await sign_in("rosa")
    slot = await ann.offer(world.schedules["ann"])
    await rolf.hold(slot)

    answer = await rosa.command("POST", f"/api/v1/slots/{slot['id']}/holds")

    assert answer.json()["alternatives"] == []


async def test_repeating_a_hold_under_its_key_holds_the_same_seat(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])
    path = f"/api/v1/slots/{slot['id']}/holds"

    first = await rolf.command("POST", path, key="one")
    again = await rolf.command("POST", path, key="one")

    assert first.json() == again.json()


async def test_a_name_that_a_careless_client_uses_as_a_key_is_kept_nowhere(
    sign_in, world, redis_client, owner
):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])
    held = await rolf.command("POST", f"/api/v1/slots/{slot['id']}/holds", key="Mme Durand")
    confirm = f"/api/v1/holds/{held.json()['id']}/confirm"
    choice = {"reason": "pain", "urgency": "today"}

    booked = await rolf.command("POST", confirm, choice, key="Mme Durand")

    assert booked.status_code == 201
    assert [key async for key in redis_client.scan_iter("*answer*")]
    assert [key async for key in redis_client.scan_iter("*Durand*")] == []
    kept = [row["key"] for row in await owner.fetch("SELECT key FROM idempotency_key")]
    assert kept
    assert not any("Durand" in key for key in kept)


async def test_who_only_sees_a_slot_may_not_hold_it(sign_in, world):
    ann, cora = await sign_in("ann"), await sign_in("cora")
    slot = await ann.offer(world.schedules["ann"])

    answer = await cora.command("POST", f"/api/v1/slots/{slot['id']}/holds")

    assert problem(answer) == (403, "not-allowed")


async def test_a_hold_is_renewed_once(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    held = await rolf.hold(await ann.offer(world.schedules["ann"]))
    path = f"/api/v1/holds/{held['id']}/renew"

    renewed = await rolf.command("POST", path)

    assert renewed.status_code == 200
    assert renewed.json()["expires_at"] >= held["expires_at"]
    assert problem(await rolf.command("POST", path)) == (409, "hold-renewed")


async def test_releasing_gives_the_seat_back(sign_in, world):
    ann, rolf, rosa = await sign_in("ann"), await sign_in("rolf"), await sign_in("rosa")
    slot = await ann.offer(world.schedules["ann"])
    held = await rolf.hold(slot)

    for _ in range(2):
        answer = await rolf.command("DELETE", f"/api/v1/holds/{held['id']}")
        assert answer.status_code == 204

    await rosa.hold(slot)


async def test_somebody_elses_hold_is_not_ours(sign_in, world):
    ann, rolf, rosa = await sign_in("ann"), await sign_in("rolf"), await sign_in("rosa")
    held = await rolf.hold(await ann.offer(world.schedules["ann"]))
    path = f"/api/v1/holds/{held['id']}"

    for answer in (
        await rosa.command("DELETE", path),
        await rosa.command("POST", f"{path}/renew"),
        await rosa.command("POST", f"{path}/confirm", CHOICE),
    ):
        assert problem(answer) == (403, "hold-not-yours")


async def test_a_confirmed_hold_is_an_appointment(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])

    booked = await rolf.book(slot)

    assert (booked["slot_id"], booked["seat"]) == (slot["id"], 1)
    assert booked["status"] == "booked"
    assert booked["origin"] == "referrer"
    assert booked["reason"] == "pain"
    assert booked["overflow"] is False
    assert booked["seen_at"] is None
    assert len(booked["reference"]) == 6
    assert booked["booked_by"] == {
        "name": "Rolf Garcia",
        "organisation": "Cabinet des Rosiers",
        "phone": world.accounts["rolf"].phone,
    }


async def test_confirming_again_answers_the_same_appointment_whatever_the_key(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    held = await rolf.hold(await ann.offer(world.schedules["ann"]))
    path = f"/api/v1/holds/{held['id']}/confirm"

    answers = [await rolf.command("POST", path, CHOICE) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]


async def test_an_origin_that_is_not_the_roles_is_refused(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    held = await rolf.hold(await ann.offer(world.schedules["ann"]))

    answer = await rolf.command(
        "POST", f"/api/v1/holds/{held['id']}/confirm", {**CHOICE, "origin": "regulation"}
    )

    assert problem(answer) == (403, "origin-not-yours")


@pytest.mark.parametrize("hold_id", [uuid4(), new_id(HAUTS)], ids=["no id of ours", "of no hold"])
async def test_a_hold_that_nobody_knows_has_expired(sign_in, hold_id):
    rolf = await sign_in("rolf")

    answer = await rolf.command("POST", f"/api/v1/holds/{hold_id}/confirm", CHOICE)

    assert problem(answer) == (410, "hold-expired")
    assert answer.json()["alternatives"] == []


async def test_a_withdrawal_beats_a_hold(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])
    held = await rolf.hold(slot)
    await ann.command("DELETE", f"/api/v1/slots/{slot['id']}")

    answer = await rolf.command("POST", f"/api/v1/holds/{held['id']}/confirm", CHOICE)

    assert problem(answer) == (409, "slot-withdrawn")


async def test_the_daily_cap_is_the_professionals(owner, sign_in):
    world = await make_world(owner, ann_daily_cap=1)
    ann, rolf = (
        await sign_in_again(sign_in, world, "ann"),
        await sign_in_again(sign_in, world, "rolf"),
    )
    await rolf.book(await ann.offer(world.schedules["ann"], capacity=3))
    plage = (await rolf.get("/api/v1/slots")).json()["slots"][0]
    held = await rolf.hold(plage)

    answer = await rolf.command("POST", f"/api/v1/holds/{held['id']}/confirm", CHOICE)

    assert problem(answer) == (409, "daily-cap")


async def sign_in_again(sign_in, world, name):
    """The world was made anew: so were its accounts."""
    assert world.email(name)
    return await sign_in(name)


async def test_beyond_the_slots_only_with_whom_accepts_it(sign_in, world):
    rolf = await sign_in("rolf")
    soon = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    body = {**CHOICE, "starts_at": soon}

    with_bob = await rolf.command(
        "POST", f"/api/v1/schedules/{world.schedules['bob']}/overflow", body
    )
    with_ann = await rolf.command(
        "POST", f"/api/v1/schedules/{world.schedules['ann']}/overflow", body
    )
    with_nobody = await rolf.command("POST", f"/api/v1/schedules/{uuid4()}/overflow", body)

    assert with_bob.status_code == 201
    assert with_bob.json()["overflow"] is True
    assert with_bob.json()["slot_id"] is None
    assert problem(with_ann) == (409, "overflow-refused")
    assert problem(with_nobody) == (404, "schedule-unknown")


async def test_a_reason_that_the_territory_does_not_know_is_refused(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    held = await rolf.hold(await ann.offer(world.schedules["ann"]))

    answer = await rolf.command(
        "POST", f"/api/v1/holds/{held['id']}/confirm", {"reason": "curiosity", "urgency": "today"}
    )

    assert problem(answer) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == ["reason"]


async def test_a_sixth_hold_at_a_time_is_refused(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"], capacity=6)
    for _ in range(5):
        await rolf.hold(slot)

    answer = await rolf.command("POST", f"/api/v1/slots/{slot['id']}/holds")

    assert problem(answer) == (409, "too-many-holds")


async def test_a_slot_beyond_the_horizon_cannot_be_held_yet(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"], hours=72)

    answer = await rolf.command("POST", f"/api/v1/slots/{slot['id']}/holds")

    assert problem(answer) == (409, "slot-not-live")


async def test_offers_come_from_the_schedule_that_is_named(sign_in, world):
    ann = await sign_in("ann")
    body = {"slots": [offered(world.schedules["bob"])]}

    assert problem(await ann.command("POST", "/api/v1/slots", body)) == (403, "not-allowed")
