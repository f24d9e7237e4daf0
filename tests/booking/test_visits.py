"""The address of a visit at home: told by phone, and ticked by who goes there; nothing else."""

import pytest

from slots.booking import appointments, confirming
from slots.errors import AppointmentEnded, AppointmentUnknown, NotAllowed
from tests.booking.conftest import CHOICE, a_key


@pytest.fixture
def book(desk, world, offer, hold, now):
    async def one(**fields):
        slot = await offer("nina", **fields)
        rolf = world.accounts["rolf"]
        held = await hold(rolf, slot)
        return await confirming.confirm(desk, rolf, held.id, CHOICE, a_key(), now)

    return one


AT_HOME = {"modality": "HH", "area": {"radius_km": 20}}


async def test_it_is_ticked_once_and_means_that_the_booking_was_seen(desk, world, book, now):
    nina, booked = world.accounts["nina"], await book(**AT_HOME)

    first = await appointments.address_told(desk, nina, booked.id, a_key(), now)
    again = await appointments.address_told(desk, nina, booked.id, a_key(), now.replace(year=2099))

    assert first.address_told_at == first.seen_at == now
    assert again.address_told_at == now


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("rolf", NotAllowed), ("ann", AppointmentUnknown), ("cora", AppointmentUnknown)],
)
async def test_nobody_else_ticks_it(desk, world, book, now, who, refusal):
    booked = await book(**AT_HOME)

    with pytest.raises(refusal):
        await appointments.address_told(desk, world.accounts[who], booked.id, a_key(), now)


async def test_only_a_visit_has_an_address(desk, world, book, now):
    booked = await book()

    with pytest.raises(NotAllowed):
        await appointments.address_told(desk, world.accounts["nina"], booked.id, a_key(), now)


async def test_a_cancelled_visit_goes_nowhere(desk, world, book, now):
    nina, booked = world.accounts["nina"], await book(**AT_HOME)
    await appointments.cancel(desk, nina, booked.id, a_key(), now)

    with pytest.raises(AppointmentEnded):
        await appointments.address_told(desk, nina, booked.id, a_key(), now)
