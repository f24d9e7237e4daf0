"""Offering, amending, withdrawing; reading one slot."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from slots.ids import TerritoryId, new_id
from tests.api.conftest import offered, problem
from tests.world import HAUTS


async def test_an_offer_answers_the_slots_as_everybody_sees_them(sign_in, world):
    ann = await sign_in("ann")

    slot = await ann.offer(world.schedules["ann"], note="Parking derrière")

    assert slot["territory"] == "hauts-cantons-et-vignobles"
    assert slot["schedule"]["id"] == str(world.schedules["ann"])
    assert slot["schedule"]["practitioner"]["name"] == "Ann Martin"
    assert slot["schedule"]["location"]["insee"] == "34028"
    assert slot["status"] == "free"
    assert (slot["capacity"], slot["free"], slot["held"], slot["booked"]) == (1, 1, 0, 0)
    assert slot["acts"] == ["consultation"]
    assert sorted(slot["audience"]) == ["CPTS", "SNP"]
    assert slot["note"] == "Parking derrière"


async def test_several_slots_are_offered_all_or_none(sign_in, world):
    ann = await sign_in("ann")
    schedule_id = world.schedules["ann"]
    good, bad = offered(schedule_id, hours=1), offered(schedule_id, hours=3, capacity=51)

    answer = await ann.command("POST", "/api/v1/slots", {"slots": [good, bad]})

    assert problem(answer) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == ["slots[1].capacity"]
    assert (await ann.get("/api/v1/slots")).json()["slots"] == []


async def test_repeating_an_offer_under_its_key_makes_nothing_new(sign_in, world):
    ann = await sign_in("ann")
    body = {"slots": [offered(world.schedules["ann"])]}

    first = await ann.command("POST", "/api/v1/slots", body, key="one")
    again = await ann.command("POST", "/api/v1/slots", body, key="one")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_the_same_request_spelt_otherwise_is_the_same_request(sign_in, world):
    ann = await sign_in("ann")
    slot = offered(world.schedules["ann"])
    spelt_out = {"modality": "AMB", **slot, "capacity": 1}

    await ann.command("POST", "/api/v1/slots", {"slots": [slot]}, key="one")
    again = await ann.command("POST", "/api/v1/slots", {"slots": [spelt_out]}, key="one")

    assert again.status_code == 201


async def test_another_request_under_the_same_key_is_refused(sign_in, world):
    ann = await sign_in("ann")
    for hours, expected in ((2, 201), (5, 422)):
        body = {"slots": [offered(world.schedules["ann"], hours=hours)]}
        answer = await ann.command("POST", "/api/v1/slots", body, key="one")
        assert answer.status_code == expected

    assert problem(answer) == (422, "idempotency-mismatch")


async def test_an_overlap_names_the_other_slot(sign_in, world):
    ann = await sign_in("ann")
    other = await ann.offer(world.schedules["ann"])

    body = {"slots": [offered(world.schedules["ann"])]}
    answer = await ann.command("POST", "/api/v1/slots", body)

    assert problem(answer) == (409, "slot-overlap")
    assert answer.json()["other"]["id"] == other["id"]
    assert "Maison de santé de Bédarieux" in answer.json()["detail"]


async def test_offering_for_somebody_else_is_not_allowed(sign_in, world):
    bob = await sign_in("bob")

    body = {"slots": [offered(world.schedules["ann"])]}

    assert problem(await bob.command("POST", "/api/v1/slots", body)) == (403, "not-allowed")


async def test_a_delegate_offers_for_whom_she_acts(sign_in, world):
    dora = await sign_in("dora")

    slot = await dora.offer(world.schedules["radiology"], capacity=3)

    assert slot["schedule"]["service"]["name"] == "Radiologie"
    assert slot["schedule"]["practitioner"] is None
    assert slot["acts"] == ["x-ray", "ultrasound"]


async def test_a_slot_is_read_by_who_may_see_it(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])

    answer = await rolf.get(f"/api/v1/slots/{slot['id']}")

    assert answer.json() == slot


async def test_reading_a_slot_tells_its_holds(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])
    await ann.get("/api/v1/slots")  # the hub follows the territory now

    held = await rolf.hold(slot)
    await world_moves_on(ann, slot, "busy-tentative")
    answer = (await ann.get(f"/api/v1/slots/{slot['id']}")).json()

    assert answer["status"] == "busy-tentative"
    assert answer["held_until"] == held["expires_at"]


async def world_moves_on(person, slot, status):
    """Until the hub has heard of it: it reads the log, a moment behind."""
    for _ in range(200):
        answer = await person.get(f"/api/v1/slots/{slot['id']}")
        if answer.json()["status"] == status:
            return
    raise AssertionError(f"never {status}")


async def test_a_slot_that_one_may_not_see_does_not_exist(sign_in, world):
    ann, carl = await sign_in("ann"), await sign_in("carl")
    slot = await ann.offer(world.schedules["ann"], audience=["CPTS"])

    for answer in (
        await carl.get(f"/api/v1/slots/{slot['id']}"),
        await carl.command("PATCH", f"/api/v1/slots/{slot['id']}", {"capacity": 2}),
        await carl.command("DELETE", f"/api/v1/slots/{slot['id']}"),
        await carl.command("POST", f"/api/v1/slots/{slot['id']}/holds"),
    ):
        assert problem(answer) == (404, "slot-unknown")


@pytest.mark.parametrize(
    "slot_id",
    [uuid4(), new_id(HAUTS), new_id(TerritoryId(999))],
    ids=["no id of ours", "of no slot", "of no territory"],
)
async def test_what_was_never_offered_does_not_exist(sign_in, slot_id):
    ann = await sign_in("ann")

    assert problem(await ann.get(f"/api/v1/slots/{slot_id}")) == (404, "slot-unknown")


async def test_amending_changes_what_is_named(sign_in, world):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"], note="Sonner deux fois")

    answer = await ann.command(
        "PATCH", f"/api/v1/slots/{slot['id']}", {"capacity": 4, "audience": ["PRO"]}
    )

    assert answer.status_code == 200
    amended = answer.json()
    assert (amended["capacity"], amended["audience"]) == (4, ["PRO"])
    assert amended["note"] == "Sonner deux fois"
    assert amended["version"] > slot["version"]


async def test_a_note_that_is_null_goes(sign_in, world):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"], note="Sonner deux fois")

    answer = await ann.command("PATCH", f"/api/v1/slots/{slot['id']}", {"note": None})

    assert answer.json()["note"] is None


async def test_the_time_of_a_held_slot_stays(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])
    await rolf.hold(slot)
    later = datetime.now(UTC) + timedelta(hours=5)

    answer = await ann.command(
        "PATCH",
        f"/api/v1/slots/{slot['id']}",
        {"starts_at": later.isoformat(), "ends_at": (later + timedelta(minutes=20)).isoformat()},
    )

    assert problem(answer) == (409, "slot-in-use")


async def test_withdrawing_takes_a_slot_off_the_board(sign_in, world):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"])

    answer = await ann.command("DELETE", f"/api/v1/slots/{slot['id']}")

    assert answer.status_code == 200
    assert answer.json()["status"] == "busy-unavailable"


async def test_withdrawing_asks_before_it_cancels_bookings(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    slot = await ann.offer(world.schedules["ann"])
    await rolf.book(slot)
    path = f"/api/v1/slots/{slot['id']}"

    assert problem(await ann.command("DELETE", path)) == (409, "seats-booked")
    answer = await ann.command("DELETE", path, params={"cancel_booked": "true"})

    assert answer.status_code == 200
    [listed] = (await rolf.get("/api/v1/appointments")).json()["appointments"]
    assert (listed["status"], listed["patient_to_tell"]) == ("cancelled", True)


async def test_withdrawing_takes_its_question_from_the_query_only(sign_in, world):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"])

    answer = await ann.command("DELETE", f"/api/v1/slots/{slot['id']}?cancel_booked=perhaps")

    assert problem(answer) == (422, "invalid")
