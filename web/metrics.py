"""What Prometheus may count. No label tells a person, an id or a search."""

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REGISTRY: Final = CollectorRegistry(auto_describe=True)

REQUESTS: Final = Counter(
    "chrono48_requests", "Answered requests.", ("method", "route", "status"), registry=REGISTRY
)
SECONDS: Final = Histogram(
    "chrono48_request_seconds",
    "Time to an answer, in seconds.",
    ("route",),
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
    registry=REGISTRY,
)
REFUSALS: Final = Counter(
    "chrono48_refusals",
    "Refusals by code: lost races, and a broker or a ledger that is away.",
    ("code",),
    registry=REGISTRY,
)
# One look-up per request of what prometheus-client finds through a lock each time. Methods, routes
# and statuses are few: nobody can invent one (`web.answering`).
requests = cache(REQUESTS.labels)
seconds = cache(SECONDS.labels)

SOCKETS: Final = Gauge("chrono48_sockets", "Open live sockets.", registry=REGISTRY)

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST


def text() -> bytes:
    """All of it, as Prometheus reads it."""
    return generate_latest(REGISTRY)
