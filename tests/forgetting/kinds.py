"""The kinds of Redis that the broker's and the booking's suites run on.

`make test` takes the Valkey of the wheel; `make prove` takes Redis itself and a Cluster too.
A folder takes part when its conftest imports `pytest_generate_tests` from here.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import apart, in_memory
from tests.forgetting.cluster import Cluster
from tests.forgetting.node import Node

REDIS: Final = Path(__file__).parents[2] / ".redis" / "redis-server"  # .ci/redis brings it
NOT_DURABLE: Final = ("--appendonly", "no")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that speaks to Redis runs once with each kind; all but the first are proofs."""
    if "redis_kind" in metafunc.fixturenames:
        others = [pytest.param(kind, marks=pytest.mark.prove) for kind in URL_OF_KIND]
        metafunc.parametrize("redis_kind", ["valkey", *others])


@contextlib.contextmanager
def a_directory() -> Iterator[Path]:
    """A folder that the servers' account may enter, gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="chrono48-nodes-", dir=in_memory()))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@contextlib.contextmanager
def redis_itself() -> Iterator[str]:
    """Redis, not Valkey; its URL."""
    assert REDIS.exists(), "Redis is not here: run .ci/redis, as `make prove` does"
    with a_directory() as directory:
        node = Node(directory / "redis", *NOT_DURABLE, server=REDIS)
        node.start()
        apart(node.ready())
        yield node.url
        node.stop()


@contextlib.contextmanager
def a_cluster() -> Iterator[str]:
    """Three primaries with three replicas; their URL."""
    with a_directory() as directory:
        cluster = Cluster(directory, *NOT_DURABLE)
        cluster.start()
        apart(cluster.form())
        yield cluster.url
        cluster.stop()


URL_OF_KIND: Final[dict[str, Callable[[], AbstractContextManager[str]]]] = {
    "redis": redis_itself,
    "cluster": a_cluster,
}
