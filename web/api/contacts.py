"""The patient's contact of a booking, where the territory keeps one. Repeating it needs no key."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from slots.booking import contacts
from slots.ids import AppointmentId
from slots.patient_contact import PatientContact
from web.api.answers import contact_answer
from web.api.bodies import ContactBody
from web.api.endpoint import answered, body_of, desk_of, nothing, now_of
from web.auth import account_of


async def put_contact(request: Request[Any]) -> Response:
    """Leave a contact instead of what was there."""
    account = await account_of(request)
    body = await body_of(request, ContactBody)
    contact = PatientContact(body.name, body.birth_year, body.phone, body.address)
    kept = await contacts.write(
        desk_of(request), account, _appointment_id(request), contact, now_of(request)
    )
    return answered(contact_answer(kept))


async def show_contact(request: Request[Any]) -> Response:
    """The contact that was left; the reading is written down."""
    account = await account_of(request)
    kept = await contacts.read(desk_of(request), account, _appointment_id(request), now_of(request))
    return answered(contact_answer(kept))


async def erase_contact(request: Request[Any]) -> Response:
    """Take it away."""
    account = await account_of(request)
    await contacts.erase(desk_of(request), account, _appointment_id(request), now_of(request))
    return nothing()


def _appointment_id(request: Request[Any]) -> AppointmentId:
    return AppointmentId(request.path_params["appointment_id"])
