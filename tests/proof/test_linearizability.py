"""The checker accepts what may happen and nothing else: histories known good, and known bad."""

from tests.proof.history import Loss, Operation
from tests.proof.linearizability import violation

UNTIL = 200.0


def op(client, verb, called_at, returned_at=None, word=None, *, account=None, **rest):
    """An operation in one line; what *answer* has is in `facts`."""
    facts = rest.pop("facts", {})
    if verb in ("hold", "renew", "release", "confirm"):
        rest["account"] = account or client
    answer = None if word is None else {"word": word, **facts}
    return Operation(client, verb, rest, called_at, returned_at, answer)


def offered(capacity=1):
    return op("ann", "offer", 0, 1, "done", capacity=capacity, audience=["CPTS"])


def held(client, called_at, hold, seat=1, until=UNTIL):
    facts = {"hold": hold, "seat": seat, "until": until}
    return op(client, "hold", called_at, called_at + 1, "done", facts=facts)


def booked(client, called_at, hold, appointment, seat=1):
    facts = {"appointment": appointment, "seat": seat}
    return op(client, "confirm", called_at, called_at + 1, "done", hold=hold, facts=facts)


def test_one_booking_is_explained():
    assert violation("s", [offered(), held("a", 2, "h"), booked("a", 4, "h", "x")]) is None


def test_two_bookings_of_one_seat_are_not():
    history = [
        offered(),
        held("a", 2, "h"),
        booked("a", 4, "h", "x"),
        held("b", 6, "i"),
        booked("b", 8, "i", "y"),
    ]

    found = violation("s", history, [Loss(5, 6)])

    assert found is not None
    assert found.prefix[-1] == history[-1]


def test_a_seat_held_by_two_is_not():
    assert violation("s", [offered(), held("a", 2, "h"), held("b", 3, "i")]) is not None
