"""`/rendez-vous/{id}/feuille`: one booking on paper, for the patient to take along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import segno
from icalendar import Calendar, Event
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.appointment import AppointmentStatus
from slots.database import Connection
from slots.document import LocationDocument
from slots.errors import AppointmentEnded
from slots.search import HOME
from slots.slot import Slot
from slots.store.appointment import AppointmentView
from slots.store.directory import DirectoryEntry, directory
from slots.store.slot import slots_by_id
from slots.transaction import entered
from web.api.endpoint import now_of
from web.pages.french import phone, schedule_name
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
OVERFLOW_LASTS: Final = timedelta(minutes=30)  # a surnuméraire has no end of its own


@dataclass(frozen=True, slots=True)
class Sheet:
    """One booking with what the patient needs of its place. *slot* is None for an overflow."""

    view: AppointmentView
    entry: DirectoryEntry | None
    slot: Slot | None

    @property
    def goes_there(self) -> bool:
        """Whether the patient goes to the practice."""
        return self.view.slot is None or self.view.slot.modality == AT_THE_PRACTICE

    @property
    def where(self) -> str:
        """The name of the place and its street; addresses often end with the commune already."""
        place = self.view.schedule.location
        street = self.entry.address if self.entry else ""
        commune = "" if place.commune in street else place.commune
        return ", ".join(filter(None, (place.name, street, commune)))

    @property
    def is_plage(self) -> bool:
        """Whether several patients share the time."""
        return self.slot is not None and self.slot.capacity > 1


async def patient_sheet(request: Request[State]) -> Response:
    """Where, when, with whom and what to bring; nothing about the patient. For both sides of it."""
    account, desk = (await viewer_of(request)).account, request.state["desk"]
    async with entered(desk.pool, account.id, account.reach) as conn:
        sheet = await _read(request, conn, account)
        words = await ground(conn, account.reach)
    view, goes_there = sheet.view, sheet.goes_there
    way = map_link(view.schedule.location) if goes_there else ""
    return show(
        request,
        "patient_sheet.html",
        view=view,
        one=view.appointment,
        slot=sheet.slot,
        entry=sheet.entry,
        where=sheet.where,
        is_plage=sheet.is_plage,
        at_home=view.slot is not None and view.slot.modality == HOME,
        acts=acts_of(view, words),
        goes_there=goes_there,
        way=way,
        qr=qr_of(way) if way else "",
        now=now_of(request),
    )


async def calendar_entry(request: Request[State]) -> Response:
    """`agenda.ics`: the same for a calendar (RFC 5545), with nothing about the patient in it."""
    account, desk = (await viewer_of(request)).account, request.state["desk"]
    async with entered(desk.pool, account.id, account.reach) as conn:
        sheet = await _read(request, conn, account)
        words = await ground(conn, account.reach)
    if sheet.view.appointment.status is not AppointmentStatus.BOOKED:
        raise AppointmentEnded
    entry = event_of(sheet, [act.preparation for act in acts_of(sheet.view, words)])
    return Response(
        entry,
        media_type="text/calendar",
        # A file to keep, under a name of ours, and nothing to show as a page.
        headers={"Content-Disposition": 'attachment; filename="rendez-vous.ics"'},
    )


def event_of(sheet: Sheet, preparations: Sequence[str]) -> bytes:
    """The booking as a calendar of one event."""
    one, schedule = sheet.view.appointment, sheet.view.schedule
    event = Event()
    event.add("uid", f"{one.id}@48h-chrono")
    event.add("dtstamp", one.booked_at)
    event.add("dtstart", one.starts_at)
    event.add("dtend", sheet.slot.ends_at if sheet.slot else one.starts_at + OVERFLOW_LASTS)
    event.add("summary", f"{schedule_name(schedule)}, référence {one.reference}")
    if sheet.goes_there:
        event.add("location", sheet.where)
    said = [f"Téléphone : {phone(schedule.location.phone)}", *filter(None, preparations)]
    event.add("description", "\n".join(said))
    calendar = Calendar()
    calendar.add("prodid", "-//48H Chrono//FR")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


async def _read(request: Request[State], conn: Connection, account: Account) -> Sheet:
    view = await view_of(request, conn, account)
    one = view.appointment
    entries = await directory(conn, [one.territory_id], [one.schedule_id])
    slots = await slots_by_id(conn, [one.slot_id] if one.slot_id else [])
    return Sheet(view, next(iter(entries), None), next(iter(slots.values()), None))


def map_link(location: LocationDocument) -> str:
    """Where the place is, on a public map: coordinates and nothing else leave the service."""
    return MAP.format(lat=location.lat, lon=location.lon)


def qr_of(link: str) -> Markup:
    """*link* as a drawing, dark on white also at night: a camera reads it from the screen too."""
    code = segno.make(link, error="m")
    drawing: str = code.svg_inline(scale=QR_SCALE, dark="#000", light="#fff", svgclass="qr")
    # The drawing is segno's, and has no text of anybody's in it.
    return Markup(drawing)  # noqa: S704
