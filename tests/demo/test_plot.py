"""The plot of a day: the same for a seed, in opening hours, ahead of now."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from slots.times import PARIS
from workers.demo import plot
from workers.demo.day import LEAST
from workers.demo.plot import Scene

# Before each change of the clocks, and on a plain day.
NOWS = [
    datetime(2026, 10, 24, 9, 0, tzinfo=UTC),
    datetime(2027, 3, 27, 22, 0, tzinfo=UTC),
    datetime(2026, 11, 22, 1, 30, tzinfo=UTC),
]


def test_a_seed_makes_the_same_day():
    assert plot.plot(random.Random(7)) == plot.plot(random.Random(7))
    assert plot.plot(random.Random(7)) != plot.plot(random.Random(8))


def test_a_day_plans_more_than_the_least_of_each():
    planned = [moment.scene for moment in plot.plot(random.Random(1))]

    for name, (least, scene) in LEAST.items():
        # An offer is of one to three places.
        assert planned.count(scene) * (1.5 if scene is Scene.OFFER else 1) > least, name


@pytest.mark.parametrize("now", NOWS)
def test_what_is_offered_lies_ahead_in_opening_hours(now):
    chance = random.Random(3)

    for _ in range(300):
        slot = plot.offer(chance, "schedule", now, visits=True)
        start, end = (datetime.fromisoformat(slot[name]) for name in ("starts_at", "ends_at"))
        assert now < start < end <= now + timedelta(days=14)
        assert start.astimezone(PARIS).hour >= plot.OPENS
        assert end.astimezone(PARIS).hour <= plot.CLOSES
        assert (slot.get("modality") == "HH") == ("area" in slot)
