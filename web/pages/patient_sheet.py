"""`/rendez-vous/{id}/feuille`: one booking on paper, for the patient to take along."""

from datetime import UTC, datetime
from typing import Final

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from slots.document import LocationDocument
from slots.transaction import entered
from web.pages.orientations import acts_of, view_of
from web.pages.page import show, viewer_of
from web.pages.reading import ground
from web.state import State

# https://wiki.openstreetmap.org/wiki/Browsing: a marker, and a view around it.
MAP: Final = (
    "https://www.openstreetmap.org/?mlat={lat:.5f}&mlon={lon:.5f}#map=17/{lat:.5f}/{lon:.5f}"
)
QR_SCALE: Final = 4  # pixels a module: 45 of them with the quiet zone, 180 in all, 4.8 cm on paper
AT_THE_PRACTICE: Final = "AMB"


async def patient_sheet(request: Request[State]) -> Response:
    """Where, when, with whom and what to bring; nothing about the patient. For both sides of it."""
    account, desk = (await viewer_of(request)).account, request.state["desk"]
    async with entered(desk.pool, account.id, account.reach) as conn:
        view = await view_of(request, conn, account)
        words = await ground(conn, account.reach)
    goes_there = view.slot is None or view.slot.modality == AT_THE_PRACTICE
    way = map_link(view.schedule.location) if goes_there else ""
    return show(
        request,
        "patient_sheet.html",
        view=view,
        one=view.appointment,
        acts=acts_of(view, words),
        goes_there=goes_there,
        way=way,
        qr=qr_of(way) if way else "",
        now=datetime.now(UTC),
    )


def map_link(location: LocationDocument) -> str:
    """Where the place is, on a public map: coordinates and nothing else leave the service."""
    return MAP.format(lat=location.lat, lon=location.lon)


def qr_of(link: str) -> Markup:
    """*link* as a drawing, dark on white also at night: a camera reads it from the screen too."""
    code = segno.make(link, error="m")
    drawing: str = code.svg_inline(scale=QR_SCALE, dark="#000", light="#fff", svgclass="qr")
    # The drawing is segno's, and has no text of anybody's in it.
    return Markup(drawing)  # noqa: S704
