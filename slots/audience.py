"""Audiences (TRE_R314), and the roles that belong to them: the words. Who hears which: `slots.rights`.

The words that an account *hears* in a territory decide everything: a slot is seen and booked by
those who hear one of its words. The broker asks the same question inside its script.
"""

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
# Who refers, in one way or another: what makes a neighbour's member somebody here.
MEMBER_ROLES: Final = frozenset({Role.PROFESSIONAL, Role.DELEGATE, Role.REFERRER})
