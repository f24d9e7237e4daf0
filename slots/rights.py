"""The matrix of rights: who may do what, in their own territory and in another. Pure.

Code, tests and the page `/droits` read it, and nothing else decides. A cell says how far a right
reaches; where there is none, the answer is no. Somebody with several standings has the sum of them.
A delegate's own schedules are those delegated to them; a side of an appointment is its referrer's
organisation, or its effector with their delegates, and an appointment has no third one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

from slots.audience import Audience, Role


class Standing(StrEnum):
    """What somebody is for a territory: a role in it, or one of what is no role."""

    PROFESSIONAL = "professional"
    DELEGATE = "delegate"
    REFERRER = "referrer"
    REGULATOR = "regulator"
    COORDINATOR = "coordinator"
    NEIGHBOUR = "neighbour"  # a professional, delegate or referrer of a territory that it lists
    WALL = "wall"  # a screen with a token
    ADMINISTRATOR = "administrator"  # of the installation
    STRANGER = "stranger"  # anybody else who is signed in


class Action(StrEnum):
    """What there is to do."""

    SEE = "see"  # slots: which audiences' are on one's screens
    BOOK = "book"  # hold, confirm, move, overflow: which audiences'
    PUBLISH = "publish"  # offer, amend, withdraw, accept overflow
    OPEN = "open"  # an appointment: its sheet, its lists, its people
    CANCEL = "cancel"  # an appointment
    ANSWER = "answer"  # seen, come, not come: the effector's word
    CONTACT = "contact"  # of the patient, where the territory keeps one: leave, read, erase
    TELL = "tell"  # that the patient knows of a cancellation: the referrer's word
    DIRECTORY = "directory"  # read it
    PEOPLE = "people"  # invite, import, merge, give roles and delegations, withdraw; places of work
    SETTINGS = "settings"  # of the territory: horizon, holds, audiences, acts
    AUDIT = "audit"  # read who did what
    TERRITORIES = "territories"  # add one, name its first coordinator
    WORKSTATIONS = "workstations"  # register and revoke those of a regulation room


class Extent(StrEnum):
    """How far a right reaches that is not about audiences."""

    NOTHING = "nothing"
    OWN = "own"  # one's own schedules, or the appointments that one is a side of
    TERRITORY = "territory"  # the whole of it


NOBODYS: Final = frozenset[Audience]()
ALL: Final = frozenset(Audience)
MEMBERS: Final = frozenset({Audience.CPTS, Audience.PRO, Audience.PUBLIC})
NEIGHBOURS: Final = frozenset({Audience.PRO, Audience.PUBLIC})
REGULATORS: Final = frozenset({Audience.SNP, Audience.PRO, Audience.PUBLIC})


@dataclass(frozen=True, slots=True)
class Rights:
    """One row of the matrix."""

    see: frozenset[Audience] = NOBODYS
    book: frozenset[Audience] = NOBODYS
    publish: Extent = Extent.NOTHING
    open: Extent = Extent.NOTHING
    cancel: Extent = Extent.NOTHING
    answer: Extent = Extent.NOTHING
    contact: Extent = Extent.NOTHING
    tell: Extent = Extent.NOTHING
    directory: Extent = Extent.NOTHING
    people: Extent = Extent.NOTHING
    settings: Extent = Extent.NOTHING
    audit: Extent = Extent.NOTHING
    territories: Extent = Extent.NOTHING
    workstations: Extent = Extent.NOTHING

    def cell(self, action: Action) -> frozenset[Audience] | Extent:
        """How far one right reaches."""
        found: frozenset[Audience] | Extent = getattr(self, action.value)
        return found


_PUBLISHES: Final = Rights(
    see=MEMBERS,
    book=MEMBERS,
    publish=Extent.OWN,
    open=Extent.OWN,
    cancel=Extent.OWN,
    answer=Extent.OWN,
    contact=Extent.OWN,
    tell=Extent.OWN,
    directory=Extent.TERRITORY,
)
MATRIX: Final[Mapping[Standing, Rights]] = MappingProxyType(
    {
        Standing.PROFESSIONAL: _PUBLISHES,
        Standing.DELEGATE: _PUBLISHES,
        Standing.REFERRER: Rights(
            see=MEMBERS,
            book=MEMBERS,
            open=Extent.OWN,
            cancel=Extent.OWN,
            contact=Extent.OWN,
            tell=Extent.OWN,
            directory=Extent.TERRITORY,
        ),
        Standing.REGULATOR: Rights(
            see=REGULATORS,
            book=REGULATORS,
            open=Extent.OWN,
            cancel=Extent.OWN,
            contact=Extent.OWN,
            tell=Extent.OWN,
            directory=Extent.TERRITORY,
        ),
        Standing.COORDINATOR: Rights(
            see=ALL,
            directory=Extent.TERRITORY,
            people=Extent.TERRITORY,
            settings=Extent.TERRITORY,
            audit=Extent.TERRITORY,
        ),
        Standing.NEIGHBOUR: Rights(
            see=NEIGHBOURS,
            book=NEIGHBOURS,
            open=Extent.OWN,
            cancel=Extent.OWN,
            contact=Extent.OWN,
            tell=Extent.OWN,
            directory=Extent.TERRITORY,
        ),
        Standing.WALL: Rights(see=REGULATORS),
        Standing.ADMINISTRATOR: Rights(territories=Extent.TERRITORY, workstations=Extent.TERRITORY),
        Standing.STRANGER: Rights(),
    }
)


@cache
def standings(roles: frozenset[Role], *, is_neighbour: bool) -> frozenset[Standing]:
    """What somebody with these roles is for a territory."""
    held = {Standing(role.value) for role in roles}
    if is_neighbour:
        held.add(Standing.NEIGHBOUR)
    return frozenset(held or {Standing.STRANGER})


@cache
def audiences(held: frozenset[Standing], action: Action) -> frozenset[Audience]:
    """The audiences that SEE or BOOK reaches, of all that somebody is."""
    found = NOBODYS
    for standing in held:
        cell = MATRIX[standing].cell(action)
        assert isinstance(cell, frozenset)
        found |= cell
    return found


def may(held: Iterable[Standing], action: Action, *, is_own: bool) -> bool:
    """Whether a right that is not about audiences reaches what is, or is not, one's own."""
    enough = {Extent.TERRITORY, Extent.OWN} if is_own else {Extent.TERRITORY}
    return any(MATRIX[standing].cell(action) in enough for standing in held)
