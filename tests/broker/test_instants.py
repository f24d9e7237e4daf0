"""The scripts write instants by arithmetic of their own: the sandbox has no calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from slots import scripts
from slots.times import from_ms, to_ms
from tests.broker.stage import Stage

PROBE = (
    (scripts.LUA_DIRECTORY / "_common.lua").read_text()
    + """
local texts = {}
for number, ms in ipairs(ARGV) do texts[number] = rfc3339(tonumber(ms)) end
return texts
"""
)
CALENDAR_END_MS = to_ms(datetime(2400, 12, 31, tzinfo=UTC))


async def written(stage: Stage, *milliseconds: int) -> list[str]:
    return [text.decode() for text in await stage.tap.redis.eval(PROBE, 0, *milliseconds)]


def expected(milliseconds: int) -> str:
    return from_ms(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01T00:00:00.000Z"),
        (datetime(2027, 2, 28, 23, 59, 59, 999_000, UTC), "2027-02-28T23:59:59.999Z"),
        (datetime(2027, 3, 1, tzinfo=UTC), "2027-03-01T00:00:00.000Z"),
        (datetime(2028, 2, 29, 12, 0, tzinfo=UTC), "2028-02-29T12:00:00.000Z"),
        (datetime(2100, 2, 28, 23, 59, 59, tzinfo=UTC), "2100-02-28T23:59:59.000Z"),
        (datetime(2100, 3, 1, tzinfo=UTC), "2100-03-01T00:00:00.000Z"),
        (datetime(2400, 2, 29, tzinfo=UTC), "2400-02-29T00:00:00.000Z"),
        (datetime(2026, 12, 31, 23, 59, 59, 1_000, UTC), "2026-12-31T23:59:59.001Z"),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), "2026-10-25T01:00:00.000Z"),
    ],
)
async def test_the_borders_of_months_and_leap_years_are_right(empty_stage: Stage, instant, text):
    assert await written(empty_stage, to_ms(instant)) == [text]


async def test_every_day_of_five_years_is_right(empty_stage: Stage):
    first = to_ms(datetime(2026, 1, 1, 6, 7, 8, 9_000, UTC))
    days = [first + day * 86_400_000 for day in range(5 * 366)]

    assert await written(empty_stage, *days) == [expected(day) for day in days]


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(milliseconds=st.integers(0, CALENDAR_END_MS))
@example(milliseconds=CALENDAR_END_MS)
@example(milliseconds=10_566_188_562_484)  # a float of seconds would lose it
async def test_any_instant_of_the_calendar_is_what_python_says(
    empty_stage: Stage, milliseconds: int
):
    assert await written(empty_stage, milliseconds) == [expected(milliseconds)]


async def test_held_until_is_the_deadline_that_the_holder_was_told(stage: Stage):
    for now in (
        datetime(2027, 2, 28, 23, 58, 30, 7_000, UTC),
        datetime(2028, 2, 28, 23, 58, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 58, tzinfo=UTC),
        datetime(2028, 12, 31, 23, 58, tzinfo=UTC),
    ):
        stage.at(now)
        slot = await stage.offer(starts_at=now + timedelta(hours=1))
        hold = await stage.hold(slot)

        assert (await stage.document(slot)).held_until == hold.expires_at
