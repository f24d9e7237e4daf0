"""One line of the result: what was found, what was wanted."""

import statistics
from dataclasses import dataclass

ROUNDS = 5  # interleaved, so that the machine's other work falls on both sides alike


@dataclass(frozen=True)
class Row:
    what: str
    found: float
    goal: str
    passed: bool
    detail: str

    def __str__(self) -> str:
        word = "PASS" if self.passed else "MISS"
        return f"{word}  {self.what}: {self.found} ({self.goal}; {self.detail})"


def ratio(what: str, ours: list[float], theirs: list[float], goal: float) -> Row:
    """Ours over theirs, both a rate per second and round, at least *goal*.

    The median of the rounds' own ratios: what slows the machine for seconds slows both sides of
    a round.
    """
    found = statistics.median(mine / bare for mine, bare in zip(ours, theirs, strict=True))
    detail = f"{statistics.median(ours):.0f}/s against {statistics.median(theirs):.0f}/s"
    return Row(what, round(found, 3), f">= {goal}", found >= goal, detail)


def at_most(what: str, found: float, goal: float, unit: str, detail: str) -> Row:
    """A figure that must not be above *goal*."""
    return Row(what, round(found, 2), f"<= {goal} {unit}", found <= goal, detail)


def reported(what: str, found: float, unit: str, detail: str) -> Row:
    """A figure without a goal."""
    return Row(what, round(found, 2), f"reported, {unit}", passed=True, detail=detail)
