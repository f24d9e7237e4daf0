"""The patient's contact on the sheet of a booking: seen, changed and erased by a press of a button.

Seeing it is a post as well: it is an act, written down, and nothing of it may stand in an address.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from slots.booking import contacts
from slots.errors import Invalid
from slots.ids import AppointmentId
from slots.patient_contact import NOTHING_SAID
from web.api.endpoint import now_of
from web.pages.contact_form import ContactForm, by_field, form_of, read_form
from web.pages.orientations import show_sheet
from web.pages.page import PATIENT, posted, see_other, viewer_of
from web.state import State

INVALID: Final = 422


async def open_contact(request: Request[State]) -> Response:
    """The sheet with the contact on it."""
    viewer = await viewer_of(request)
    await posted(request)
    desk, now = request.state["desk"], now_of(request)
    kept = await contacts.read(desk, viewer.account, _appointment_id(request), now)
    return await show_sheet(request, viewer, opened=kept, contact_form=form_of(kept.contact))


async def save_contact(request: Request[State]) -> Response:
    """Leave what was typed instead of what was there; or show again what is to be mended."""
    viewer = await viewer_of(request)
    form = await posted(request)
    now = now_of(request)
    typed = read_form(form, now)
    errors = typed.errors
    if not errors and typed.contact.is_empty:
        errors = {PATIENT + "name": NOTHING_SAID}
    if not errors:
        try:
            await contacts.write(
                request.state["desk"],
                viewer.account,
                _appointment_id(request),
                typed.contact,
                now,
            )
        except Invalid as invalid:
            errors = by_field(invalid.errors)
    if errors:
        again = ContactForm(typed.typed, errors)
        return await show_sheet(request, viewer, contact_form=again, status=INVALID)
    return see_other(_sheet(request), fait="coordonnees")


async def erase_contact(request: Request[State]) -> Response:
    """Take it away."""
    viewer = await viewer_of(request)
    await posted(request)
    desk, now = request.state["desk"], now_of(request)
    await contacts.erase(desk, viewer.account, _appointment_id(request), now)
    return see_other(_sheet(request), fait="coordonnees-effacees")


def _appointment_id(request: Request[State]) -> AppointmentId:
    return AppointmentId(request.path_params["appointment_id"])


def _sheet(request: Request[State]) -> str:
    return f"/rendez-vous/{_appointment_id(request)}"
