"""Who asks, and what they may do where: the account of a session with its roles and its reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from slots.appointment import Appointment, Origin
from slots.audience import MEMBER_ROLES, Audience, Role
from slots.ids import AccountId, OrganisationId, PractitionerId, ScheduleId, TerritoryId
from slots.rights import Action, Standing, audiences, may, standings
from slots.scope import Scope, SessionKind

WALL_ALONE: Final = frozenset({Standing.WALL})
EMERGENCY_DEPARTMENT: Final = "emergency"


@dataclass(frozen=True, slots=True)
class Account:
    """One person who signed in. *roles* are per territory; *schedules* are own and delegated."""

    id: AccountId
    name: str
    email: str
    phone: str
    organisation_id: OrganisationId
    organisation: str
    organisation_kind: str
    practitioner_id: PractitionerId | None
    roles: Mapping[TerritoryId, frozenset[Role]]
    schedules: Mapping[ScheduleId, TerritoryId]
    neighbours: frozenset[TerritoryId]  # territories that list one of ours as their neighbour
    walls: frozenset[TerritoryId] = frozenset()  # what a screen on a wall shows; it has no roles
    is_administrator: bool = False  # of the installation

    @property
    def reach(self) -> list[TerritoryId]:
        """The territories whose rows a transaction of this account may touch, in order."""
        return sorted({*self.roles, *self.neighbours, *self.walls, *self.schedules.values()})

    def roles_in(self, territory_id: TerritoryId) -> frozenset[Role]:
        """The roles held in one territory; none where it is only a neighbour."""
        return self.roles.get(territory_id, frozenset())

    def hears(self, territory_id: TerritoryId) -> frozenset[Audience]:
        """The audiences this account belongs to in *territory_id*: what it may book there."""
        return audiences(self.standings_in(territory_id), Action.BOOK)

    def standings_in(self, territory_id: TerritoryId) -> frozenset[Standing]:
        """All that the account is for a territory: the rows of the matrix that count there."""
        if territory_id in self.walls:
            return WALL_ALONE
        return standings(self.roles_in(territory_id), is_neighbour=territory_id in self.neighbours)

    def may(self, action: Action, territory_id: TerritoryId, *, is_own: bool = False) -> bool:
        """Whether the matrix lets this account do that in *territory_id*, to what is its own or not."""
        return may(self.standings_in(territory_id), action, is_own=is_own)

    def acts_for(self, schedule_id: UUID) -> bool:
        """Whether the schedule is the account's own, or was delegated to it."""
        return schedule_id in self.schedules

    def is_side_of(self, appointment: Appointment) -> bool:
        """Whether a booking is the account's business: its organisation's, or of its schedules."""
        return (
            self.acts_for(appointment.schedule_id)
            or appointment.booked_by_organisation_id == self.organisation_id
        )

    def publishes_for(self, schedule_id: UUID) -> bool:
        """Whether the account may offer, amend and withdraw on this schedule."""
        territory_id = self.schedules.get(ScheduleId(schedule_id))
        return territory_id is not None and self.may(Action.PUBLISH, territory_id, is_own=True)

    def may_see(
        self, territory_id: TerritoryId, schedule_id: UUID, audience: frozenset[Audience]
    ) -> bool:
        """Whether a slot of this schedule and audience is on this account's screens."""
        return bool(self.sees_as(territory_id) & audience) or self.acts_for(schedule_id)

    def sees_as(self, territory_id: TerritoryId) -> frozenset[Audience]:
        """What `may_see` depends on beside whose slot it is: who is alike in this sees alike."""
        return audiences(self.standings_in(territory_id), Action.SEE)

    def origins_in(self, territory_id: TerritoryId, schedule_id: UUID) -> list[Origin]:
        """The origins this account may truthfully give a booking there, the likeliest first.

        The origin decides what the Assurance Maladie pays (NGAP 14.1.3): it follows from the
        acting role and is never taken from a client's word alone.
        """
        roles = self.roles_in(territory_id)
        origins = []
        if Role.REGULATOR in roles:
            origins.append(Origin.REGULATION)
        if self.organisation_kind == EMERGENCY_DEPARTMENT:
            origins.append(Origin.EMERGENCY)
        if self.acts_for(schedule_id):
            origins.append(Origin.SELF)
        elif roles & MEMBER_ROLES or territory_id in self.neighbours:
            origins.append(Origin.REFERRER)
        return origins


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session: the account behind it and when it was last used."""

    account: Account
    session_hash: bytes
    seen_at: datetime
    kind: SessionKind = SessionKind.BROWSER
    scopes: frozenset[Scope] = frozenset()  # of a key
    is_phone: bool = False  # a person's own: signed in longer, for less
    proved_at: datetime | None = None  # when who it is was shown last
    is_locked: bool = False  # nobody has been there for a while, or somebody has said so

    @property
    def locks(self) -> bool:
        """Whether it is a PC's: a phone of one's own, a key and a screen on a wall never lock."""
        return self.kind is SessionKind.BROWSER and not self.is_phone
