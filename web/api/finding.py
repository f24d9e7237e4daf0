"""Looking for slots, and reading one."""

from datetime import datetime
from random import SystemRandom
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.document import SlotDocument
from slots.errors import BrokerUnavailable, Rebuilding, SlotUnknown, Unavailable
from slots.ids import SlotId, TerritoryId, territory_of
from slots.search import Found, Place, Search, search
from slots.slot import SlotStatus
from slots.store import unmet
from slots.store.slot import slots_by_id
from slots.transaction import entered
from web.api.answers import FoundSlot, RawFoundAnswer
from web.api.bodies import SlotsQuery
from web.api.endpoint import answered, desk_of, now_of
from web.auth import account_of, signed_in
from web.boards import Seen, may_see, seen_by, territories_asked
from web.parsing import parse_query, utc
from web.places import place_of

DICE: Final = SystemRandom()


async def find_slots(request: Request[Any]) -> Response:
    """The live slots that the account may see and that answer the query."""
    # What the hub knows needs no ledger: who was known a moment ago may go on looking.
    account = (await signed_in(request, without_ledger=True)).account
    query = parse_query(request.query_params, SlotsQuery)
    territory_ids = territories_asked(account, query.territory, desk_of(request).territories)
    place = await place_of(request, query.commune, query.near)
    seen = await seen_by(request, account, territory_ids)
    found = search(seen.slots, search_of(query, place), place, DICE)
    if not any(one.slot.status == SlotStatus.FREE for one in found):
        await _record_unmet(request, account, query, place, territory_ids)
    return answered(RawFoundAnswer(dict(seen.at), seen.source, _documents(seen, found, place)))


async def show_slot(request: Request[Any]) -> Response:
    """One slot, live or not yet."""
    account = await account_of(request)
    slot_id = SlotId(request.path_params["slot_id"])
    return answered(await slot_seen_by(request, account, slot_id))


async def slot_seen_by(request: Request[Any], account: Account, slot_id: SlotId) -> SlotDocument:
    """One slot as the ledger has it, with the holds that the hub knows of.

    Raises:
        SlotUnknown: It does not exist, or the account may not know that it does.
    """
    territory_id = territory_of(slot_id)
    if territory_id not in account.reach:
        raise SlotUnknown
    async with entered(desk_of(request).pool, account.id, [territory_id]) as conn:
        slot = (await slots_by_id(conn, [slot_id])).get(slot_id)
    if slot is None or not may_see(account, territory_id, slot.document()):
        raise SlotUnknown
    document = slot.document()
    try:
        live = (await request.state["hub"].board(territory_id)).slots.get(slot_id)
    except (BrokerUnavailable, Rebuilding):
        return document
    # The hub may be a moment behind the ledger, which then knows better.
    return live if live is not None and live.version >= document.version else document


def search_of(query: SlotsQuery, place: Place | None) -> Search:
    """The filters of a query. With a place the nearest come first, unless it says otherwise."""
    return Search(
        profession=query.profession,
        specialty=query.specialty,
        act=query.act,
        modality=query.modality,
        status=query.status,
        radius_km=query.radius_km,
        starts_before=utc("starts_before", query.starts_before) if query.starts_before else None,
        nearest_first=place is not None and query.order != "earliest",
        limit=query.limit,
    )


def _documents(seen: Seen, found: list[Found], place: Place | None) -> list[msgspec.Raw]:
    if place is None:
        return [seen.json(one.slot) for one in found]
    return [msgspec.Raw(msgspec.json.encode(_with_distance(one))) for one in found]


def _with_distance(found: Found) -> FoundSlot:
    fields = {name: getattr(found.slot, name) for name in SlotDocument.__struct_fields__}
    return FoundSlot(**fields, distance_km=found.distance_km)


async def _record_unmet(
    request: Request[Any],
    account: Account,
    query: SlotsQuery,
    place: Place | None,
    territory_ids: list[TerritoryId],
) -> None:
    """Keep the need, where one was named; a figure less is no reason to refuse the answer."""
    if not (query.act or query.profession or query.specialty):
        return
    asked_at = now_of(request)
    need = unmet.UnmetSearch(
        act=query.act,
        profession=query.profession,
        specialty=query.specialty,
        insee=place.insee if place else None,
        within_hours=_delay(query.starts_before, asked_at),
    )
    # Where one only looks over the fence, the need is not the neighbour's.
    own = [territory_id for territory_id in territory_ids if account.roles_in(territory_id)]
    try:
        async with entered(desk_of(request).pool, account.id, own) as conn:
            for territory_id in own:
                await unmet.record(conn, territory_id, need, asked_at)
    except Unavailable:
        return


def _delay(starts_before: datetime | None, asked_at: datetime) -> int | None:
    return unmet.delay_hours(starts_before - asked_at) if starts_before else None
