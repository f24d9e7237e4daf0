"""Who may see and who may book: audiences (TRE_R314) against what an account is in a territory.

The words that an account *hears* in a territory decide everything: a slot is seen and booked by
those who hear one of its words. The broker asks the same question inside its script.
"""

from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final


class Audience(StrEnum):
    """A set of people whom an offer is for."""

    CPTS = "CPTS"  # members of the territory
    SNP = "SNP"  # regulators who cover it
    PRO = "PRO"  # both, and members of listed neighbours
    PUBLIC = "PUBLIC"  # as PRO; what a national search may show


class Role(StrEnum):
    """What an account does in one territory."""

    PROFESSIONAL = "professional"
    DELEGATE = "delegate"
    REFERRER = "referrer"
    REGULATOR = "regulator"
    COORDINATOR = "coordinator"


DEFAULT_AUDIENCE: Final = (Audience.CPTS, Audience.SNP)
MEMBER_HEARS: Final = frozenset({Audience.CPTS, Audience.PRO, Audience.PUBLIC})
NEIGHBOUR_HEARS: Final = frozenset({Audience.PRO, Audience.PUBLIC})
REGULATOR_HEARS: Final = frozenset({Audience.SNP, Audience.PRO, Audience.PUBLIC})
MEMBER_ROLES: Final = frozenset({Role.PROFESSIONAL, Role.DELEGATE, Role.REFERRER})


def words_heard(roles: AbstractSet[Role], *, is_neighbour: bool) -> frozenset[Audience]:
    """The audiences that someone with *roles* in a territory belongs to there.

    A coordinator sees all of the territory and books nothing, hence hears no word by that role.
    """
    heard: frozenset[Audience] = frozenset()
    if roles & MEMBER_ROLES:
        heard |= MEMBER_HEARS
    if Role.REGULATOR in roles:
        heard |= REGULATOR_HEARS
    if is_neighbour:
        heard |= NEIGHBOUR_HEARS
    return heard
