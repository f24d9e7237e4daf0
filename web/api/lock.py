"""The lock of a PC, for the pages of this service and for who writes others."""

from datetime import UTC, datetime
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from slots.errors import FieldError, Invalid
from web import lock
from web.api.answers import AccountAnswer, LockAnswer
from web.api.bodies import Nothing, UnlockBody
from web.api.endpoint import answered, body_of, nothing
from web.auth import signed_in

ONE_OF_THEM = "Un code, ou une clé d’accès avec son ticket, est attendu."


async def attend(request: Request[Any]) -> Response:
    """Somebody moves before the screen."""
    await signed_in(request)  # which hears that it is a person
    await body_of(request, Nothing)
    return nothing()


async def show_lock(request: Request[Any]) -> Response:
    """Whether the session is locked, and what opens it."""
    found = await lock.lock_of(request)
    keys: list[Literal["pin", "passkey"]] = []
    if found.has_pin:
        keys.append("pin")
    if found.has_passkey:
        keys.append("passkey")
    return answered(
        LockAnswer(
            AccountAnswer(found.account_id, found.name),
            found.is_locked,
            round(found.locks_in(datetime.now(UTC)).total_seconds()),
            keys,
        )
    )


async def lock_session(request: Request[Any]) -> Response:
    """Lock it at once. Safe to repeat."""
    await lock.lock_of(request)
    await body_of(request, Nothing)
    await lock.lock(request)
    return nothing()


async def unlock_session(request: Request[Any]) -> Response:
    """Open it again."""
    await lock.lock_of(request)  # software is told first that this is not for it
    body = await body_of(request, UnlockBody)
    if body.pin is not None:
        await lock.open_with_pin(request, body.pin)
    elif body.ticket is not None and body.credential is not None:
        await lock.open_with_passkey(request, body.ticket, body.credential)
    else:
        raise Invalid([FieldError("pin", ONE_OF_THEM)])
    return nothing()
