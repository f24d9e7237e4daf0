"""Reads the named queries of sql/*.sql. The text you read is the text that runs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from asyncpg import Record

    from slots.database import Connection

SQL_DIRECTORY: Final = Path(__file__).parents[1] / "sql"

HEADER: Final = re.compile(
    r"^-- name: (?P<name>\w+)\((?P<params>[\w, ]*)\) -> (?P<returns>one|many|value|none)$",
    re.MULTILINE,
)
ANY_HEADER: Final = re.compile(r"^--\s*name\b.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a .sql file, with the names of its parameters in the order of their numbers."""

    name: str
    params: tuple[str, ...]
    returns: str
    sql: str

    def bind(self, **arguments: Any) -> tuple[Any, ...]:
        """The arguments in the order of the query.

        Raises:
            TypeError: One is missing, or one too many.
        """
        if arguments.keys() != set(self.params):
            raise TypeError(f"{self.name}({', '.join(self.params)}) got {', '.join(arguments)}")
        return tuple(arguments[param] for param in self.params)

    async def one(self, conn: "Connection", **arguments: Any) -> "Record | None":
        """The first row, or None."""
        self._expect("one")
        return await conn.fetchrow(self.sql, *self.bind(**arguments))

    async def many(self, conn: "Connection", **arguments: Any) -> "list[Record]":
        """All rows."""
        self._expect("many")
        return await conn.fetch(self.sql, *self.bind(**arguments))

    async def value(self, conn: "Connection", **arguments: Any) -> Any:
        """The first column of the first row, or None."""
        self._expect("value")
        return await conn.fetchval(self.sql, *self.bind(**arguments))

    async def none(self, conn: "Connection", **arguments: Any) -> None:
        """Run it; it answers nothing."""
        self._expect("none")
        # fetch and not execute: only it takes the extended protocol without arguments too.
        await conn.fetch(self.sql, *self.bind(**arguments))

    def _expect(self, returns: str) -> None:
        if self.returns != returns:
            raise TypeError(f"{self.name} returns {self.returns}, not {returns}")


@cache
def load(file_name: str) -> Mapping[str, Query]:
    """The queries of sql/*file_name*, by name, in the order of the file.

    Raises:
        ValueError: A header is malformed, repeated, or disagrees with its body.
    """
    text = (SQL_DIRECTORY / file_name).read_text(encoding="utf-8")
    queries: dict[str, Query] = {}
    for query in parse(text, file_name):
        if query.name in queries:
            raise ValueError(f"{file_name}: {query.name} is there twice")
        queries[query.name] = query
    return MappingProxyType(queries)


def parse(text: str, source: str) -> Iterator[Query]:
    """Cut one .sql file into queries. *source* names it in errors.

    Raises:
        ValueError: A header is malformed, or header and body disagree on the parameters.
    """
    headers = list(HEADER.finditer(text))
    malformed = {line[0] for line in ANY_HEADER.finditer(text)} - {line[0] for line in headers}
    if malformed:
        raise ValueError(f"{source}: not a header: {sorted(malformed)}")
    ends = [header.start() for header in headers[1:]] + [len(text)]
    for header, end in zip(headers, ends, strict=True):
        params = tuple(param.strip() for param in header["params"].split(",") if param.strip())
        sql = text[header.end() : end].strip()
        used = {int(number) for number in re.findall(r"\$(\d+)", _without_comments(sql))}
        if used != set(range(1, len(params) + 1)):
            raise ValueError(f"{source}: {header['name']} declares {params}, uses {sorted(used)}")
        yield Query(header["name"], params, header["returns"], sql)


def _without_comments(sql: str) -> str:
    """Only whole-line comments: a `--` further right may stand in a string."""
    return re.sub(r"^\s*--.*$", "", sql, flags=re.MULTILINE)
