"""What a reader who was away has missed: exactly what follows, or a fresh snapshot; never a hole."""

import pytest

from slots.events import EVENT_OF_VERB, Event, Position, missed, position
from slots.log import NO_SLOT


def event(at: str, prev: str) -> Event:
    return Event(Position(at), Position(prev), "slot.held", NO_SLOT, live=True, slot=b"{}")


LOG = [event("7.2-0", "7.1-0"), event("7.5-0", "7.2-0"), event("7.9-0", "7.5-0")]


@pytest.mark.parametrize(
    ("after", "answer"),
    [
        ("7.9-0", []),
        ("7.5-0", LOG[2:]),
        ("7.2-0", LOG[1:]),
        ("7.1-0", LOG),  # the oldest entry names it
        ("7.0-0", None),  # trimmed
        ("7.3-0", None),  # never given: positions are compared by equality only
        ("7.99-0", None),
        ("6.5-0", None),  # another generation
        ("8.5-0", None),
        ("", None),
        ("nonsense", None),
    ],
)
def test_one_who_stands_in_the_log_hears_what_follows_and_all_others_take_a_snapshot(after, answer):
    assert missed(Position(after), LOG) == answer


def test_an_empty_log_proves_nothing():
    assert missed(Position("7.1-0"), []) is None


def test_a_position_names_its_generation():
    assert position(7, "1763769600000-0") == "7.1763769600000-0"


def test_every_verb_of_the_ledger_leaves_an_event_of_a_slot():
    assert all(name.startswith("slot.") for name in EVENT_OF_VERB.values())
