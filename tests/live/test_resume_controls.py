"""The same stories with one guard taken away: the property must see it.

Each story is played twice, whole and broken, so that it is the missing guard that fails.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from slots import scripts
from slots.events import missed
from tests.live.resuming import RING_MAX, theatre_of
from web.live import feed, frames
from web.live.feed import Change

Patch = pytest.MonkeyPatch
ANN, OLGA, ROLF, CARL, RITA, CORA = range(6)  # the order of their screens
MUCH = [("note", which) for which in range(3 * RING_MAX)]
OTHERS_MAY_SEE = [("amend_audience", which) for which in range(0, 80, 5)]


@pytest.fixture
async def theatre(settings, world):
    async with theatre_of(settings, world) as theatre:
        yield theatre


def skips_are_not_sent(patch: Patch) -> None:
    another_word = frames.write(frames.Hello(""))
    patch.setattr(Change, "skip", lambda change: another_word)


def who_may_see_no_more_is_not_told(patch: Patch) -> None:
    patch.setattr(Change, "gone", Change.skip)


def positions_are_compared_by_order(patch: Patch) -> None:
    def later(after, log):
        return [event for event in log if number_of(event.at) > number_of(after)]

    patch.setattr(feed, "missed", later)


def number_of(at: str) -> tuple[int, ...]:
    return tuple(map(int, at.partition(".")[2].split("-")))


def a_trimmed_position_counts_as_known(patch: Patch) -> None:
    def all_there_is(after, log):
        found = missed(after, log)
        return log if found is None else found

    patch.setattr(feed, "missed", all_there_is)


def a_snapshot_does_not_settle_first(patch: Patch) -> None:
    whole = scripts.load("snapshot")
    text = whole.text.replace("if settle_all(limit, now)", "if settle_all(0, now)")
    assert text != whole.text
    script = scripts.parse("snapshot", "", text)
    load = scripts.load
    patch.setattr(
        scripts,
        "load",
        lambda name: replace(script, text=text) if name == "snapshot" else load(name),
    )


CONTROLS: list[tuple[Callable[[Patch], None], list[tuple[str, int]]]] = [
    (skips_are_not_sent, MUCH[:8]),
    (who_may_see_no_more_is_not_told, OTHERS_MAY_SEE),
    (
        # The clock of the next primary runs behind: its new entries have lower ids.
        positions_are_compared_by_order,
        [
            *(("run_ahead", 0), *MUCH[:8], ("agrees", 0), ("cut", ROLF)),
            *(("fail_over", 0), ("rebuild", 0), *MUCH[:8], ("agrees", 0)),
        ],
    ),
    (a_trimmed_position_counts_as_known, [("agrees", 0), ("cut", ROLF), *MUCH]),
    (
        a_snapshot_does_not_settle_first,
        [*(("hold", which) for which in range(8)), ("passes", 3), ("agrees", 0)],
    ),
]


@pytest.mark.parametrize("take_away, moves", CONTROLS)
async def test_without_its_guard_a_screen_lies(theatre, take_away, moves):
    await theatre.plays(moves)

    with pytest.MonkeyPatch.context() as patch:
        take_away(patch)
        with pytest.raises(AssertionError):
            await theatre.plays(moves)
