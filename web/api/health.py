"""For those who watch over the service: alive, able to serve, and in numbers."""

import ipaddress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from slots.errors import LedgerUnavailable, Unavailable
from slots.store import session as store
from slots.transaction import looking
from web import metrics
from web.api.answers import HealthAnswer
from web.api.endpoint import answered, desk_of
from web.refusals import NotFound


async def healthz(request: Request[Any]) -> Response:
    """Alive: this process answers. Says nothing of what it needs."""
    return answered(HealthAnswer("ok", []))


async def readyz(request: Request[Any]) -> Response:
    """Able to serve; `degraded` where reads go on and nothing can be held."""
    if not await _ledger_answers(request):
        return answered(HealthAnswer("unavailable", ["postgresql"]), status=503)
    if not await _broker_answers(request):
        return answered(HealthAnswer("degraded", ["redis"]))
    return answered(HealthAnswer("ok", []))


async def show_metrics(request: Request[Any]) -> Response:
    """Prometheus text, for neighbours on the network only.

    Raises:
        NotFound: The question comes from the Internet.
    """
    if not _is_near(request.client.host if request.client else ""):
        raise NotFound
    return Response(metrics.text(), media_type=metrics.MEDIA_TYPE)


async def _ledger_answers(request: Request[Any]) -> bool:
    try:
        async with looking(desk_of(request).pool) as conn:
            return await store.answers(conn)
    except LedgerUnavailable:
        return False


async def _broker_answers(request: Request[Any]) -> bool:
    """Whether every territory has a board: a rebuild in progress is told as well."""
    desk = desk_of(request)
    try:
        for territory in desk.territories.by_id.values():
            if await desk.broker.position(territory) is None:
                return False
    except Unavailable:
        return False
    return True


def _is_near(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False
