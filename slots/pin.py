"""The PIN that opens a PC that has locked: six digits, for one's own session there and nothing else. Pure.

Five guesses of a million end the session; so the few that everybody would guess first are refused.
"""

import re
from collections.abc import Iterable
from typing import Final

DIGITS: Final = 6
TRIES_MAX: Final = 5  # wrong ones in a row, for one session
PIN: Final = re.compile(rf"[0-9]{{{DIGITS}}}")
YEAR: Final = re.compile(r"(19|20)[0-9]{2}")
RISING: Final = "01234567890"
FALLING: Final = RISING[::-1]
FORMAT: Final = "Six chiffres sont attendus."
TRIVIAL: Final = "Ce code est trop facile à deviner\xa0: choisissez-en un autre."


def fault_of(pin: str, known: Iterable[str] = ()) -> str | None:
    """Why this cannot be somebody's PIN, in French; None where it can.

    known: numbers that others know of them, such as their phone's.
    """
    if not PIN.fullmatch(pin):
        return FORMAT
    return TRIVIAL if _is_trivial(pin) or any(pin in _digits(number) for number in known) else None


def _is_trivial(pin: str) -> bool:
    is_row = pin in RISING or pin in FALLING
    repeats = any(pin == pin[:length] * (DIGITS // length) for length in (1, 2, 3))
    has_year = YEAR.match(pin) is not None or YEAR.match(pin[2:]) is not None
    return is_row or repeats or has_year


def _digits(number: str) -> str:
    """Numbers are kept as they were typed, with spaces and dots."""
    return "".join(sign for sign in number if sign.isdigit())
