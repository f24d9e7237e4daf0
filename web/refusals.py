"""What the edge refuses before any use case is called: sign-in, guards, parsing."""

from slots.errors import SlotError


class Malformed(SlotError):
    """The body is not JSON."""

    code = "malformed"


class MediaTypeUnsupported(SlotError):
    """The body must be application/json."""

    code = "media-type-unsupported"


class BodyTooLarge(SlotError):
    """The body is larger than any request needs."""

    code = "body-too-large"


class KeyRequired(SlotError):
    """A command needs an Idempotency-Key of 1 to 100 printable characters."""

    code = "idempotency-key-required"


class NotSignedIn(SlotError):
    """There is no live session."""

    code = "not-signed-in"


class SessionLocked(NotSignedIn):
    """The session goes on behind a lock: to whoever does not open it, it is as none.

    What lets a stranger in (signing in, a link) therefore lets in who stands before a lock.
    """

    code = "session-locked"


class PinRefused(SlotError):
    """This PIN does not open the session. *tries_left*: how many more are listened to."""

    code = "pin-refused"

    def __init__(self, tries_left: int) -> None:
        """Say how many are left before the session ends."""
        super().__init__()
        self.tries_left = tries_left


class SignInRefused(SlotError):
    """The address and the password do not belong together."""

    code = "sign-in-refused"


class TooManyTries(SlotError):
    """Too many failed sign-ins for this address from there."""

    code = "too-many-tries"

    def __init__(self, retry_after_s: int) -> None:
        """Say how long to wait, in seconds."""
        super().__init__()
        self.retry_after_s = retry_after_s


class FactorRefused(SlotError):
    """This code or key is not the account's, or was used before."""

    code = "factor-refused"


class TicketEnded(SlotError):
    """What was under way has ended: too late, too many tries, or done already."""

    code = "ticket-ended"


class TooManyRequests(SlotError):
    """More in a minute than anybody needs."""

    code = "too-many-requests"

    def __init__(self, retry_after_s: int) -> None:
        """Say how long to wait, in seconds."""
        super().__init__()
        self.retry_after_s = retry_after_s


class ProofDue(SlotError):
    """Who is signed in must show again who they are before they do this."""

    code = "proof-due"


class CrossSite(SlotError):
    """The request does not come from our own pages."""

    code = "cross-site"


class HostUnknown(SlotError):
    """This is not the address of the service."""

    code = "host-unknown"


class NotFound(SlotError):
    """There is nothing at this address."""

    code = "not-found"


class MethodNotAllowed(SlotError):
    """This address does not take this method."""

    code = "method-not-allowed"


class Unexpected(SlotError):
    """Something broke on our side."""

    code = "unexpected"
