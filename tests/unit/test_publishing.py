"""No slot, does not publish, and unknown are three answers; free is the fourth."""

from datetime import UTC, datetime

import pytest

from slots.publishing import Offers, Publishing

SOON = datetime(2026, 11, 25, 17, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        (Offers(free=2, next_at=SOON, has_account=True), Publishing.FREE),
        (Offers(to_viewer=True, to_anybody=True, has_account=True), Publishing.NONE),
        (Offers(has_account=True), Publishing.SILENT),
        (Offers(), Publishing.UNKNOWN),
        # To others than the one who asks: whether there is a place is not theirs to know.
        (Offers(to_anybody=True, has_account=True), Publishing.UNKNOWN),
        # Published last week; the account was disabled since.
        (Offers(to_viewer=True, to_anybody=True), Publishing.NONE),
    ],
)
def test_each_case_has_its_own_answer(offers, answer):
    assert offers.publishing(holds_are_known=True) is answer


def test_without_the_live_holds_a_place_that_looks_free_may_be_taken():
    offers = Offers(free=1, next_at=SOON, has_account=True)

    assert offers.publishing(holds_are_known=False) is Publishing.UNKNOWN
    assert Offers(has_account=True).publishing(holds_are_known=False) is Publishing.SILENT
