"""The booking's people and desk, for histories of the whole service."""

from tests.booking.conftest import desk, now, offer, world
from tests.booking.test_races import under_the_lock, without_row_lock

__all__ = ["desk", "now", "offer", "under_the_lock", "without_row_lock", "world"]
