"""What a coordinator sets for a territory, and what an audit says of a change. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from slots.territory import Territory

NOT_SET: Final = "-"  # in an audit: the installation's horizon, no radius, no contacts


class Outcome(StrEnum):
    """What became of a change of settings or of acts."""

    SAVED = "saved"
    CHANGED = "changed"  # somebody else was quicker: nothing is overwritten unseen
    TAKEN = "taken"  # another act is called so
    TOO_MANY = "too-many"
    UNKNOWN = "unknown"
    NOT_ALLOWED = "not-allowed"


@dataclass(frozen=True, slots=True)
class TerritorySettings:
    """All that may be set; the names are the columns'."""

    horizon_h: int | None  # None: the installation's
    hold_for_s: int
    holds_per_account_max: int
    default_audience: tuple[str, ...]
    search_radius_km: int | None  # None: no limit
    contact_kept_h: int | None  # hours after the slot; None: no contact of a patient is taken


def settings_of(territory: Territory) -> TerritorySettings:
    """What is set there now."""
    return TerritorySettings(
        horizon_h=territory.horizon_h,
        hold_for_s=round(territory.hold_for.total_seconds()),
        holds_per_account_max=territory.holds_max,
        default_audience=territory.default_audience,
        search_radius_km=territory.search_radius_km,
        contact_kept_h=territory.contact_kept_h,
    )


def changes(before: TerritorySettings, after: TerritorySettings) -> list[str]:
    """Subjects of an audit, one for each setting that changed: `setting horizon_h 48 72`."""
    return [
        f"setting {one.name} {_said(old)} {_said(new)}"
        for one in fields(TerritorySettings)
        if (old := getattr(before, one.name)) != (new := getattr(after, one.name))
    ]


def _said(value: int | Sequence[str] | None) -> str:
    if value is None:
        return NOT_SET
    return str(value) if isinstance(value, int) else "+".join(value)
