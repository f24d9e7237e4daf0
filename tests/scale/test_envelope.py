"""The envelope says what ARCHITECTURE.md says."""

from pathlib import Path

from slots.database import POOL_SIZE_MAX
from tests.scale.envelope import NEEDS, POOL_SIZE, SUMMER, table

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"


def test_the_table_of_the_architecture_is_the_one_that_the_command_prints():
    assert table(NEEDS) in ARCHITECTURE.read_text()


def test_the_envelope_counts_the_connections_that_a_process_takes():
    assert POOL_SIZE == POOL_SIZE_MAX


def test_a_summer_multiplies_what_patients_ask_and_not_who_looks():
    usual, summer = NEEDS[-2:]

    assert summer.bookings == usual.bookings * SUMMER
    assert summer.searches == usual.searches * SUMMER
    assert summer.sockets == usual.sockets
    assert summer.webs >= usual.webs
