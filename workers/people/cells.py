"""What may stand in a cell of the people table: each function reads one, or says why not. Pure.

They raise ValueError with words for whoever mends the file. An empty cell is "" or None.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from slots.audience import Audience, Role
from slots.mail_address import is_mail_address
from slots.numbers import rpps_in

FINESS_LENGTH: Final = 9
SEPARATOR: Final = re.compile(r"[+|]")
YES, NO = ("yes", "oui", "1", "true"), ("no", "non", "0", "false")


def email(cell: str) -> str:
    """An address, in lower case."""
    if cell and not is_mail_address(cell):
        raise ValueError(f"{cell!r} is not an address")
    return cell.lower()


def rpps(cell: str) -> str:
    """Eleven digits; spaces and the 8 of the national person id are taken away."""
    try:
        return rpps_in(cell)
    except ValueError as error:
        odd = "; a spreadsheet rounded it: make the column text" if "E" in cell.upper() else ""
        raise ValueError(f"{error}{odd}") from error


def finess(cell: str) -> str:
    """Nine letters and digits."""
    code = re.sub(r"\s", "", cell).upper()
    if code and not re.fullmatch(r"[0-9A-Z]{9}", code):
        raise ValueError(f"{cell!r} is not 9 letters and digits")
    return code


def number(cell: str) -> str:
    """An RPPS or a FINESS number."""
    code = re.sub(r"\s", "", cell)
    return finess(code) if len(code) == FINESS_LENGTH else rpps(code)


def insee(cell: str) -> str:
    """The code of a commune."""
    code = cell.upper()
    if code and not re.fullmatch(r"[0-9][0-9AB][0-9]{3}", code):
        raise ValueError(f"{cell!r} is not an INSEE code")
    return code


def specialty(cell: str) -> str:
    """A code of TRE_R38."""
    if cell and not re.fullmatch(r"[A-Z]{1,4}[0-9]{1,4}", cell.upper()):
        raise ValueError(f"{cell!r} is not a code such as SM54")
    return cell.upper()


def phone(cell: str) -> str:
    """A telephone number as it was written."""
    if cell and len(re.findall(r"[0-9]", cell)) < 4:
        raise ValueError(f"{cell!r} is not a telephone number")
    return cell


def language(cell: str) -> str:
    """An ISO 639 code in lower case."""
    if cell and not re.fullmatch(r"[A-Za-z]{2,3}", cell):
        raise ValueError(f"{cell!r} is not a language code such as fr")
    return cell.lower()


def at_most(characters: int) -> Callable[[str], str]:
    """A text of so many characters."""

    def parse(cell: str) -> str:
        if len(cell) > characters:
            raise ValueError(f"{len(cell)} characters, more than {characters}")
        return cell

    return parse


def one_of(words: Any) -> Callable[[str], str]:
    """One of *words*, or nothing."""

    def parse(cell: str) -> str:
        if cell and cell not in words:
            raise ValueError(f"{cell!r} is none of {', '.join(words)}")
        return cell

    return parse


def several(parse: Callable[[str], Any] = str) -> Callable[[str], tuple[Any, ...]]:
    """Words apart by + or |, each once."""

    def parse_all(cell: str) -> tuple[Any, ...]:
        words = [word.strip() for word in SEPARATOR.split(cell)]
        return tuple(dict.fromkeys(parse(word) for word in words if word))

    return parse_all


def member_of(words: type[Role | Audience]) -> Callable[[str], Role | Audience]:
    """A member of an enumeration, in upper or lower case."""

    def parse(cell: str) -> Role | Audience:
        for word in words:
            if word.value.lower() == cell.lower():
                return word
        raise ValueError(f"{cell!r} is none of {', '.join(words)}")

    return parse


def whole(least: int, most: int) -> Callable[[str], int | None]:
    """A whole number within bounds, or None."""

    def parse(cell: str) -> int | None:
        if not cell:
            return None
        if not (cell.isascii() and cell.isdigit() and least <= int(cell) <= most):
            raise ValueError(f"{cell!r} is not a number from {least} to {most}")
        return int(cell)

    return parse


def degrees(most: float) -> Callable[[str], float | None]:
    """Decimal degrees, or None. A decimal comma will do."""

    def parse(cell: str) -> float | None:
        if not cell:
            return None
        if not re.fullmatch(r"-?[0-9]{1,3}([.,][0-9]+)?", cell):
            raise ValueError(f"{cell!r} is not degrees, such as 43.61266")
        value = float(cell.replace(",", "."))
        if abs(value) > most:
            raise ValueError(f"{cell!r} is beyond {most:.0f} degrees")
        return value

    return parse


def yes_or_no(cell: str) -> bool | None:
    """Yes or no in French or English, or None."""
    if cell and cell.lower() not in (*YES, *NO):
        raise ValueError(f"{cell!r} is neither yes nor no")
    return cell.lower() in YES if cell else None
