"""The lock of a PC, from before it: closing it, and opening it again by a PIN or a passkey.

An unlock is no sign-in: the session goes on where it was, as old as it is, and whoever wants what
asks again who it is must still show it.
"""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from slots.errors import NotAllowed
from slots.pin import TRIES_MAX
from slots.store import lock as store
from slots.store.lock import Lock
from slots.store.ticket import Purpose
from slots.transaction import looking
from web.auth import api_key_of, browser_hash_of
from web.refusals import FactorRefused, NotSignedIn, PinRefused
from web.second_factor import passkey_shown
from web.security_log import noted
from web.tickets import ticket_of


async def lock_of(request: Request[Any]) -> Lock:
    """The lock of the session in the cookie.

    Raises:
        NotSignedIn: There is no live session.
        NotAllowed: It is one that never locks.
    """
    session_hash = _hash_of(request)
    async with looking(request.state["desk"].pool) as conn:
        found = await store.lock_of(conn, session_hash, datetime.now(UTC))
    if found is not None:
        return found
    if await request.state["sessions"].signed_in(session_hash) is None:
        raise NotSignedIn
    raise NotAllowed


async def lock(request: Request[Any]) -> None:
    """Lock it at once. Safe to repeat. Raises as `lock_of`."""
    await lock_of(request)
    session_hash = _hash_of(request)
    async with looking(request.state["desk"].pool) as conn:
        if not await store.lock(conn, session_hash, datetime.now(UTC)):
            raise NotSignedIn
    request.state["sessions"].forget(session_hash)


async def open_with_pin(request: Request[Any], pin: str) -> None:
    """Open it by the PIN of its owner; where it is open already nothing is asked.

    Raises:
        PinRefused: It is another one; a few more are listened to.
        NotSignedIn: It has ended, now or before: too many were wrong.
        NotAllowed: It is one that never locks.
    """
    found = await lock_of(request)
    if not found.is_locked:
        return None
    session_hash = _hash_of(request)
    async with looking(request.state["desk"].pool) as conn:
        tried = await store.try_pin(conn, session_hash, datetime.now(UTC))
    if tried is None:
        if (await lock_of(request)).is_locked:  # else somebody else has opened it meanwhile
            await _end(request, found)
        return None
    pin_hash, tries = tried
    if await request.state["passwords"].verify(pin, pin_hash):
        return await _open(request, found)
    await noted(request, "unlock-refused", found.account_id)
    if tries >= TRIES_MAX:
        await _end(request, found)
    raise PinRefused(TRIES_MAX - tries)


async def open_with_passkey(
    request: Request[Any], ticket_id: str, credential: dict[str, Any]
) -> None:
    """Open it by a passkey of its owner, which has asked for a finger, a face or a PIN by itself.

    Raises:
        TicketEnded: The question was answered before, or is too old.
        FactorRefused: The answer is not good, or somebody else's.
        NotSignedIn, NotAllowed: As `lock_of`.
    """
    found = await lock_of(request)
    ticket = await ticket_of(request, ticket_id, Purpose.PASSKEY)
    if await passkey_shown(request, ticket, credential) != found.account_id:
        await noted(request, "unlock-refused", found.account_id)
        raise FactorRefused
    if found.is_locked:
        await _open(request, found)


async def _open(request: Request[Any], found: Lock) -> None:
    session_hash = _hash_of(request)
    await noted(request, "unlock", found.account_id)
    async with looking(request.state["desk"].pool) as conn:
        if not await store.unlock(conn, session_hash, datetime.now(UTC)):
            raise NotSignedIn
    request.state["sessions"].forget(session_hash)
    request.state["account_id"] = found.account_id


async def _end(request: Request[Any], found: Lock) -> None:
    """Somebody guesses: whoever it is signs in again."""
    await request.state["sessions"].end(_hash_of(request))
    await noted(request, "unlock-ended", found.account_id)
    raise NotSignedIn


def _hash_of(request: Request[Any]) -> bytes:
    if api_key_of(request.scope) is not None:
        raise NotAllowed
    session_hash = browser_hash_of(request)
    if session_hash is None:
        raise NotSignedIn
    return session_hash
