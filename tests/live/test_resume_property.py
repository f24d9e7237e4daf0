"""For any cut, at any moment, last snapshot + events received = a fresh snapshot, for everybody."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.live.resuming import VERBS, theatre_of

MOVES = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 999)), min_size=40, max_size=120)
STORIES = settings(
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def theatre(settings, world):
    async with theatre_of(settings, world) as theatre:
        yield theatre


@settings(STORIES, max_examples=12)
@given(moves=MOVES)
async def test_whoever_comes_back_sees_what_a_fresh_page_shows(theatre, moves):
    await theatre.plays(moves)


@pytest.mark.prove
@pytest.mark.timeout(300)
@settings(STORIES, max_examples=80)
@given(moves=MOVES)
async def test_whoever_comes_back_sees_what_a_fresh_page_shows_in_many_stories(theatre, moves):
    await theatre.plays(moves)
