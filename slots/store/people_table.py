"""The people and places of a territory as the lines that would bring them in. For its coordinator."""

from collections.abc import Mapping
from typing import Any, Final

from slots import queries
from slots.audience import Audience, Role
from slots.database import Connection
from slots.ids import TerritoryId
from slots.people.columns import DOCTOR
from slots.people.table import Line

QUERIES: Final = queries.load("bringing_in.sql")
LISTS: Final = frozenset({"skills", "languages", "acts", "delegate_of"})
MAYBE: Final = frozenset(
    {"lat", "lon", "step_free", "parking", "new_patients", "rooms", "daily_cap", "overflow"}
)


async def people_table(conn: Connection, territory_id: TerritoryId, slug: str) -> list[Line]:
    """Everybody, by name, then services. Empty where whoever has entered does not coordinate it."""
    rows = await QUERIES["people_table"].many(conn, territory_id=territory_id)
    return [line_of(dict(row), number, slug) for number, row in enumerate(rows, start=2)]


def line_of(row: Mapping[str, Any], number: int, slug: str) -> Line:
    """A line from what the ledger has."""
    kept: dict[str, Any] = {name: value for name, value in row.items() if name in MAYBE}
    kept |= {name: tuple(value or ()) for name, value in row.items() if name in LISTS}
    rest = row.keys() - kept.keys() - {"roles", "audience"}
    kept |= {name: row[name] or "" for name in rest}
    if kept["profession"] != DOCTOR:
        kept["specialty"] = ""  # the table has it of doctors only
    return Line(
        line=number,
        territory=slug,
        role=tuple(map(Role, row["roles"] or ())),
        audience=tuple(map(Audience, row["audience"] or ())),
        **kept,
    )
