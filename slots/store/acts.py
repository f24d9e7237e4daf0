"""The catalogue of acts of a territory, for who coordinates it: also what is retired."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from slots import queries
from slots.act import ACTS_MAX, ActWords, code_of
from slots.database import Connection
from slots.ids import TerritoryId
from slots.territory_settings import Outcome

QUERIES: Final = queries.load("territory_settings.sql")


@dataclass(frozen=True, slots=True)
class RuledAct:
    """One act, and how much it is used. *version*: another one after each change."""

    code: str
    label: str
    preparation: str
    prescription_required: bool
    version: int
    retired_at: datetime | None
    slots: int  # that are still ahead
    schedules: int  # that propose it


async def acts_to_rule(
    conn: Connection, territory_id: TerritoryId, now: datetime
) -> list[RuledAct]:
    """All acts of the territory by label, the retired ones last."""
    rows = await QUERIES["acts_to_rule"].many(conn, territory_id=territory_id, now=now)
    return [RuledAct(**dict(row)) for row in rows]


async def add_act(
    conn: Connection, territory_id: TerritoryId, words: ActWords
) -> tuple[Outcome, str | None]:
    """Add an act; its code is made from its label, once and for ever."""
    row = await QUERIES["add_act"].one(
        conn,
        territory_id=territory_id,
        code=code_of(words.label),
        label=words.label,
        preparation=words.preparation,
        prescription_required=words.prescription_required,
        at_most=ACTS_MAX,
    )
    assert row is not None
    return Outcome(row["outcome"]), row["code"]


async def change_act(
    conn: Connection,
    territory_id: TerritoryId,
    code: str,
    seen_version: int,
    words: ActWords,
    now: datetime,
    *,
    is_offered: bool,
) -> Outcome:
    """Other words for an act, or retire it, or offer it again."""
    return Outcome(
        await QUERIES["change_act"].value(
            conn,
            territory_id=territory_id,
            code=code,
            seen_version=seen_version,
            label=words.label,
            preparation=words.preparation,
            prescription_required=words.prescription_required,
            is_offered=is_offered,
            at=now,
        )
    )
