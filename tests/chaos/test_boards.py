"""A watcher notices every kind of hole. It is told frames; it needs no socket."""

import pytest

from tests.chaos.boards import Watcher

HERE = "chaos-01"


@pytest.fixture
def watcher() -> Watcher:
    watcher = Watcher("rita", [HERE], lambda: 1.0)
    watcher.hears({"t": "snapshot", "territory": HERE, "at": "1.1-0", "slots": [slot("a")]})
    return watcher


def slot(name: str, booked: int = 0) -> dict:
    return {"id": name, "booked": booked}


def event(at: str, prev: str, **fields) -> dict:
    told = {"t": "event", "territory": HERE, "at": at, "prev": prev, "slot": slot("a")}
    return told | fields


def test_what_follows_without_a_hole_is_shown(watcher):
    watcher.hears(event("1.2-0", "1.1-0", slot=slot("b", booked=1)))
    watcher.hears({"t": "skip", "territory": HERE, "at": "1.3-0", "prev": "1.2-0"})
    watcher.hears({"t": "gone", "territory": HERE, "at": "1.4-0", "prev": "1.3-0", "id": "a"})
    watcher.hears({"t": "heartbeat", "at": {HERE: "1.4-0"}})

    assert watcher.holes == []
    assert watcher.screens[HERE].slots == {"b": slot("b", booked=1)}


@pytest.mark.parametrize(
    "frame",
    [
        event("1.3-0", "1.2-0"),  # one is missing
        event("1.1-0", "1.0-0"),  # one comes twice
        {"t": "skip", "territory": HERE, "at": "1.3-0", "prev": "1.2-0"},
        {"t": "gone", "territory": HERE, "at": "1.2-0", "prev": "1.1-0", "id": "never seen"},
        {"t": "snapshot", "territory": HERE, "at": "1.2-0", "slots": []},  # nobody awaits it
        {"t": "heartbeat", "at": {HERE: "1.2-0"}},  # the last one is missing
    ],
)
def test_a_hole_or_a_duplicate_is_noticed(watcher, frame):
    watcher.hears(frame)

    assert len(watcher.holes) == 1


def test_after_a_resync_only_a_snapshot_fits(watcher):
    watcher.hears({"t": "resync", "territory": HERE})
    watcher.hears({"t": "snapshot", "territory": HERE, "at": "2.1-0", "slots": []})
    watcher.hears(event("2.2-0", "2.1-0"))
    assert watcher.holes == []

    watcher.hears({"t": "resync", "territory": HERE})
    watcher.hears(event("2.3-0", "2.2-0"))
    assert len(watcher.holes) == 1


def test_who_comes_back_gets_what_followed_or_a_snapshot(watcher):
    assert watcher.comes_back() == {HERE: "1.1-0"}
    watcher.hears(event("1.2-0", "1.1-0"))
    watcher.comes_back()
    watcher.hears({"t": "snapshot", "territory": HERE, "at": "2.1-0", "slots": []})

    assert watcher.holes == []
