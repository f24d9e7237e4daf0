"""The next best free slots for one who was too late."""

from datetime import timedelta
from uuid import uuid4

import msgspec

from slots.alternatives import ALTERNATIVES_MAX, next_best
from slots.document import LocationDocument, SlotDocument
from tests.broker.stage import START, make_slot

MISSED = make_slot(starts_at=START).document()


def near(minutes: float = 10, **fields) -> SlotDocument:
    """A free slot that serves the same need, so long after the missed one."""
    schedule = fields.pop("schedule", MISSED.schedule)
    document = make_slot(starts_at=START + timedelta(minutes=minutes)).document()
    return msgspec.structs.replace(document, schedule=schedule, **fields)


def offered(*documents: SlotDocument, may_book=lambda document: True) -> list[SlotDocument]:
    return next_best(MISSED, documents, may_book)


def at_commune(insee: str):
    location = LocationDocument(uuid4(), "Cabinet", "Magalas", insee, 43.4, 3.2, "0400000002")
    return msgspec.structs.replace(MISSED.schedule, location=location)


def of(**practitioner):
    who = msgspec.structs.replace(MISSED.schedule.practitioner, **practitioner)
    return msgspec.structs.replace(MISSED.schedule, practitioner=who)


def test_the_nearest_in_time_comes_first_be_it_before_or_after():
    late, soon, before = near(60), near(10), near(-20)

    assert offered(late, soon, before) == [soon, before, late]


def test_at_the_same_time_the_same_commune_comes_first():
    far, here = near(10, schedule=at_commune("34147")), near(10)

    assert offered(far, here) == [here, far]


def test_at_most_five_are_named():
    documents = [near(minutes) for minutes in range(1, 9)]

    assert offered(*documents) == documents[:ALTERNATIVES_MAX]
    assert ALTERNATIVES_MAX == 5


def test_only_what_serves_the_same_need_is_named():
    assert (
        offered(
            near(modality="VR"),
            near(acts=["dressing"]),
            near(schedule=of(profession="60")),
            near(schedule=of(specialty="SM26")),
        )
        == []
    )


def test_one_common_act_is_enough():
    fitting = near(acts=["suture", "consultation"])

    assert offered(fitting) == [fitting]


def test_a_taken_slot_and_the_missed_one_itself_are_not_named():
    assert offered(near(free=0), MISSED) == []


def test_what_the_caller_may_not_book_is_not_named():
    assert offered(near(), may_book=lambda document: False) == []
