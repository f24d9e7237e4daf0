"""What a session is for, and what a key for software may do: never more than its owner. Pure."""

from enum import StrEnum


class SessionKind(StrEnum):
    """Where a session lives."""

    BROWSER = "browser"
    KEY = "key"  # software, by an API key
    WALL = "wall"  # a screen on a wall, by a link


class Scope(StrEnum):
    """What a key may do of what its owner may."""

    READ = "read"  # slots, live events, the directory and the catalogue
    PUBLISH = "publish"  # offer, amend, withdraw
    BOOK = "book"  # hold, renew, release, confirm, move, overflow
    APPOINTMENTS = "appointments"  # list them, cancel, seen, come, not come, patient told
    CONTACTS = "contacts"  # a patient's contact: leave, read, erase
