"""The checker accepts what may have happened and nothing else: histories known good and known bad."""

import random
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.proof.history import History, Loss, Operation, Recorder, read
from tests.proof.linearizability import violation, violations
from tests.proof.telling import (
    VERBS_OF_THE_TOY,
    a_true_history,
    board,
    booked,
    forgetful,
    held,
    ledger,
    offered,
    op,
    stretched,
)

GOOD = {
    "one booking": [offered(), held("a", 2, "h"), booked("a", 4, "h", "x"), ledger(6, booked=1)],
    "a loser is told": [offered(), held("a", 2, "h"), op("b", "hold", 4, 5, "slot-taken")],
    "two at once, in either order": [
        offered(),
        op("b", "hold", 2, 9, "slot-taken"),
        op("a", "hold", 3, 8, "done", facts={"hold": "h", "seat": 1, "until": 200}),
    ],
    "a seat comes back by release": [
        offered(),
        held("a", 2, "h"),
        op("a", "release", 4, 5, "done", hold="h"),
        held("b", 6, "i"),
    ],
    "a seat comes back by time": [offered(), held("a", 2, "h", until=10), held("b", 10.1, "i")],
    "what ran out is refused": [
        offered(),
        held("a", 2, "h", until=10),
        op("a", "confirm", 12, 13, "hold-expired", hold="h"),
    ],
    "a renewed hold lives longer": [
        offered(),
        held("a", 2, "h", until=10),
        op("a", "renew", 8, 9, "done", hold="h", facts={"until": 18}),
        op("b", "hold", 12, 13, "slot-taken"),
        booked("a", 14, "h", "x"),
    ],
    "a confirm is answered twice": [
        offered(),
        held("a", 2, "h"),
        booked("a", 4, "h", "x"),
        booked("a", 6, "h", "x"),
    ],
    "a cancelled seat is given again": [
        offered(),
        held("a", 2, "h"),
        booked("a", 4, "h", "x"),
        op("a", "cancel", 6, 7, "done", appointment="x"),
        held("b", 8, "i"),
        booked("b", 10, "i", "y"),
    ],
    "a withdrawal beats a hold": [
        offered(),
        held("a", 2, "h"),
        op("ann", "withdraw", 4, 5, "done", cancel_booked=False),
        op("a", "confirm", 6, 7, "slot-withdrawn", hold="h"),
        op("b", "hold", 8, 9, "slot-withdrawn"),
        board(10, absent=True),
    ],
    "a confirm seals in time and commits late": [
        offered(),
        held("a", 2, "h", until=10),
        op("a", "confirm", 9, 20, "done", hold="h", facts={"appointment": "x", "seat": 1}),
    ],
    "a board that has not heard yet of a cancellation": [
        offered(),
        held("a", 2, "h"),
        booked("a", 4, "h", "x"),
        op("a", "cancel", 6, 7, "done", appointment="x"),
        board(8, free=0, booked=1),
        board(10, free=1, booked=0),
    ],
    "a frozen confirmer is revoked, and the next has the seat": [
        offered(),
        held("a", 2, "h"),
        op("a", "confirm", 4, 90, "hold-expired", hold="h"),
        held("b", 60, "i"),
        booked("b", 62, "i", "y"),
    ],
    "each audience for itself": [
        offered(audience=["SNP"]),
        op("a", "hold", 2, 3, "not-allowed", hears=["CPTS"]),
        op("b", "hold", 4, 5, "slot-taken", hears=["SNP"]),
        op("c", "hold", 1.5, 9, "done", hears=["SNP"], facts={"hold": "h", "seat": 1, "until": 99}),
    ],
    "what is unknown has happened": [
        offered(),
        held("a", 2, "h"),
        op("a", "confirm", 4, hold="h"),
        ledger(6, booked=1),
    ],
    "what is unknown has not happened": [
        offered(),
        held("a", 2, "h"),
        op("a", "confirm", 4, hold="h"),
        ledger(6, booked=0),
    ],
    "what is unknown happens late": [
        offered(),
        held("a", 2, "h"),
        op("a", "confirm", 4, hold="h"),
        ledger(6, booked=0),
        ledger(8, booked=1),
    ],
    "a hold that nobody heard of keeps its seat": [
        offered(),
        op("a", "hold", 2),
        op("b", "hold", 4, 5, "slot-taken"),
        held("c", 190, "i", until=400),
    ],
    "a hold that nobody heard of was none": [offered(), op("a", "hold", 2), held("b", 4, "i")],
    "an offer that nobody heard of": [
        op("ann", "offer", 0, capacity=1, audience=["CPTS"]),
        held("a", 2, "h"),
    ],
    "a release that nobody heard of": [
        offered(),
        held("a", 2, "h"),
        op("a", "release", 4, hold="h"),
        held("b", 6, "i"),
    ],
    "a renewal that nobody heard of": [
        offered(),
        held("a", 2, "h", until=10),
        op("a", "renew", 8, hold="h"),
        op("b", "hold", 12, 13, "slot-taken"),
    ],
}

