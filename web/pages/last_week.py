"""“Comme la semaine dernière”: what was published seven days ago, once more."""

from starlette.requests import Request
from starlette.responses import Response

from slots.booking import offering
from slots.booking.offers import OfferedSlot
from slots.store.past_offer import past_offers
from slots.transaction import entered
from web.api.endpoint import now_of
from web.pages import habits, offer_form
from web.pages.availability import horizon_of
from web.pages.habits import Again
from web.pages.page import AVAILABILITY, key_of, posted, publisher_of, see_other
from web.state import State


async def publish_again(request: Request[State]) -> Response:
    """Offer the slots of last week that stayed ticked, a week later."""
    viewer = await publisher_of(request)
    account, desk, now = viewer.account, request.state["desk"], now_of(request)
    form = await posted(request)
    key = key_of(form)
    async with entered(desk.pool, account.id, account.reach) as conn:
        past = await past_offers(conn, account.schedules, now - habits.WEEK, now)
    wanted = set(form.getlist("again"))
    ticked = [offer for offer in past if str(offer.id) in wanted]
    again = [one for one in (habits.a_week_later(offer, now) for offer in ticked) if one]
    offers = [_offered_again(one) for one in again]
    if not offers:
        return see_other(AVAILABILITY.path, fait="rien-a-reprendre")
    slots = await offering.offer(desk, account, offers, key, now)
    return see_other(
        AVAILABILITY.path, fait=offer_form.fait(slots, now + horizon_of(request, slots))
    )


def _offered_again(again: Again) -> OfferedSlot:
    offer = again.offer
    return OfferedSlot(
        schedule_id=offer.schedule_id,
        starts_at=again.starts_at,
        ends_at=again.ends_at,
        capacity=offer.capacity,
        modality=offer.modality,
        acts=offer.acts,
        audience=offer.audience,
        area=offer.area,
        note=offer.note,
    )
