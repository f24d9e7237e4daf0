"""The verdict can fail: each line is shown what it is there for."""

import json
from dataclasses import replace

import pytest

from tests.chaos import judging
from tests.chaos.faults import KINDS
from tests.chaos.run import strange_lines
from tests.chaos.verdict import (
    CANARIES_MIN,
    CONFIRMS_MIN,
    FRAMES_MIN,
    HEALS_WITHIN_S,
    OPERATIONS_MIN,
    PLACES_OF_CANARIES,
    Evidence,
    shown,
    verdict,
)
from tests.proof.history import DONE, History, Operation

SLOT = "a-slot"
GOOD = Evidence(
    seed=1,
    seconds=120,
    operations=OPERATIONS_MIN,
    confirms=CONFIRMS_MIN,
    frames=FRAMES_MIN,
    faults={str(kind): 1 for kind in KINDS},
    healed_s={str(kind): 1.0 for kind in KINDS},
    canaries_sent=CANARIES_MIN,
    planted=PLACES_OF_CANARIES,
)


def failing(evidence: Evidence) -> list[str]:
    return [line.what for line in verdict(evidence) if not line.passed]


def test_a_good_run_passes():
    assert failing(GOOD) == []
    assert shown(GOOD, verdict(GOOD)).splitlines()[-1] == "PASS  seed 1, 120 s"


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"operations": OPERATIONS_MIN - 1}, "operations"),
        ({"confirms": CONFIRMS_MIN - 1}, "confirms"),
        ({"frames": FRAMES_MIN - 1}, "frames"),
        ({"faults": {str(kind): 1 for kind in KINDS[1:]}}, "faults, each kind at least once"),
        ({"double_bookings": ["one"]}, "double bookings"),
        ({"lost": ["one"]}, "confirmed and lost"),
        ({"violations": ["one"]}, "linearizability violations"),
        ({"holes": ["one"]}, "holes or duplicates on sockets"),
        ({"differing": ["one"]}, "boards that differ at the end"),
        ({"nonsense": ["one"]}, "answers and logs that no fault explains"),
        ({"canaries_sent": CANARIES_MIN - 1}, "canaries sent"),
        ({"canaries": ["one"]}, "canaries found"),
        ({"planted": PLACES_OF_CANARIES[1:]}, "planted canaries that the search finds"),
        ({"healed_s": {"web killed": HEALS_WITHIN_S + 1}}, "healed after web killed"),
        ({"healed_s": {"web killed": float("inf")}}, "healed after web killed"),
    ],
)
def test_what_is_wrong_fails_its_own_line_and_the_whole(wrong, line):
    evidence = replace(GOOD, **wrong)

    assert failing(evidence) == [line]
    assert shown(evidence, verdict(evidence)).splitlines()[-1].startswith("FAIL")


def operation(verb: str, at: float, **facts) -> Operation:
    """An operation that was done; *facts* by the name of the argument or of the answer."""
    told = {name: facts.pop(name) for name in ("account", "cancel_booked") if name in facts}
    told |= {"hold": facts["hold"]} if verb == "confirm" else {}
    told |= {"appointment": facts["appointment"]} if verb == "cancel" else {}
    return Operation("rita", verb, told, at, at + 0.1, {"word": DONE, **facts})


def booked(hold: str, at: float, seat: int = 1) -> list[Operation]:
    until = {"until": at + 180.0}
    return [
        operation("hold", at, account=hold, hold=hold, seat=seat, **until),
        operation("confirm", at + 1, account=hold, hold=hold, seat=seat, appointment=f"of {hold}"),
    ]


def row(hold: str, seat: int = 1, status: str = "booked") -> dict:
    return {"id": f"of {hold}", "slot_id": SLOT, "seat": seat, "hold_id": hold, "status": status}


def told(hold: str, seat: int = 1) -> dict:
    return {"appointment": f"of {hold}", "slot": SLOT, "seat": seat}


def history(*operations: list[Operation]) -> History:
    return History({SLOT: [one for some in operations for one in some]})


ONE = {SLOT: 1}


def test_a_seat_that_postgresql_has_twice_is_a_double_booking():
    rows = [row("x"), row("y")]

    assert len(judging.double_bookings(rows, History(), {SLOT: 2})) == 1
    assert judging.double_bookings([row("x"), row("y", seat=2)], History(), {SLOT: 2}) == []


def test_more_bookings_than_seats_are_a_double_booking():
    assert len(judging.double_bookings([row("x"), row("y", seat=2)], History(), ONE)) == 1


def test_a_seat_that_two_were_told_is_a_double_booking_whatever_postgresql_has():
    twice = history(booked("x", 1.0), booked("y", 5.0))
    cancelled = [operation("cancel", 3.0, appointment="of x")]

    assert len(judging.double_bookings([row("y")], twice, ONE)) == 1
    given_back = history(booked("x", 1.0), cancelled, booked("y", 5.0))
    assert judging.double_bookings([row("y")], given_back, ONE) == []


def test_a_confirmation_that_is_not_there_or_that_nobody_cancelled_is_lost():
    heard = history(booked("x", 1.0))

    assert judging.lost([row("x")], [SLOT], [told("x")], heard) == []
    assert "not there" in judging.lost([], [SLOT], [told("x")], heard)[0]
    assert "elsewhere" in judging.lost([row("x", seat=2)], [SLOT], [told("x")], heard)[0]
    assert "offered, not there" in judging.lost([row("x")], [], [told("x")], heard)[0]
    cancelled = [row("x", status="cancelled")]
    assert "nobody asked" in judging.lost(cancelled, [SLOT], [told("x")], heard)[0]
    asked = [operation("cancel", 3.0, appointment="of x")]
    assert judging.lost(cancelled, [SLOT], [told("x")], history(booked("x", 1.0), asked)) == []


def test_a_line_of_a_log_is_told_by_what_happened(tmp_path):
    failed = {"event": "request.failed", "level": "error", "exception": "Traceback …\n  x\nE: why"}
    (tmp_path / "web.log").write_text(f"{json.dumps(failed)}\nTraceback (most recent call last):\n")

    assert strange_lines(tmp_path) == [
        "web.log: request.failed: E: why",
        "web.log: Traceback (most recent call last):",
    ]


def test_a_pipeline_is_left_open_by_a_worker_that_stops_and_by_nobody_else(tmp_path):
    left = {"event": "Unclosed Pipeline client", "level": "error"}
    told = [{"event": "worker.stopping"}, left, {"event": "worker.ready"}, left]
    (tmp_path / "worker.log").write_text("".join(encoded(line) for line in told))

    assert len(strange_lines(tmp_path)) == 1


def encoded(line: dict[str, str]) -> str:
    """As structlog writes it: without spaces."""
    return json.dumps(line, separators=(",", ":")) + "\n"
