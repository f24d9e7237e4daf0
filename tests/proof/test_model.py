"""The broker does what its model says, whatever is asked of it and whatever happens to Redis."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.machine import BrokerMachine

QUICK = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LONG = settings(QUICK, max_examples=1_200, stateful_step_count=60)
LONG_TIMEOUT_S = timedelta(minutes=10).total_seconds()


def test_the_broker_does_what_the_model_says(servers):
    run_state_machine_as_test(lambda: BrokerMachine(servers.valkey.url), settings=QUICK)


@pytest.mark.prove
@pytest.mark.timeout(LONG_TIMEOUT_S)
def test_the_broker_does_what_the_model_says_for_long(servers):
    run_state_machine_as_test(lambda: BrokerMachine(servers.valkey.url), settings=LONG)
