"""Identifiers of the health professions. Pure."""

import re


def luhn_holds(digits: str) -> bool:
    """Whether the last digit is the Luhn check of the others."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def rpps_in(typed: str) -> str:
    """The eleven digits of an RPPS, without spaces and the 8 of the national person id.

    Raises:
        ValueError: It is none.
    """
    digits = re.sub(r"[ .\u00a0\u202f]", "", typed)
    if re.fullmatch(r"8[0-9]{11}", digits):
        digits = digits[1:]
    if digits and not re.fullmatch(r"[0-9]{11}", digits):
        raise ValueError(f"{typed!r} is not 11 digits")
    return digits


def finess_is_doubtful(code: str) -> bool:
    """Whether the check digit of a FINESS number fails. One with letters, of Corsica, has none here."""
    return code.isascii() and code.isdigit() and not luhn_holds(code)
