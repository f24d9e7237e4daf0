"""What the doctor found, one line each. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

LABEL_WIDTH: Final = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. *remedy* is what to do about it; None where all is well."""

    about: str
    words: str
    remedy: str | None = None

    @property
    def is_problem(self) -> bool:
        return self.remedy is not None

    def __str__(self) -> str:
        line = (
            f"{'PROBLEM' if self.is_problem else 'ok':<8}{self.about:<{LABEL_WIDTH}} {self.words}"
        )
        if self.remedy is None:
            return line
        return f"{line}\n{'':<{9 + LABEL_WIDTH}}→ {self.remedy}"


def skew(about: str, drift: timedelta, most: timedelta) -> Finding:
    """How far another machine's clock is from ours."""
    seconds = abs(drift.total_seconds())
    if abs(drift) > most:
        return Finding(
            about,
            f"its clock is {seconds:.0f} s away from this machine's",
            "run NTP on both: horizons, holds and mails would be early or late",
        )
    return Finding(about, f"its clock agrees with this machine's within {max(seconds, 0.1):.1f} s")
