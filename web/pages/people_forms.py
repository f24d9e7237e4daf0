"""Forms of what the table of people has in its columns: the same parsers, the same words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.datastructures import FormData

from slots.people import cells
from slots.people.findings import CellWrong, Finding, Wrong
from slots.people.table import PARSERS, TEXT_MAX
from web.pages.people_words import words_of

NEEDED: Final = frozenset(
    {
        "given_name",
        "family_name",
        "profession",
        "phone",
        "place",
        "insee",
        "languages",
        "service",
        "rooms",
    }
)


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed into one of the page's forms, and what is wrong with it. *of*: which form."""

    of: str = ""
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    parsed: dict[str, Any] = field(default_factory=dict)

    def refused(self, wrong: Wrong, column: str) -> "Form":
        """The same, with what a door said."""
        name = column if column in self.values else next(iter(self.values))
        words = words_of(Finding(0, name, wrong, self.values.get(name, "")))
        return Form(self.of, self.values, self.errors | {name: words}, self.parsed)


def read(form: FormData, of: str, names: tuple[str, ...]) -> Form:
    """By the parsers of the table: what it takes in a cell, a form takes in a field."""
    found = Form(of, {name: " ".join(str(form.get(name, "")).split()) for name in names})
    for name, typed in found.values.items():
        try:
            found.parsed[name] = PARSERS.get(name, cells.at_most(TEXT_MAX))(typed)
            if name in NEEDED and not typed:
                raise CellWrong(Wrong.NEEDED)
        except CellWrong as error:
            found.errors[name] = words_of(Finding(0, name, error.wrong, typed, error.detail))
    return found


def typed(of: object, names: tuple[str, ...]) -> Mapping[str, str]:
    """What stands there, as it would be typed."""
    said = {True: "oui", False: "non", None: ""}
    values = {name: getattr(of, name) for name in names}
    return {
        name: " + ".join(value)
        if isinstance(value, tuple)
        else said[value]
        if value is None or isinstance(value, bool)
        else str(value)
        for name, value in values.items()
    }
