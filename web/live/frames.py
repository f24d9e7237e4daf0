"""The whole wire of `/live`, both ways: every message, every close code. Pure.

JSON text frames, told apart by `t`. Commands never travel here: they need HTTP's answers.
"""

from enum import Enum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

SUBPROTOCOL: Final = "chrono48.live.v1"
HEARTBEAT_EVERY_S: Final = 10.0
TERRITORIES_MAX: Final = 64  # followed by one socket
SLUG_LENGTH_MAX: Final = 100
POSITION_LENGTH_MAX: Final = 100

As = Literal["json", "html"]


class CloseCode(Enum):
    """Why the server closes: number and word. 4000–4499 come back, 4500–4999 do not."""

    SHUTDOWN = (4001, "shutdown")  # this process stops; another answers
    SLOW = (4002, "slow")  # did not read fast enough: come back, resume
    SILENT = (4003, "silent")  # answered no heartbeat
    # The session ended, the account was disabled, or somebody has shown again who they are, and the
    # session goes on under another token.
    NOT_SIGNED_IN = (4500, "not-signed-in")
    NOT_YOURS = (4501, "not-yours")  # a territory that the account does not reach
    BAD_FRAME = (4502, "bad-frame")  # what was sent is not of this protocol
    RIGHTS_CHANGED = (4503, "rights-changed")  # other roles or territories now: load the page anew
    LOCKED = (4504, "session-locked")  # come back once somebody has opened the session again

    def __init__(self, number: int, reason: str) -> None:
        """Name both halves."""
        self.number = number
        self.reason = reason


# From the client.


class Following(Struct, frozen=True):
    """One territory, by its slug, and where the client stands in its log."""

    id: Annotated[str, Meta(max_length=SLUG_LENGTH_MAX)]
    after: Annotated[str, Meta(max_length=POSITION_LENGTH_MAX)] | None = None


class Subscribe(Struct, frozen=True, tag_field="t", tag="subscribe"):
    """Follow these territories too. Naming one again takes it up anew, from `after`."""

    territories: Annotated[list[Following], Meta(min_length=1, max_length=TERRITORIES_MAX)]
    as_: As = msgspec.field(name="as", default="json")


class Pong(Struct, frozen=True, tag_field="t", tag="pong"):
    """The answer to a heartbeat."""


class BadFrame(ValueError):
    """What the client sent is not of this protocol."""


_from_client: Final[msgspec.json.Decoder[Subscribe | Pong]] = msgspec.json.Decoder(Subscribe | Pong)


def read(message: str | bytes) -> Subscribe | Pong:
    """Parse what a client sent. Unknown fields are left alone, unknown words are not.

    Raises:
        BadFrame: It is not JSON, or not one of the two messages.
    """
    try:
        return _from_client.decode(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame(str(error)) from error


# From the server.


class Hello(Struct, frozen=True, tag_field="t", tag="hello"):
    """The first word: the server's clock and the rhythm of its heartbeats."""

    now: str
    heartbeat_s: float = HEARTBEAT_EVERY_S


class Snapshot(Struct, frozen=True, tag_field="t", tag="snapshot"):
    """All slots of a territory that the viewer may see: replace what is shown.

    *html*: their renderings, in the same order, for who asked so.
    """

    territory: str
    at: str
    slots: list[Raw]
    html: list[str] | UnsetType = UNSET


class Event(Struct, frozen=True, tag_field="t", tag="event"):
    """One slot after one change: replace this slot. *prev* is where the reader must stand."""

    territory: str
    at: str
    prev: str
    type: str
    slot: Raw
    html: str | UnsetType = UNSET


class Gone(Struct, frozen=True, tag_field="t", tag="gone"):
    """A slot that the viewer saw and does not see any more; *type* says what happened to it."""

    territory: str
    at: str
    prev: str
    type: str
    id: str


class Skip(Struct, frozen=True, tag_field="t", tag="skip"):
    """Something happened that this viewer may not see: only the position moves."""

    territory: str
    at: str
    prev: str


class Resync(Struct, frozen=True, tag_field="t", tag="resync"):
    """Events were missed: what is shown of the territory is void; a snapshot follows.

    It follows on this socket, or, where a `bye` comes next, on the next one.
    """

    territory: str


class Heartbeat(Struct, frozen=True, tag_field="t", tag="heartbeat"):
    """Every ten seconds. *age_s*: since the broker's last word on the oldest of the territories.

    *ledger*: whether the database answers; without it nothing can be booked.
    """

    now: str
    at: dict[str, str]
    age_s: float
    ledger: bool


class Bye(Struct, frozen=True, tag_field="t", tag="bye"):
    """The last word before the close, for readers that see no close code."""

    code: int
    reason: str


FromServer = Hello | Snapshot | Event | Gone | Skip | Resync | Heartbeat | Bye


class TerritorySnapshot(Struct, frozen=True):
    """One territory in the answer to a poll."""

    territory: str
    at: str
    slots: list[Raw]
    html: list[str] | UnsetType = UNSET


class Poll(Struct, frozen=True):
    """The answer of `GET /live/snapshot`: what a socket would show now."""

    now: str
    age_s: float
    ledger: bool
    snapshots: list[TerritorySnapshot]


def write(frame: FromServer) -> str:
    """The text of a frame."""
    return msgspec.json.encode(frame).decode()


def bye(code: CloseCode) -> str:
    """The last word for *code*."""
    return write(Bye(code.number, code.reason))
