"""What was fixed before the matrix was written, so that it cannot be written to fit."""

import pytest

from slots.audience import Audience
from slots.rights import ALL, MATRIX, NOBODYS, Action, Extent, Rights, Standing

CPTS, SNP, PRO, PUBLIC = Audience
NOTHING, OWN = Extent.NOTHING, Extent.OWN


def nothing_but(rights: Rights, *actions: Action) -> bool:
    others = set(Action) - set(actions)
    return all(rights.cell(action) in (NOBODYS, NOTHING) for action in others)


def test_every_standing_has_a_row_and_every_action_a_cell():
    assert set(MATRIX) == set(Standing)
    for rights in MATRIX.values():
        for action in Action:
            kind = frozenset if action in (Action.SEE, Action.BOOK) else Extent
            assert isinstance(rights.cell(action), kind)


def test_a_coordinator_books_nothing_and_opens_no_appointment():
    rights = MATRIX[Standing.COORDINATOR]

    assert rights.see == ALL
    assert rights.book == NOBODYS
    assert nothing_but(rights, Action.SEE, Action.DIRECTORY, Action.PEOPLE, Action.AUDIT)


def test_a_regulator_reads_and_books_three_audiences_and_never_publishes():
    rights = MATRIX[Standing.REGULATOR]

    assert rights.see == rights.book == {SNP, PRO, PUBLIC}
    assert rights.publish is NOTHING
    assert nothing_but(
        rights,
        *(Action.SEE, Action.BOOK, Action.OPEN, Action.CANCEL, Action.TELL, Action.DIRECTORY),
    )


def test_a_referrer_of_a_neighbour_sees_and_books_two_audiences():
    rights = MATRIX[Standing.NEIGHBOUR]

    assert rights.see == rights.book == {PRO, PUBLIC}
    assert nothing_but(
        rights, Action.SEE, Action.BOOK, Action.OPEN, Action.CANCEL, Action.TELL, Action.DIRECTORY
    )


@pytest.mark.parametrize("standing", Standing)
def test_nobody_opens_or_changes_an_appointment_that_is_not_theirs(standing):
    rights = MATRIX[standing]

    for action in (Action.OPEN, Action.CANCEL, Action.ANSWER, Action.TELL):
        assert rights.cell(action) in (NOTHING, OWN)


@pytest.mark.parametrize("standing", Standing)
def test_nobody_publishes_for_somebody_else(standing):
    assert MATRIX[standing].publish in (NOTHING, OWN)


def test_an_administrator_sees_no_slot_and_no_appointment():
    assert nothing_but(MATRIX[Standing.ADMINISTRATOR], Action.TERRITORIES, Action.WORKSTATIONS)


def test_a_wall_looks_and_does_nothing():
    assert nothing_but(MATRIX[Standing.WALL], Action.SEE)


def test_a_stranger_has_no_right_at_all():
    assert nothing_but(MATRIX[Standing.STRANGER])


@pytest.mark.parametrize("standing", Standing)
def test_nobody_books_what_they_may_not_see(standing):
    assert MATRIX[standing].book <= MATRIX[standing].see
