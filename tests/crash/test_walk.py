"""A process is killed before and after every statement of every use case, and all comes right.

How many statements each sends is written down, so that nobody adds one unawares: it is in the walk
by itself, since the walk finds its points by a recorded run.
"""

import pytest

from tests.crash import cases
from tests.crash.walk import walk

# Of the first request of a process; its session is looked up (3 statements).
ALWAYS = {
    "hold": 4,
    "confirm": 9,
}
PROVED = {
    "offer": 15,
    "amend": 19,
    "withdraw": 15,
    "renew": 4,
    "release": 4,
    "confirm_under_lock": 15,
    "confirm_refused": 32,
    "cancel": 22,
    "move": 38,  # four of them look for a contact of the patient to take along
    "overflow": 12,
    "seen": 21,
    "fulfil": 21,
    "noshow": 21,
    "patient_told": 21,
    # The workers' duties.
    "sweep": 1,
    "relay": 12,
    "revoke": 8,
    "revoke_committed": 12,
    "mend": 12,
    "mend_went_back": 23,
    "rebuild": 11,
    "mails": 14,
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
