"""What may stand in a cell of the people table: each function reads one, or says why not. Pure.

They raise `CellWrong`, for whoever mends the file. An empty cell is "" or None.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from slots.audience import Audience, Role
from slots.mail_address import is_mail_address
from slots.numbers import rpps_in
from slots.people.columns import ROLES, folded
from slots.people.findings import CellWrong, Wrong

FINESS_LENGTH: Final = 9
SEPARATOR: Final = re.compile(r"[+|]")
YES, NO = ("yes", "oui", "1", "true"), ("no", "non", "0", "false")


def email(cell: str) -> str:
    """An address, in lower case."""
    if cell and not is_mail_address(cell):
        raise CellWrong(Wrong.NOT_AN_ADDRESS)
    return cell.lower()


def rpps(cell: str) -> str:
    """Eleven digits; spaces and the 8 of the national person id are taken away."""
    try:
        return rpps_in(cell)
    except ValueError as error:
        # What a spreadsheet makes of a long number, where the column is not text.
        wrong = Wrong.ROUNDED if "E" in cell.upper() else Wrong.NOT_AN_RPPS
        raise CellWrong(wrong) from error


def finess(cell: str) -> str:
    """Nine letters and digits."""
    code = re.sub(r"\s", "", cell).upper()
    if code and not re.fullmatch(r"[0-9A-Z]{9}", code):
        raise CellWrong(Wrong.NOT_A_FINESS)
    return code


def number(cell: str) -> str:
    """An RPPS or a FINESS number."""
    code = re.sub(r"\s", "", cell)
    return finess(code) if len(code) == FINESS_LENGTH else rpps(code)


def insee(cell: str) -> str:
    """The code of a commune."""
    code = cell.upper()
    if code and not re.fullmatch(r"[0-9][0-9AB][0-9]{3}", code):
        raise CellWrong(Wrong.NOT_AN_INSEE_CODE)
    return code


def specialty(cell: str) -> str:
    """A code of TRE_R38."""
    if cell and not re.fullmatch(r"[A-Z]{1,4}[0-9]{1,4}", cell.upper()):
        raise CellWrong(Wrong.NOT_A_SPECIALTY)
    return cell.upper()


def phone(cell: str) -> str:
    """A telephone number as it was written."""
    if cell and len(re.findall(r"[0-9]", cell)) < 4:
        raise CellWrong(Wrong.NOT_A_PHONE)
    return cell


def language(cell: str) -> str:
    """An ISO 639 code in lower case."""
    if cell and not re.fullmatch(r"[A-Za-z]{2,3}", cell):
        raise CellWrong(Wrong.NOT_A_LANGUAGE)
    return cell.lower()


def at_most(characters: int) -> Callable[[str], str]:
    """A text of so many characters."""

    def parse(cell: str) -> str:
        if len(cell) > characters:
            raise CellWrong(Wrong.TOO_LONG, str(characters))
        return cell

    return parse


def one_of(words: Mapping[str, str]) -> Callable[[str], str]:
    """One of *words*, by its code or by its name; or nothing."""
    codes = {folded(name): code for code, name in words.items()} | {
        folded(code): code for code in words
    }

    def parse(cell: str) -> str:
        if cell and folded(cell) not in codes:
            names = ", ".join(f"{code} ({name})" for code, name in words.items())
            raise CellWrong(Wrong.NOT_ONE_OF, names)
        return codes[folded(cell)] if cell else ""

    return parse


def several(parse: Callable[[str], Any] = str) -> Callable[[str], tuple[Any, ...]]:
    """Words apart by + or |, each once."""

    def parse_all(cell: str) -> tuple[Any, ...]:
        words = [word.strip() for word in SEPARATOR.split(cell)]
        return tuple(dict.fromkeys(parse(word) for word in words if word))

    return parse_all


def role(cell: str) -> Role:
    """A role, in English or in French."""
    for word, name in ROLES.items():
        if folded(cell) in (folded(word), folded(name)):
            return word
    names = ", ".join(f"{word} ({name})" for word, name in ROLES.items())
    raise CellWrong(Wrong.NOT_ONE_OF, names)


def audience(cell: str) -> Audience:
    """An audience, in upper or lower case."""
    for word in Audience:
        if word.value.lower() == cell.lower():
            return word
    raise CellWrong(Wrong.NOT_ONE_OF, ", ".join(Audience))


def whole(least: int, most: int) -> Callable[[str], int | None]:
    """A whole number within bounds, or None."""

    def parse(cell: str) -> int | None:
        if not cell:
            return None
        if not (cell.isascii() and cell.isdigit() and least <= int(cell) <= most):
            raise CellWrong(Wrong.NOT_WITHIN, f"{least}–{most}")
        return int(cell)

    return parse


def degrees(most: float) -> Callable[[str], float | None]:
    """Decimal degrees, or None. A decimal comma will do."""

    def parse(cell: str) -> float | None:
        if not cell:
            return None
        if not re.fullmatch(r"-?[0-9]{1,3}([.,][0-9]+)?", cell):
            raise CellWrong(Wrong.NOT_DEGREES)
        value = float(cell.replace(",", "."))
        if abs(value) > most:
            raise CellWrong(Wrong.NOT_DEGREES)
        return value

    return parse


def yes_or_no(cell: str) -> bool | None:
    """Yes or no in French or English, or None."""
    if cell and cell.lower() not in (*YES, *NO):
        raise CellWrong(Wrong.NEITHER_YES_NOR_NO)
    return cell.lower() in YES if cell else None
