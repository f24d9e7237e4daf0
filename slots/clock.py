"""The one clock of a process. In service it is the machine's; a test's composition moves it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from slots.times import to_ms


@dataclass(frozen=True, slots=True)
class Clock:
    """*ahead*: how far it is ahead of the machine's. None: not at all, and Redis has its own."""

    ahead: timedelta | None = None

    def now(self) -> datetime:
        """This instant."""
        return datetime.now(UTC) + (self.ahead or timedelta())

    @property
    def script_ms(self) -> str:
        """What scripts take as the time, in ms; empty where they ask the server's clock."""
        return "" if self.ahead is None else str(to_ms(self.now()))


MACHINES_CLOCK: Final = Clock()
