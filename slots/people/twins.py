"""Entries that bear one name, and may be one person. Pure: whether they are, the ledger and a person decide."""

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import TypeVar

from slots.people.columns import folded

Entry = TypeVar("Entry")


def pairs(entries: Iterable[Entry], name_of: Callable[[Entry], str]) -> list[tuple[Entry, Entry]]:
    """Every two of the same name, whatever its accents, capitals and hyphens; in their order."""
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(folded(name_of(entry)), []).append(entry)
    return [pair for of_one in by_name.values() for pair in combinations(of_one, 2)]
