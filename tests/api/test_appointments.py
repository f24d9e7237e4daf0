"""Bookings: both sides' lists, and what may become of one."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.api.conftest import problem

APPOINTMENTS = "/api/v1/appointments"


async def listed(person, **params):
    answer = await person.get(APPOINTMENTS, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["appointments"]


async def act(person, booked, verb, **body):
    return await person.command("POST", f"{APPOINTMENTS}/{booked['id']}/{verb}", body)


@pytest.fixture
async def booked(sign_in, world):
    """rolf has booked with ann."""
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    return await rolf.book(await ann.offer(world.schedules["ann"]))


async def test_both_sides_have_it_on_their_list_with_whom_to_call(sign_in, world, booked):
    for name in ("ann", "olga", "rolf", "rosa"):
        [one] = await listed(await sign_in(name))
        assert one["id"] == booked["id"], name
        assert one["booked_by"]["phone"] == world.accounts["rolf"].phone
        assert one["schedule"]["location"]["phone"] == "0400000001"
        assert one["ends_at"] is not None


@pytest.mark.parametrize("name", ["bob", "carl", "rita", "emma", "cora"])
async def test_it_is_nobody_elses_business(sign_in, booked, name):
    person = await sign_in(name)

    assert await listed(person) == []


async def test_a_side_and_a_span_narrow_the_list(sign_in, booked):
    ann = await sign_in("ann")
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    assert len(await listed(ann, side="professional")) == 1
    assert await listed(ann, side="referrer") == []
    assert await listed(ann, since=tomorrow.isoformat()) == []
    assert await listed(ann, until=datetime.now(UTC).isoformat()) == []
    assert await listed(ann, patient_to_tell="true") == []


async def test_cancelling_gives_the_seat_back(sign_in, booked):
    rolf, rosa = await sign_in("rolf"), await sign_in("rosa")

    answer = await act(rosa, booked, "cancel")

    assert answer.status_code == 200
    assert answer.json()["status"] == "cancelled"
    assert answer.json()["patient_to_tell"] is False
    await rolf.hold({"id": booked["slot_id"]})
    assert problem(await act(rolf, booked, "cancel")) == (409, "appointment-ended")


async def test_cancelled_by_the_professional_somebody_must_tell_the_patient(sign_in, booked):
    ann, rosa = await sign_in("ann"), await sign_in("rosa")
    await act(ann, booked, "cancel")

    [task] = await listed(rosa, patient_to_tell="true")
    assert task["id"] == booked["id"]

    told = await act(rosa, booked, "patient-told")
    assert told.json()["patient_told_at"] is not None
    assert await listed(rosa, patient_to_tell="true") == []


async def test_moving_books_the_held_seat_and_cancels_the_old_one(sign_in, world, booked):
    bob, rolf = await sign_in("bob"), await sign_in("rolf")
    held = await rolf.hold(await bob.offer(world.schedules["bob"]))

    answer = await act(rolf, booked, "move", hold_id=held["id"])

    assert answer.status_code == 200
    moved = answer.json()
    assert moved["schedule_id"] == str(world.schedules["bob"])
    assert moved["reason"] == booked["reason"]
    by_id = {one["id"]: one for one in await listed(rolf)}
    assert by_id[booked["id"]]["status"] == "cancelled"
    assert by_id[booked["id"]]["moved_to"] == moved["id"]
    assert by_id[booked["id"]]["patient_to_tell"] is False


async def test_moving_may_say_why_anew(sign_in, world, booked):
    bob, rolf = await sign_in("bob"), await sign_in("rolf")
    held = await rolf.hold(await bob.offer(world.schedules["bob"]))

    unknown = await act(rolf, booked, "move", hold_id=held["id"], reason="curiosity")
    answer = await act(rolf, booked, "move", hold_id=held["id"], reason="imaging", urgency="today")

    assert [error["field"] for error in unknown.json()["errors"]] == ["reason"]
    assert (answer.json()["reason"], answer.json()["urgency"]) == ("imaging", "today")


async def test_moving_into_a_territory_with_other_words_takes_its_nearest(
    sign_in, world, owner, booked
):
    for table, code in (("reason", "pain"), ("urgency", "within-24h")):
        await owner.execute(
            f"DELETE FROM {table} WHERE territory_id = $1 AND code = $2", world.thau, code
        )
    carl, rolf = await sign_in("carl"), await sign_in("rolf")
    slot = await carl.offer(world.schedules["carl"], audience=["CPTS", "PRO"])
    held = await rolf.hold(slot)

    answer = await act(rolf, booked, "move", hold_id=held["id"])

    assert answer.status_code == 200, answer.text
    assert (answer.json()["reason"], answer.json()["urgency"]) == ("other", "within-48h")


async def test_the_professional_sees_and_says_what_became_of_it(sign_in, world):
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    booked = await rolf.book(await ann.offer(world.schedules["ann"], hours=0.2))

    assert (await act(ann, booked, "seen")).json()["seen_at"] is not None
    assert (await act(ann, booked, "noshow")).json()["status"] == "noshow"
    assert (await act(ann, booked, "fulfil")).json()["status"] == "fulfilled"


@pytest.mark.parametrize("verb", ["fulfil", "noshow"])
async def test_nobody_says_hours_before_whether_the_patient_came(sign_in, booked, verb):
    ann = await sign_in("ann")

    assert problem(await act(ann, booked, verb)) == (409, "too-early")


@pytest.mark.parametrize("verb", ["seen", "fulfil", "noshow"])
async def test_only_the_professionals_side_may_say_so(sign_in, booked, verb):
    rolf = await sign_in("rolf")

    assert problem(await act(rolf, booked, verb)) == (403, "not-allowed")


@pytest.mark.parametrize("verb", ["cancel", "seen", "fulfil", "noshow", "patient-told"])
async def test_a_booking_of_others_does_not_exist(sign_in, booked, verb):
    carl = await sign_in("carl")

    assert problem(await act(carl, booked, verb)) == (404, "appointment-unknown")
    assert problem(await act(carl, {"id": uuid4()}, verb)) == (404, "appointment-unknown")


async def test_a_list_can_be_asked_for_wrongly(sign_in):
    ann = await sign_in("ann")

    for params in ({"side": "left"}, {"since": "yesterday"}, {"patient_to_tell": "maybe"}):
        assert problem(await ann.get(APPOINTMENTS, params=params)) == (422, "invalid")
