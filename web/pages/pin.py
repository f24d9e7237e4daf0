"""`/compte/code`: the PIN of one's own that opens a PC which has locked."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from slots.ids import INSTALLATION
from slots.pin import fault_of
from slots.store.audit import record
from slots.store.lock import put_own_pin
from slots.transaction import entered
from web.pages.own_protection import PATH, TYPED_WITHIN, ask_who, is_proved
from web.pages.page import posted, see_other, show, viewer_of
from web.state import State

PIN_PATH: Final = f"{PATH}/code"


async def pin_page(request: Request[State]) -> Response:
    """Choose one, for who has just shown who they are."""
    await viewer_of(request)
    if not await is_proved(request):
        return await ask_who(request, PIN_PATH)
    return show(request, "pin.html", error="")


async def choose_pin(request: Request[State]) -> Response:
    """Take it, instead of the one before."""
    viewer = await viewer_of(request)
    form = await request.form()
    if not await is_proved(request, TYPED_WITHIN):
        return await ask_who(request, PIN_PATH)
    pin = "".join(str(form.get("pin", "")).split())
    if (fault := fault_of(pin, [viewer.account.phone])) is not None:
        return show(request, "pin.html", status=422, error=fault)
    pin_hash = await request.state["passwords"].hash(pin)
    await _put(request, pin_hash, "pin-set")
    return see_other(PATH, fait="code")


async def remove_pin(request: Request[State]) -> Response:
    """None any more: a passkey opens, or a new sign-in."""
    await viewer_of(request)
    await posted(request)
    if not await is_proved(request):
        return await ask_who(request)
    await _put(request, None, "pin-removed")
    return see_other(PATH, fait="code-retire")


async def _put(request: Request[State], pin_hash: str | None, verb: str) -> None:
    account_id = request.scope["state"]["viewer"].account.id
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        await put_own_pin(conn, pin_hash)
        await record(conn, INSTALLATION, account_id, verb, "account", [account_id])
