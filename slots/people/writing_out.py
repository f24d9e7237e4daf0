"""Lines of the table of people, as a file that a spreadsheet opens and `read` reads again. Pure."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from slots.people.columns import HEADINGS, ORGANISATION_KINDS, PROFESSIONS, ROLES
from slots.people.table import Line
from slots.spreadsheet import BYTE_ORDER_MARK, harmless

# A file of one territory needs no word of which.
COLUMNS: Final = tuple(column for column in HEADINGS if column != "territory")
WRITERS: Final[Mapping[str, Callable[[Any], str]]] = MappingProxyType(
    {
        "role": lambda roles: _several(ROLES[role] for role in roles),
        "profession": lambda code: PROFESSIONS.get(code, code),
        "organisation_kind": lambda kind: ORGANISATION_KINDS.get(kind, kind),
        "audience": lambda words: _several(word.value for word in words),
    }
)


def written(lines: Iterable[Line]) -> bytes:
    """The lines under French headings. Reading it gives the same lines again."""
    table = io.StringIO()
    writer = csv.writer(table, delimiter=";", lineterminator="\r\n")
    writer.writerow([HEADINGS[column] for column in COLUMNS])
    for line in lines:
        writer.writerow([harmless(_cell(line, column)) for column in COLUMNS])
    return (BYTE_ORDER_MARK + table.getvalue()).encode()


def _cell(line: Line, column: str) -> str:
    value = getattr(line, column)
    if column in WRITERS:
        return WRITERS[column](value)
    match value:
        case None:
            return ""
        case True:
            return "oui"
        case False:
            return "non"
        case tuple():
            return _several(value)
        case float():
            plain = repr(value)
            return f"{value:.7f}" if "e" in plain else plain
    return str(value)


def _several(words: Iterable[str]) -> str:
    return " + ".join(words)
