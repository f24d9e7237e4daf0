"""A process is killed before and after every statement of every use case, and all comes right.

How many statements each sends is written down, so that nobody adds one unawares: it is in the walk
by itself, since the walk finds its points by a recorded run.
"""

import pytest

from tests.crash import cases
from tests.crash.walk import walk

# Of the first request of a process; its session is looked up (2 statements).
ALWAYS = {
    "hold": 3,
    "confirm": 6,
}
PROVED = {
    "offer": 13,
    "amend": 17,
    "withdraw": 13,
    "renew": 3,
    "release": 3,
    "confirm_under_lock": 11,
    "confirm_refused": 24,
    "cancel": 18,
    "move": 31,  # four of them look for a contact of the patient to take along
    "overflow": 10,
    "seen": 17,
    "fulfil": 17,
    "noshow": 17,
    "patient_told": 17,
    # The workers' duties.
    "sweep": 1,
    "relay": 10,
    "revoke": 7,
    "revoke_committed": 10,
    "mend": 10,
    "mend_went_back": 18,
    "rebuild": 9,
    "mails": 11,
}


@pytest.mark.parametrize("name", ALWAYS)
async def test_all_comes_right_wherever_a_booking_dies(ground, name):
    await all_comes_right(ground, name, ALWAYS[name])


@pytest.mark.prove
@pytest.mark.parametrize("name", PROVED)
async def test_all_comes_right_wherever_a_process_dies(ground, name):
    await all_comes_right(ground, name, PROVED[name])


async def all_comes_right(ground, name, statements):
    went = await walk(ground, getattr(cases, name))

    assert went.wrong == [], "\n\n".join(went.wrong)
    assert went.deaths == 2 * len(went.statements)
    assert len(went.statements) == statements, (
        f"{name} sends {len(went.statements)} statements now, and each of them was walked:"
        f" {', '.join(went.statements)}. If that is meant, write the number into this file."
    )
