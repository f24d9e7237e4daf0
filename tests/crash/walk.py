"""The walk: one use case, and a death before and after each statement that it sends.

The points are found by a recorded run. Nothing but PostgreSQL, Redis and the mails that left
outlives a process, so deaths that leave the same behind are judged once: on a copy where the
client comes back at once, and on one where it finds the workers done.
"""

from dataclasses import dataclass, field
from itertools import product

from tests.crash import child
from tests.crash.cases import Case
from tests.crash.child import Lived, Sabotage
from tests.crash.ground import Ground
from tests.crash.judge import Wrong, left_behind, survived
from tests.crash.process import Request
from tests.crash.stage import Stage, staged
from tests.crash.state import State
from tests.crash.tracer import Death, When
from tests.crash.verdict import Ends, ends_of

WHEN: tuple[When, ...] = ("before", "after")
WRONG_MAX = 3  # enough to understand; a control is content with one


@dataclass
class Walk:
    """What was walked, and what was found wrong on the way."""

    statements: list[str]
    deaths: int = 0
    wrong: list[str] = field(default_factory=list)
    judged: set[State] = field(default_factory=set)


async def walk(
    ground: Ground, case: Case, sabotage: Sabotage | None = None, wrong_max: int = WRONG_MAX
) -> Walk:
    """Go through *case*; *sabotage* takes away a guard of the processes that die."""
    async with staged(ground, case) as stage:
        went = Walk(await _recorded(stage, sabotage))
        ends = await ends_of(stage)
        for number, when in product(range(1, len(went.statements) + 1), WHEN):
            await _die(stage, ends, Death(when, number), went, sabotage)
            if len(went.wrong) >= wrong_max:
                break
        return went


async def _recorded(stage: Stage, sabotage: Sabotage | None) -> list[str]:
    async with stage.again(stage.start) as settings:
        lived = await child.run(settings, stage.moment.deed, None, sabotage)
    assert isinstance(lived, Lived)
    return lived.statements


async def _die(
    stage: Stage, ends: Ends, death: Death, went: Walk, sabotage: Sabotage | None
) -> None:
    statement = went.statements[death.number - 1]
    async with stage.again(stage.start) as settings:
        died_at = await child.run(settings, stage.moment.deed, death, sabotage)
        assert died_at == statement, f"{died_at} is not what was recorded: {statement}"
        went.deaths += 1
        left = await left_behind(stage, settings)
        if left in went.judged:
            return
        went.judged.add(left)
        remains = await stage.ground.remains(settings)
        for at_once in (True, False) if isinstance(stage.moment.deed, Request) else (True,):
            try:
                ends.allow(await survived(stage, remains, at_once=at_once))
            except Wrong as wrong:
                who = "the client" if at_once else "the workers"
                went.wrong.append(
                    f"{death.when} {statement} ({death.number}), {who} first: {wrong}"
                )
