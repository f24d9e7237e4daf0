"""Screens on a wall in the ledger: made by a link that is good once, then a session of a cookie.

Of both secrets only hashes are kept, and neither tells the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from slots import queries
from slots.database import Connection
from slots.ids import AccountId, TerritoryId
from slots.secret_id import hash_of, new_secret_id
from slots.store.session import DEVICE_PREFIX

SCREEN_FOR: Final = timedelta(days=365)
LINK_FOR: Final = timedelta(hours=24)  # to walk to the screen

QUERIES: Final = queries.load("screen.sql")


@dataclass(frozen=True, slots=True)
class OfferedScreen:
    """What a link makes of the browser where it is opened."""

    name: str
    walls: frozenset[TerritoryId]


@dataclass(frozen=True, slots=True)
class BegunScreen:
    """A browser that is a screen from now on. *secret*: of its cookie."""

    secret: str
    owner_id: AccountId


async def offer(conn: Connection, name: str, walls: Iterable[TerritoryId], now: datetime) -> str:
    """A screen of whoever has entered. Returns the secret of its link, which is told once."""
    link = new_secret_id()
    await QUERIES["offer_screen"].none(
        conn,
        session_hash=hash_of(new_secret_id()),  # whose id nobody has, until the link is used
        link_hash=hash_of(link),
        name=name,
        walls=list(walls),
        now=now,
        link_until=now + LINK_FOR,
    )
    return link


async def offered_by(conn: Connection, link: str, now: datetime) -> OfferedScreen | None:
    """What the link is good for; None where it is too late, used or revoked. Spends nothing."""
    row = await QUERIES["screen_of_link"].one(conn, link_hash=hash_of(link), now=now)
    return OfferedScreen(row["name"], frozenset(map(TerritoryId, row["walls"]))) if row else None


async def begin(conn: Connection, link: str, now: datetime) -> BegunScreen | None:
    """Spend the link; the screen lasts SCREEN_FOR from now. None as `offered_by`, or just done."""
    secret = DEVICE_PREFIX + new_secret_id()
    owner_id = await QUERIES["begin_screen"].value(
        conn,
        link_hash=hash_of(link),
        session_hash=hash_of(secret),
        now=now,
        until=now + SCREEN_FOR,
    )
    return BegunScreen(secret, AccountId(owner_id)) if owner_id else None
