"""What the directory may say of somebody's free places: four answers that are never mixed up. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

PUBLISHES_WITHIN: Final = timedelta(days=30)  # who offered nothing for so long does not publish


class Publishing(StrEnum):
    """Whether there is a place now, or none, or why one cannot say."""

    FREE = "free"  # places that can be booked now
    NONE = "none"  # publishes, and has no free place at this moment
    SILENT = "silent"  # could publish, and does not
    UNKNOWN = "unknown"  # nobody here can say


@dataclass(frozen=True, slots=True)
class Offers:
    """What is known of one schedule's offers, to the one who asks.

    *free*: seats on the live board. *to_viewer*, *to_anybody*: whether something was offered within
    PUBLISHES_WITHIN to the audiences of the one who asks, or to others only.
    """

    free: int = 0
    next_at: datetime | None = None
    to_viewer: bool = False
    to_anybody: bool = False
    has_account: bool = False

    def publishing(self, *, holds_are_known: bool) -> Publishing:
        """The one answer. Without the live holds, a place that looks free may be taken."""
        if self.free:
            return Publishing.FREE if holds_are_known else Publishing.UNKNOWN
        if self.to_viewer:
            return Publishing.NONE
        if self.to_anybody or not self.has_account:
            return Publishing.UNKNOWN
        return Publishing.SILENT
