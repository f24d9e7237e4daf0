"""Territories and generations in the ledger."""

from datetime import timedelta
from typing import Final

from slots import queries
from slots.database import Connection
from slots.ids import TerritoryId
from slots.territory import Territory

QUERIES: Final = queries.load("territory.sql")


async def territories(conn: Connection) -> list[Territory]:
    """All territories of the installation. Reference data: no walls."""
    rows = await QUERIES["territories"].many(conn)
    return [
        Territory(
            TerritoryId(row["id"]),
            row["slug"],
            row["name"],
            row["department"],
            row["partition_id"],
            contact_kept_h=row["contact_kept_h"],
            horizon_h=row["horizon_h"],
            hold_for=timedelta(seconds=row["hold_for_s"]),
            holds_max=row["holds_per_account_max"],
            default_audience=tuple(row["default_audience"]),
            search_radius_km=row["search_radius_km"],
            settings_version=row["settings_version"],
        )
        for row in rows
    ]


async def next_generation(conn: Connection, *, at_least: int = 0) -> int:
    """A generation of the live log that nobody had; not below *at_least*."""
    if at_least:
        return int(await QUERIES["advance_generation"].value(conn, at_least=at_least))
    return int(await QUERIES["next_generation"].value(conn))


async def ledger_identity(conn: Connection) -> str:
    """Differs after each start of the server, and between two databases."""
    return str(await QUERIES["ledger_identity"].value(conn))