BAD = {
    "a seat held by two": [offered(), held("a", 2, "h"), held("b", 4, "i")],
    "a seat booked twice": [
        offered(),
        held("a", 2, "h"),
        op("a", "release", 4, 5, "done", hold="h"),
        held("b", 6, "i"),
        booked("b", 8, "i", "y"),
        booked("a", 10, "h", "x"),
    ],
    "more seats than there are": [offered(capacity=2)]
    + [held(name, 2 * turn, f"h{name}", turn) for turn, name in enumerate("abc", 1)],
    "a confirmed booking that is lost": [
        offered(),
        held("a", 2, "h"),
        booked("a", 4, "h", "x"),
        ledger(6, booked=0),
    ],
    "a booking that another one replaces": [
        offered(),
        held("a", 2, "h"),
        booked("a", 4, "h", "x"),
        held("b", 6, "i"),
    ],
    "one hold, two appointments": [
        offered(capacity=2),
        held("a", 2, "h"),
        booked("a", 4, "h", "x"),
        booked("a", 6, "h", "y", seat=2),
    ],
    "a read of a seat that never was": [offered(), ledger(2, booked=1)],
    "a board with a seat that never was": [offered(), board(2, free=2)],
    "a board that goes back": [
        offered(),
        held("a", 2, "h"),
        booked("a", 4, "h", "x"),
        board(6, free=0, held=0, booked=1),
        board(8, free=1, held=0, booked=0),
    ],
    "a hold freed before its time": [offered(), held("a", 2, "h", until=10), held("b", 4, "i")],
    "a hold that outlives its time": [
        offered(),
        held("a", 2, "h", until=10),
        op("b", "hold", 12, 13, "slot-taken"),
    ],
    "a confirm after its time": [offered(), held("a", 2, "h", until=10), booked("a", 12, "h", "x")],
    "a confirm after a release": [
        offered(),
        held("a", 2, "h"),
        op("a", "release", 4, 5, "done", hold="h"),
        booked("a", 6, "h", "x"),
    ],
    "a confirm without a hold": [offered(), booked("a", 2, "h", "x")],
    "a confirm of somebody else's hold": [
        offered(),
        held("a", 2, "h"),
        booked("b", 4, "h", "x"),
    ],
    "a confirm after a withdrawal": [
        offered(),
        held("a", 2, "h"),
        op("ann", "withdraw", 4, 5, "done", cancel_booked=False),
        booked("a", 6, "h", "x"),
    ],
    "a withdrawal over a booking that nobody cancelled": [
        offered(),
        held("a", 2, "h"),
        booked("a", 4, "h", "x"),
        op("ann", "withdraw", 6, 7, "done", cancel_booked=False),
    ],
    "a hold that says taken while all is free": [offered(), op("a", "hold", 2, 3, "slot-taken")],
    "a seat for other audiences": [
        offered(audience=["SNP"]),
        op("a", "hold", 2, 3, "done", hears=["CPTS"], facts={"hold": "h", "seat": 1, "until": 9}),
    ],
    "a confirm refused while the seat is its own": [
        offered(),
        held("a", 2, "h"),
        op("a", "confirm", 4, 5, "hold-expired", hold="h"),
    ],
    "a booking known, then not": [
        offered(),
        held("a", 2, "h"),
        op("a", "confirm", 4, hold="h"),
        ledger(6, booked=1),
        ledger(8, booked=0),
    ],
    "a seal that time takes away": [
        offered(),
        held("a", 2, "h", until=10),
        op("a", "confirm", 4, 40, "done", hold="h", facts={"appointment": "x", "seat": 1}),
        held("b", 20, "i"),
    ],
    "a confirmer that wakes after its revocation": [
        offered(),
        held("a", 2, "h"),
        op("a", "confirm", 4, 90, "done", hold="h", facts={"appointment": "x", "seat": 1}),
        held("b", 60, "i"),
        booked("b", 62, "i", "y"),
    ],
    "one cancellation of what was never booked": [
        offered(),
        op("a", "cancel", 2, 3, "done", appointment="x"),
    ],
}

