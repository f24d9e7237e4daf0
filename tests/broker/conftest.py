"""A broker that is ready, on an empty Valkey."""

from collections.abc import AsyncIterator

import pytest

from slots import redis_url as urls
from tests.broker.stage import Stage
from tests.forgetting.kinds import pytest_generate_tests

__all__ = ["pytest_generate_tests"]


@pytest.fixture
async def empty_stage(redis_url: str) -> AsyncIterator[Stage]:
    """No generation yet: nobody has brought the ledger."""
    client = urls.connect(redis_url)
    yield Stage(client)
    await client.aclose()


@pytest.fixture
async def stage(empty_stage: Stage) -> Stage:
    """Generation 1, ready, without a slot."""
    await empty_stage.rebuild()
    return empty_stage
