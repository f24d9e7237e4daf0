"""What clients asked of the service and what they heard, and when: the evidence of a fault run.

A recorder writes JSON lines, one before an operation and one after it, each flushed: whoever
records may be killed. Several processes of one machine record into a file each, on one clock.

| verb     | arguments                           | answer["word"], and facts                       |
|----------|-------------------------------------|-------------------------------------------------|
| offer    | capacity, audience                  | done                                            |
| hold     | account, hears (optional)           | done: hold, seat, until (on the history's clock) |
| renew    | account, hold                       | done: until                                     |
| release  | account, hold                       | done                                            |
| confirm  | account, hold                       | done: appointment, seat                         |
| cancel   | appointment                         | done                                            |
| withdraw | cancel_booked                       | done                                            |
| read     | source: broker (a board) or ledger  | done: free, held, booked; a ledger's: booked, withdrawn; absent |

A refusal's word is its code: `slot-taken`, `hold-expired`. A try and its repeats under the same
idempotency key are one operation, from the first call to the answer that was heard at last.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a client asked of one slot. *answer* None: nobody knows what became of it.

    It may then have taken effect at any instant after `called_at`, or never: a time-out, a
    cut connection, a 5xx. Instants are seconds of one monotonic clock.
    """

    client: str
    verb: str
    arguments: Mapping[str, Any]
    called_at: float
    returned_at: float | None = None
    answer: Mapping[str, Any] | None = None

    @property
    def word(self) -> str | None:
        """`done`, or the code of the refusal; None where the outcome is unknown."""
        return None if self.answer is None else self.answer["word"]

    def __str__(self) -> str:
        asked = _facts(self.arguments)
        if self.answer is None:
            return f"{self.called_at:.3f}–        {self.client}: {self.verb}{asked} → unknown"
        heard = _facts({name: fact for name, fact in self.answer.items() if name != "word"})
        when = f"{self.called_at:.3f}–{self.returned_at:.3f}"
        return f"{when} {self.client}: {self.verb}{asked} → {self.word}{heard}"


@dataclass(frozen=True, slots=True)
class Loss:
    """At some instant of this span Redis may have lost what it had acknowledged after *back_to*.

    None: it lost everything (a flush). A failover or an older file undoes only what came later.
    """

    since: float
    until: float
    back_to: float | None = None


@dataclass(slots=True)
class History:
    """What was asked of each slot, and when Redis lost data."""

    slots: dict[str, list[Operation]] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)


class Recorder:
    """Writes a history while it happens."""

    def __init__(self, path: Path) -> None:
        """Add to *path*, which is this process's own."""
        self.file = path.open("a", encoding="utf-8")
        self.number = 0

    def called(
        self, client: str, verb: str, slot: str | None, *, as_of_s: float = 0.0, **arguments: Any
    ) -> int:
        """An operation begins. Returns its number, for `returned`; without that it is unknown.

        *slot*: None where only the answer will name it. *as_of_s*: how old a view a read may be.
        """
        self.number += 1
        called_at = time.monotonic() - as_of_s
        self._write(
            number=self.number,
            client=client,
            verb=verb,
            slot=slot,
            arguments=arguments,
            called_at=called_at,
        )
        return self.number

    def returned(self, number: int, word: str, *, slot: str | None = None, **facts: Any) -> None:
        """Its answer was heard."""
        answer = {"word": word, **facts}
        self._write(number=number, slot=slot, returned_at=time.monotonic(), answer=answer)

    def lost(self, since: float, until: float, back_to: float | None = None) -> None:
        """Redis lost data between these instants of `time.monotonic()`: see `Loss`."""
        self._write(since=since, until=until, back_to=back_to)

    def instant(self, at: datetime) -> float:
        """A wall-clock instant (`expires_at`) on the history's clock."""
        return time.monotonic() + (at - datetime.now(UTC)).total_seconds()

    def close(self) -> None:
        """Nothing more comes from this process."""
        self.file.close()

    def _write(self, **line: Any) -> None:
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()


def read(paths: Iterable[Path]) -> History:
    """The history that these files hold together. A last line cut short by a kill is left out."""
    history = History(defaultdict(list))
    for path in paths:
        operations: dict[int, dict[str, Any]] = {}
        for line in _lines(path):
            if "since" in line:
                history.losses.append(Loss(**line))
            else:
                known = operations.setdefault(line["number"], {})
                known |= {name: value for name, value in line.items() if value is not None}
        for known in operations.values():
            known.pop("number")
            if slot := known.pop("slot", None):
                history.slots[slot].append(Operation(**known))
    for one in history.slots.values():
        one.sort(key=lambda operation: operation.called_at)
    return history


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _facts(facts: Mapping[str, Any]) -> str:
    return "".join(f" {name}={value}" for name, value in facts.items())