# Good if Redis lost data between 5 and 6, bad otherwise.
ONLY_WHERE_REDIS_FORGETS = {
    "a hold is forgotten": [offered(), held("a", 2, "h"), held("b", 8, "i")],
    "a hold is forgotten and refused": [
        offered(),
        held("a", 2, "h"),
        op("a", "confirm", 8, 9, "hold-expired", hold="h"),
    ],
    "a release is forgotten": [
        offered(),
        held("a", 2, "h"),
        op("a", "release", 3.5, 4, "done", hold="h"),
        op("b", "hold", 8, 9, "slot-taken"),
    ],
    "the seat of one is given to another, who takes the next": [
        offered(capacity=2),
        held("a", 2, "h"),
        op("a", "confirm", 4, 20, "done", hold="h", facts={"appointment": "x", "seat": 1}),
        held("b", 8, "i"),
        op("b", "confirm", 9, 21, "done", hold="i", facts={"appointment": "y", "seat": 2}),
    ],
    "the seat of one is given to another, who hears that it is taken": [
        offered(),
        held("a", 2, "h"),
        op("a", "confirm", 4, 20, "done", hold="h", facts={"appointment": "x", "seat": 1}),
        held("b", 8, "i"),
        op("b", "confirm", 22, 23, "slot-taken", hold="i"),
    ],
}
FORGETS = Loss(5, 6, back_to=1)


def test_a_refusal_that_fits_early_does_not_shut_out_a_loss_before_it():
    """As chaos found it: the refusal overlaps the hold that followed the loss."""
    operations = [
        offered(),
        held("a", 2, "h"),
        held("b", 10, "i"),
        op("c", "hold", 10.5, 12, "slot-taken"),
    ]

    assert violation("slot", operations, [Loss(5, 6)]) is None
    assert violation("slot", operations) is not None


# What Redis alone knew. Whatever it forgets, no seat is booked twice and no booking goes.
HOLDS_THAT_MAY_BE_LOST = {
    "a seat held by two",
    "a booking that another one replaces",
    "more seats than there are",
    "a hold freed before its time",
    "a seal that time takes away",
    "a confirm after a release",
    "a confirm refused while the seat is its own",
}


@pytest.mark.parametrize("name", GOOD)
def test_this_may_have_happened(name):
    assert violation("slot", GOOD[name]) is None


@pytest.mark.parametrize("name", BAD)
def test_this_can_never_have_happened(name):
    assert violation("slot", BAD[name]) is not None


@pytest.mark.parametrize("name", ONLY_WHERE_REDIS_FORGETS)
def test_this_may_happen_only_where_redis_forgets(name):
    history = ONLY_WHERE_REDIS_FORGETS[name]

    assert violation("slot", history, [FORGETS]) is None
    assert violation("slot", history) is not None


@pytest.mark.parametrize("name", [name for name in BAD if name not in HOLDS_THAT_MAY_BE_LOST])
def test_the_ledger_has_no_such_excuse(name):
    assert violation("slot", BAD[name], [Loss(0, 100), Loss(0, 100, back_to=0)]) is not None


def test_the_shortest_prefix_is_told_in_words():
    history = [*BAD["a seat booked twice"], ledger(20, booked=1), ledger(22, booked=2)]

    found = violation("the slot of ann", history)

    assert found is not None
    assert found.prefix == history[: len(BAD["a seat booked twice"])]
    assert "slot the slot of ann" in str(found)
    assert "! 10.000–11.000 a: confirm hold=h account=a → done appointment=x seat=1" in str(found)


def test_each_slot_is_judged_alone():
    history = History({"good": GOOD["one booking"], "bad": BAD["a seat held by two"]})

    assert [one.slot for one in violations(history)] == ["bad"]


