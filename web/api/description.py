"""Serves the OpenAPI document."""

from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response


async def show_description(request: Request[Any]) -> Response:
    """What this API takes, answers and refuses."""
    return Response(_document(), media_type="application/json")


@cache
def _document() -> bytes:
    # Imported late: the table that is described has this endpoint in it.
    from web.api.routes import ENDPOINTS  # noqa: PLC0415
    from web.openapi import describe  # noqa: PLC0415

    return msgspec.json.encode(describe(ENDPOINTS))
