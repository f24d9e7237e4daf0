"""Writes what a coordinator sets. The ledger asks by itself whether whoever has entered may."""

from datetime import datetime, timedelta
from typing import Final

from slots import queries
from slots.database import Connection
from slots.ids import TerritoryId
from slots.territory_settings import Outcome, TerritorySettings

QUERIES: Final = queries.load("territory_settings.sql")
CLOCK_LEEWAY: Final = timedelta(minutes=5)  # between the ledger's clock and the broker's


async def set_territory(
    conn: Connection,
    territory_id: TerritoryId,
    seen_version: int,
    new: TerritorySettings,
    usual: timedelta,
    now: datetime,
) -> Outcome:
    """Set all at once, as decided by who had seen *seen_version*.

    Where the horizon changes, every slot that this moves gets a new version and a row of the
    outbox: the relay brings them within seconds, and whoever puts an older reading is too late.
    *usual*: the horizon of territories that set none.
    """
    return Outcome(
        await QUERIES["set_territory"].value(
            conn,
            territory_id=territory_id,
            seen_version=seen_version,
            horizon_h=new.horizon_h,
            hold_for_s=new.hold_for_s,
            holds_max=new.holds_per_account_max,
            audience=list(new.default_audience),
            radius_km=new.search_radius_km,
            contact_kept_h=new.contact_kept_h,
            usual_horizon_h=usual // timedelta(hours=1),
            at=now,
            leeway=CLOCK_LEEWAY,
        )
    )