def test_fifty_who_want_one_seat_at_once_are_judged_quickly():
    crowd = [op(f"c{number}", "hold", 2, 9, "slot-taken") for number in range(49)]
    silent = [op(f"s{number}", "hold", 2) for number in range(20)]
    winner = op("w", "hold", 2, 9, "done", facts={"hold": "h", "seat": 1, "until": 99})
    other = op("v", "hold", 2, 9, "done", facts={"hold": "i", "seat": 1, "until": 99})

    assert violation("slot", [offered(), *crowd, *silent, winner]) is None
    assert violation("slot", [offered(), *crowd, *silent, winner, other]) is not None


# What a correct service told is always explained; a lie never is.

DICE = st.integers(0, 2**32).map(random.Random)
TOLD = st.lists(st.sampled_from(VERBS_OF_THE_TOY), min_size=1, max_size=25)


@given(st.integers(1, 3), TOLD, DICE)
def test_what_a_correct_service_told_is_explained(capacity, verbs, dice):
    told = a_true_history(capacity, verbs, dice)

    found = violation("slot", stretched(told, dice))

    assert found is None, found


@given(st.integers(1, 3), TOLD, DICE)
def test_it_is_explained_also_where_answers_are_lost(capacity, verbs, dice):
    told = a_true_history(capacity, verbs, dice)

    found = violation("slot", forgetful(stretched(told, dice), dice))

    assert found is None, found


@given(st.integers(1, 3), TOLD, DICE)
def test_one_lie_is_found(capacity, verbs, dice):
    told = a_true_history(capacity, verbs, dice)
    lies = [(index, lie) for index, one in enumerate(told) for lie in lies_about(one)]
    assume(lies)
    index, lie = dice.choice(lies)

    found = violation("slot", [*told[:index], lie, *told[index + 1 :]])

    assert found is not None
    assert found.prefix[-1].called_at >= lie.called_at


def lies_about(one: Operation) -> list[Operation]:
    """Answers that contradict what the ledger, or the broker, must have known just then."""
    match one.verb, one.word:
        case "read", _ if "withdrawn" in one.answer:
            return [replace(one, answer=one.answer | {"booked": one.answer["booked"] + 1})]
        case "read", _ if "free" in one.answer:
            return [replace(one, answer=one.answer | {"held": one.answer["held"] + 1})]
        case "hold", "slot-taken":
            given_away = {"word": "done", "hold": "lie", "seat": 1, "until": one.called_at + 9}
            return [replace(one, answer=given_away)]
        case "hold", "done":
            return [replace(one, answer={"word": "slot-withdrawn"})]
        case "confirm", "hold-expired":
            return [replace(one, answer={"word": "done", "appointment": "lie", "seat": 1})]
        case "confirm", "done":
            return [replace(one, answer={"word": "hold-expired"})]
        case "withdraw", "seats-booked":
            return [replace(one, answer={"word": "done"})]
        case _:
            return []


# What is recorded is what is judged.


def test_a_history_is_written_as_it_happens_and_read_again(tmp_path):
    one, other = Recorder(tmp_path / "one"), Recorder(tmp_path / "other")
    offering = one.called("ann", "offer", None, capacity=1, audience=["CPTS"])
    one.returned(offering, "done", slot="s")
    holding = other.called("a", "hold", "s", account="a")
    other.called("b", "hold", "s", account="b")
    other.returned(holding, "done", hold="h", seat=1, until=9e9)
    other.lost(1.0, 2.0, back_to=0.5)
    for recorder in (one, other):
        recorder.close()

    history = read([tmp_path / "one", tmp_path / "other"])

    assert [(op.client, op.verb, op.word) for op in history.slots["s"]] == [
        ("ann", "offer", "done"),
        ("a", "hold", "done"),
        ("b", "hold", None),
    ]
    assert history.losses == [Loss(1.0, 2.0, 0.5)]
    assert violations(history) == []


def test_a_recorder_that_was_killed_leaves_what_it_had_begun(tmp_path):
    recorder = Recorder(tmp_path / "one")
    recorder.called("ann", "offer", "s", capacity=1, audience=["CPTS"])
    recorder.close()
    with (tmp_path / "one").open("a") as file:
        file.write('{"number": 1, "answ')

    assert [op.word for op in read([tmp_path / "one"]).slots["s"]] == [None]
