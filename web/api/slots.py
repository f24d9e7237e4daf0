"""Offering, amending and withdrawing slots."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from slots.booking import offering
from slots.booking.offers import Amendment, OfferedSlot
from slots.ids import ScheduleId, SlotId
from web.api.answers import SlotsAnswer
from web.api.bodies import (
    AmendBody,
    AreaBody,
    OfferBody,
    OfferedSlotBody,
    WithdrawQuery,
)
from web.api.endpoint import answered, desk_of, key_only, keyed_body_of, now_of
from web.auth import account_of
from web.parsing import parse_query, utc


async def offer(request: Request[Any]) -> Response:
    """Offer one or several slots: all or nothing."""
    account = await account_of(request)
    body, key = await keyed_body_of(request, OfferBody)
    offers = [offered_slot(number, slot) for number, slot in enumerate(body.slots)]
    made = await offering.offer(desk_of(request), account, offers, key, now_of(request))
    return answered(SlotsAnswer(made), status=201)


async def amend(request: Request[Any]) -> Response:
    """Change a slot."""
    account = await account_of(request)
    body, key = await keyed_body_of(request, AmendBody)
    slot_id = SlotId(request.path_params["slot_id"])
    amended = await offering.amend(
        desk_of(request), account, slot_id, amendment(body), key, now_of(request)
    )
    return answered(amended)


async def withdraw(request: Request[Any]) -> Response:
    """Take a slot back."""
    account = await account_of(request)
    query = parse_query(request.query_params, WithdrawQuery)
    key = await key_only(request)
    withdrawn = await offering.withdraw(
        desk_of(request),
        account,
        SlotId(request.path_params["slot_id"]),
        key,
        now_of(request),
        cancel_booked=query.cancel_booked,
    )
    return answered(withdrawn)


def offered_slot(number: int, body: OfferedSlotBody) -> OfferedSlot:
    """The domain's value of one offered slot."""
    return OfferedSlot(
        schedule_id=ScheduleId(body.schedule_id),
        starts_at=utc(f"slots[{number}].starts_at", body.starts_at),
        ends_at=utc(f"slots[{number}].ends_at", body.ends_at),
        capacity=body.capacity,
        modality=body.modality,
        acts=tuple(body.acts) if body.acts is not None else None,
        audience=tuple(body.audience) if body.audience is not None else None,
        area=_area(body.area) if body.area is not None else None,
        note=body.note,
    )


def amendment(body: AmendBody) -> Amendment:
    """The domain's value of what is to change. A note that is null or empty goes."""
    changes: dict[str, Any] = {
        name: value
        for name in AmendBody.__struct_fields__
        if (value := getattr(body, name)) is not msgspec.UNSET and value is not None
    }
    for name in ("starts_at", "ends_at"):
        if name in changes:
            changes[name] = utc(name, changes[name])
    for name in ("acts", "audience"):
        if name in changes:
            changes[name] = tuple(changes[name])
    if "area" in changes:
        changes["area"] = _area(changes["area"])
    return Amendment(**changes, clear_note=body.note in (None, ""))


def _area(body: AreaBody) -> dict[str, Any]:
    area: dict[str, Any] = msgspec.to_builtins(body)
    return area
