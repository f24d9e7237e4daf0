"""Days and hours as they are said in France, on its wall clock: for pages and mails alike. Pure.

Typography: a no-break space inside hours and between day and month.
"""

from datetime import date, datetime, time
from typing import Final

from slots.times import PARIS

NBSP: Final = "\u00a0"
NARROW_NBSP: Final = "\u202f"

DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS: Final = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


def on_the_wall(at: time) -> str:
    """`17 h 30`, `18 h`."""
    return f"{at.hour}{NBSP}h" + (f"{NBSP}{at.minute:02}" if at.minute else "")


def hour(instant: datetime) -> str:
    """`17 h 30`; in the hour that exists twice, which of both."""
    local = instant.astimezone(PARIS)
    said = on_the_wall(local.time())
    if local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
        said += " (heure d’hiver)" if local.fold else " (heure d’été)"
    return said


def day(when: date | datetime, *, year: bool = True) -> str:
    """`jeudi 26 novembre 2026`, `dimanche 1er novembre 2026`."""
    if isinstance(when, datetime):
        when = when.astimezone(PARIS).date()
    number = "1er" if when.day == 1 else str(when.day)
    said = f"{DAYS[when.weekday()]} {number}{NBSP}{MONTHS[when.month - 1]}"
    return f"{said} {when.year}" if year else said


def day_and_hour(instant: datetime) -> str:
    """`jeudi 26 novembre 2026 à 17 h 30`."""
    return f"{day(instant)} à {hour(instant)}"
