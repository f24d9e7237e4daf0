"""What is asked of a run, and what it found: a table of lines that pass or fail. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.faults import KINDS

OPERATIONS_MIN = 5_000  # commands whose outcome was heard
CONFIRMS_MIN = 500
CANARIES_MIN = 200
FRAMES_MIN = 5_000
HEALS_WITHIN_S = 30.0  # after any kind of fault, or two at once
PLACES_OF_CANARIES = ("redis", "aof", "log", "mail", "frame")
SHOWN_MAX = 3  # examples under a line
EXAMPLE_LENGTH_MAX = 200


@dataclass
class Evidence:
    """What a run leaves behind. Lists name what is wrong, each in one line."""

    seed: int
    seconds: float
    operations: int = 0
    confirms: int = 0
    frames: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)  # by kind
    healed_s: Mapping[str, float] = field(default_factory=dict)  # by kind, the longest
    double_bookings: Sequence[str] = ()
    lost: Sequence[str] = ()  # confirmed, and not in PostgreSQL
    violations: Sequence[str] = ()  # of linearizability
    holes: Sequence[str] = ()  # or duplicates, on a socket
    differing: Sequence[str] = ()  # boards at the end, from a fresh one and from the ledger
    nonsense: Sequence[str] = ()  # answers and log lines that no fault explains
    canaries_sent: int = 0
    canaries: Sequence[str] = ()  # found
    planted: Iterable[str] = ()  # places where the search found what was put there for it


@dataclass(frozen=True)
class Line:
    what: str
    found: str
    wanted: str
    passed: bool
    examples: Sequence[str] = ()


def verdict(evidence: Evidence, kinds: Iterable[str] = tuple(map(str, KINDS))) -> list[Line]:
    """Every line, in the order in which one reads them."""
    return [
        _at_least("operations", evidence.operations, OPERATIONS_MIN),
        _at_least("confirms", evidence.confirms, CONFIRMS_MIN),
        _at_least("frames", evidence.frames, FRAMES_MIN),
        _each_kind(evidence, kinds),
        _none("double bookings", evidence.double_bookings),
        _none("confirmed and lost", evidence.lost),
        _none("linearizability violations", evidence.violations),
        _none("holes or duplicates on sockets", evidence.holes),
        _none("boards that differ at the end", evidence.differing),
        _none("answers and logs that no fault explains", evidence.nonsense),
        _at_least("canaries sent", evidence.canaries_sent, CANARIES_MIN),
        _none("canaries found", evidence.canaries),
        _planted(evidence),
        *_healing(evidence),
    ]


def shown(evidence: Evidence, lines: Sequence[Line]) -> str:
    """The table."""
    width = max(len(line.what) for line in lines)
    rows = []
    for line in lines:
        word = "PASS" if line.passed else "FAIL"
        rows.append(f"{word}  {line.what:<{width}}  {line.found:>8}  {line.wanted}")
        rows += [f"      {_short(example)}" for example in line.examples[:SHOWN_MAX]]
        if len(line.examples) > SHOWN_MAX:
            rows.append(f"      … and {len(line.examples) - SHOWN_MAX} more")
    word = "PASS" if all(line.passed for line in lines) else "FAIL"
    rows.append(f"{word}  seed {evidence.seed}, {evidence.seconds:.0f} s")
    return "\n".join(rows)


def _short(example: str) -> str:
    """Its first line; the file has all of them."""
    return example.partition("\n")[0][:EXAMPLE_LENGTH_MAX]


def as_json(evidence: Evidence, lines: Sequence[Line]) -> dict[str, Any]:
    """The same, whole, for a file."""
    rows = [
        {
            "what": line.what,
            "found": line.found,
            "wanted": line.wanted,
            "pass": line.passed,
            "examples": list(line.examples),
        }
        for line in lines
    ]
    return {"seed": evidence.seed, "seconds": evidence.seconds, "lines": rows}


def _at_least(what: str, found: int, least: int) -> Line:
    return Line(what, f"{found:,}", f">= {least:,}", found >= least)


def _none(what: str, wrong: Sequence[str]) -> Line:
    return Line(what, str(len(wrong)), "0", not wrong, wrong)


def _each_kind(evidence: Evidence, kinds: Iterable[str]) -> Line:
    missing = [f"never: {kind}" for kind in kinds if not evidence.faults.get(kind)]
    found = sum(evidence.faults.values())
    return Line("faults, each kind at least once", str(found), "each >= 1", not missing, missing)


def _planted(evidence: Evidence) -> Line:
    missing = sorted(set(PLACES_OF_CANARIES) - set(evidence.planted))
    found = len(PLACES_OF_CANARIES) - len(missing)
    examples = [f"a canary put there was not found: {place}" for place in missing]
    what = "planted canaries that the search finds"
    return Line(what, str(found), str(len(PLACES_OF_CANARIES)), not missing, examples)


def _healing(evidence: Evidence) -> list[Line]:
    return [
        Line(
            f"healed after {kind}",
            f"{seconds:.1f} s",
            f"<= {HEALS_WITHIN_S:.0f} s",
            seconds <= HEALS_WITHIN_S,
        )
        for kind, seconds in sorted(evidence.healed_s.items())
    ]
