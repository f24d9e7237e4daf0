"""A desk and people who book, in a territory that keeps contacts beside one that does not."""

import pytest

from slots.desk import look_for_territories
from slots.patient_contact import PatientContact
from tests.booking.conftest import book, desk, hold, now, offer, world

__all__ = ["book", "desk", "hold", "now", "offer", "world"]

KEPT_H = 48
WHOM = PatientContact("Kanarienvogel J.", 1951, "06 12 34 56 78")


@pytest.fixture
async def on(owner, desk):
    """The first territory keeps contacts; the second does not."""
    await owner.execute("UPDATE territory SET contact_kept_h = $1 WHERE id = 1", KEPT_H)
    await look_for_territories(desk)


@pytest.fixture
def booked(world, offer, book):
    """A booking, of rolf's with ann unless said otherwise."""

    async def one(referrer="rolf", who="ann", **fields):
        return await book(world.accounts[referrer], await offer(who, **fields))

    return one
