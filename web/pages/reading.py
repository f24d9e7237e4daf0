"""What pages read beside the boards: the words and places of territories, whose time one gives."""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.requests import Request

from slots.account import Account
from slots.appointment import Appointment
from slots.database import Connection
from slots.ids import ScheduleId, TerritoryId
from slots.store import directory as store
from slots.store.directory import Act, Commune, DirectoryEntry
from slots.territory import Territory
from web.state import State


@dataclass(frozen=True, slots=True)
class Ground:
    """The words and places of some territories: what forms offer, and what codes are called.

    What acts are called in rows and lists is told by `web.catalogue`, as in live rows.
    """

    communes: dict[str, Commune]
    acts: dict[TerritoryId, dict[str, Act]]  # also those that are offered no more
    reasons: dict[TerritoryId, dict[str, str]]
    urgencies: dict[TerritoryId, dict[str, str]]

    @property
    def every_act(self) -> list[Act]:
        """One line a code of what is offered: where territories differ, the first one's words."""
        return list(
            {
                code: act
                for number in sorted(self.acts, reverse=True)
                for code, act in self.acts[number].items()
                if act.is_offered
            }.values()
        )

    def reason(self, appointment: Appointment) -> str:
        """Why the patient comes, in the words of the territory."""
        labels = self.reasons.get(appointment.territory_id, {})
        return labels.get(appointment.reason, appointment.reason)

    def urgency(self, appointment: Appointment) -> str:
        """How soon, in the words of the territory."""
        labels = self.urgencies.get(appointment.territory_id, {})
        return labels.get(appointment.urgency, appointment.urgency)


async def ground(conn: Connection, territory_ids: Collection[TerritoryId]) -> Ground:
    """Communes by INSEE code; the acts, reasons and urgencies of each territory by code."""
    acts: dict[TerritoryId, dict[str, Act]] = {number: {} for number in territory_ids}
    for act in await store.acts(conn, territory_ids):
        acts[act.territory_id][act.code] = act
    return Ground(
        {commune.insee: commune for commune in await store.communes(conn)},
        acts,
        {number: await store.reasons(conn, number) for number in territory_ids},
        {number: await store.urgencies(conn, number) for number in territory_ids},
    )


async def own_entries(conn: Connection, account: Account) -> dict[ScheduleId, DirectoryEntry]:
    """The schedules that the account publishes for, by place."""
    entries = await store.directory(conn, account.reach, list(account.schedules))
    return {ScheduleId(entry.schedule.id): entry for entry in entries}


def usual_radius_km(request: Request[State], account: Account) -> int | None:
    """The radius that a search around a commune begins with: the widest of the account's own
    territories; None, no limit, where one of them has none.
    """
    known = request.state["desk"].territories.by_id
    radii = [known[number].search_radius_km for number in account.roles]
    return max((km for km in radii if km is not None), default=None) if None not in radii else None


def territories_of(request: Request[State], account: Account) -> list[Territory]:
    """The territories whose boards the account reads, its own first."""
    known = request.state["desk"].territories.by_id
    own = sorted(account.roles)
    return [known[number] for number in [*own, *sorted(account.neighbours - set(own))]]
