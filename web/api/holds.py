"""Holding a seat, and making it true."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from slots.booking import confirming, holding
from slots.booking import overflow as beyond
from slots.booking.choice import Choice
from slots.ids import HoldId, ScheduleId, SlotId
from web.api.answers import appointment_answer, hold_answer
from web.api.bodies import ChoiceBody, OverflowBody
from web.api.endpoint import answered, desk_of, key_only, keyed_body_of, nothing, now_of
from web.auth import account_of
from web.parsing import utc


async def hold(request: Request[Any]) -> Response:
    """Hold a free seat: the first to ask has it."""
    account = await account_of(request)
    key = await key_only(request)
    slot_id = SlotId(request.path_params["slot_id"])
    held = await holding.hold(desk_of(request), account, slot_id, key, now_of(request))
    return answered(hold_answer(held), status=201)


async def renew(request: Request[Any]) -> Response:
    """Hold it longer, once."""
    account = await account_of(request)
    key = await key_only(request)
    hold_id = HoldId(request.path_params["hold_id"])
    held = await holding.renew(desk_of(request), account, hold_id, key, now_of(request))
    return answered(hold_answer(held))


async def release(request: Request[Any]) -> Response:
    """Give the seat back."""
    account = await account_of(request)
    await key_only(request)
    await holding.release(
        desk_of(request), account, HoldId(request.path_params["hold_id"]), now_of(request)
    )
    return nothing()


async def confirm(request: Request[Any]) -> Response:
    """Make a held seat an appointment. The answer is durable."""
    account = await account_of(request)
    body, key = await keyed_body_of(request, ChoiceBody)
    hold_id = HoldId(request.path_params["hold_id"])
    booked = await confirming.confirm(
        desk_of(request), account, hold_id, choice(body), key, now_of(request)
    )
    return answered(appointment_answer(booked, desk_of(request).territories), status=201)


async def overflow(request: Request[Any]) -> Response:
    """Book without a seat, with somebody who accepts that."""
    account = await account_of(request)
    body, key = await keyed_body_of(request, OverflowBody)
    booked = await beyond.overflow(
        desk_of(request),
        account,
        ScheduleId(request.path_params["schedule_id"]),
        utc("starts_at", body.starts_at),
        choice(body),
        key,
        now_of(request),
    )
    return answered(appointment_answer(booked, desk_of(request).territories), status=201)


def choice(body: ChoiceBody) -> Choice:
    """The domain's value of what was chosen."""
    return Choice(body.reason, body.urgency, body.origin)
