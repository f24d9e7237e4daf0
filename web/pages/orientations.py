"""What an organisation has booked: `/orientations`, the sheet of one booking, and its verbs."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from slots.account import Account
from slots.appointment import Appointment, AppointmentStatus
from slots.booking import appointments as cases
from slots.booking import contacts
from slots.database import Connection
from slots.errors import AppointmentUnknown
from slots.ids import AppointmentId, territory_of
from slots.patient_contact import KeptContact
from slots.store.appointment import (
    AppointmentView,
    appointments,
    appointments_of_organisation,
    patients_to_tell,
    views,
)
from slots.store.directory import Act
from slots.times import paris_day
from slots.transaction import entered
from web.api.endpoint import now_of
from web.pages.contact_form import ContactForm
from web.pages.french import APPOINTMENT_STATES
from web.pages.page import (
    AVAILABILITY,
    ORIENTATIONS,
    Viewer,
    is_fragment,
    key_of,
    notice_of,
    posted,
    see_other,
    show,
    viewer_of,
)
from web.pages.reading import Ground, ground, territories_of
from web.state import State

NOTHING_TYPED: Final = ContactForm()
LOOK_BACK: Final = timedelta(days=7)  # what became of them
NOTICES: Final = {
    "reserve": "C’est réservé. Donnez la référence au patient.",
    "reserve-avec": "C’est réservé, et les coordonnées sont enregistrées. Donnez la référence au patient.",
    "reserve-sans": (
        "C’est réservé. Mais les coordonnées du patient n’ont pas pu être enregistrées :"
        " ajoutez-les ci-dessous, ou donnez-les par téléphone."
    ),
    "coordonnees": "Coordonnées enregistrées.",
    "coordonnees-effacees": "Coordonnées effacées.",
    "deplace": "Rendez-vous déplacé. La référence a changé.",
    "annule": "Rendez-vous annulé.",
    "prevenu": "Noté : le patient est prévenu.",
    "venu": "Noté : le patient est venu.",
    "absent": "Noté : le patient n’est pas venu.",
    "vu": "Noté : vous l’avez vu.",
    "adresse": "Noté : vous avez l’adresse.",
}
# Acts that happen in one way only, and need no preparation in another.
MODALITY_OF_ACT: Final = {"home-visit": "HH", "teleconsultation": "VR"}
# Path of a verb → its use case, and the notice that follows.
VERBS: Final = {
    "annuler": (cases.cancel, "annule"),
    "prevenu": (cases.patient_told, "prevenu"),
    "vu": (cases.seen, "vu"),
    "adresse": (cases.address_told, "adresse"),
    "venu": (cases.fulfil, "venu"),
    "absent": (cases.noshow, "absent"),
}


async def orientations(request: Request[State]) -> Response:
    """The bookings of my organisation, and the patients whom it must tell."""
    viewer = await viewer_of(request)
    account, desk, now = viewer.account, request.state["desk"], now_of(request)
    async with entered(desk.pool, account.id, account.reach) as conn:
        known = await appointments_of_organisation(conn, account.organisation_id, now - LOOK_BACK)
        to_tell = await patients_to_tell(conn, account.organisation_id)
        words = await ground(conn, account.reach)
    kept = [view for view in known if not view.appointment.moved_to]
    today, _ = paris_day(now)
    past = [view for view in kept if view.appointment.starts_at < today]
    template = {"liste": "_orientations.html", "taches": "_to_tell.html"}.get(
        request.query_params.get("fragment", ""), "orientations.html"
    )
    return show(
        request,
        template,
        views=kept[len(past) :],
        past=past[::-1],
        became=became(view.appointment for view in past),
        days_back=LOOK_BACK.days,
        to_tell=to_tell,
        words_of=words,
        now=now,
        at={territory.slug: "" for territory in territories_of(request, account)},
        notice=None if is_fragment(request, "liste") else notice_of(request, NOTICES),
    )


def became(past: Iterable[Appointment]) -> list[tuple[str, int]]:
    """What became of those whose time is past: a few words, and how many."""
    words = Counter(
        "sans suite notée"
        if one.status is AppointmentStatus.BOOKED
        else APPOINTMENT_STATES[one.status].lower()
        for one in past
    )
    return words.most_common()


async def sheet(request: Request[State]) -> Response:
    """One booking: for the patient, and for those who talk about it."""
    return await show_sheet(request, await viewer_of(request))


async def show_sheet(
    request: Request[State],
    viewer: Viewer,
    *,
    opened: KeptContact | None = None,
    contact_form: ContactForm = NOTHING_TYPED,
    status: int = 200,
) -> Response:
    """The sheet; with the patient's contact, where it was *opened*, and what was typed of it."""
    account, desk, now = viewer.account, request.state["desk"], now_of(request)
    async with entered(desk.pool, account.id, account.reach) as conn:
        view = await view_of(request, conn, account)
        words = await ground(conn, account.reach)
        contact = await contacts.state(conn, desk, account, view.appointment, now)
    return show(
        request,
        "_appointment.html" if is_fragment(request, "fiche") else "appointment.html",
        status=status,
        contact=contact,
        opened=opened,
        contact_form=contact_form,
        view=view,
        one=view.appointment,
        words_of=words,
        acts=acts_of(view, words),
        is_sender=view.appointment.booked_by_organisation_id == account.organisation_id,
        is_receiver=account.acts_for(view.appointment.schedule_id),
        at={desk.territories.by_id[view.appointment.territory_id].slug: ""},
        now=now,
        notice=notice_of(request, NOTICES),
    )


def verb(path: str) -> Callable[[Request[State]], Awaitable[Response]]:
    """The endpoint of one verb on one appointment: it does it, and goes back where it was asked."""
    case, done = VERBS[path]

    async def endpoint(request: Request[State]) -> Response:
        viewer = await viewer_of(request)
        form = await posted(request)
        appointment_id = AppointmentId(request.path_params["appointment_id"])
        now = now_of(request)
        await case(request.state["desk"], viewer.account, appointment_id, key_of(form), now)
        return see_other(_asked_from(request, viewer.account), fait=done)

    return endpoint


def identified(text: str) -> UUID | None:
    """An id that somebody sent, if it is one of ours."""
    try:
        identifier = UUID(text)
    except ValueError:
        return None
    return identifier if territory_of(identifier) else None


def acts_of(view: AppointmentView, words: Ground) -> list[Act]:
    """What the patient may come for in this way, with what to prepare."""
    if view.slot is None:
        return []
    here, known = view.slot.modality, words.acts[view.appointment.territory_id]
    return [
        known[code]
        for code in view.slot.acts
        if code in known and MODALITY_OF_ACT.get(code, here) == here
    ]


async def own_appointment(conn: Connection, account: Account, text: str) -> Appointment | None:
    """The booking of this organisation that a link names."""
    appointment_id = AppointmentId(identified(text) or UUID(int=0))
    found = (await appointments(conn, [appointment_id])).get(appointment_id)
    is_own = found is not None and found.booked_by_organisation_id == account.organisation_id
    return found if is_own else None


async def view_of(request: Request[State], conn: Connection, account: Account) -> AppointmentView:
    """The booking that the address names, for whoever it concerns.

    Raises:
        AppointmentUnknown: There is none, or it concerns others.
    """
    appointment_id = AppointmentId(request.path_params["appointment_id"])
    found = (await appointments(conn, [appointment_id])).get(appointment_id)
    if found is None or not cases.may_read(account, found):
        raise AppointmentUnknown
    return (await views(conn, [found]))[0]


def _asked_from(request: Request[State], account: Account) -> str:
    """The page that the button was on; the browser says it, and only its path counts."""
    path = urlsplit(request.headers.get("referer", "")).path
    known = ("/orienter", "/regulation", AVAILABILITY.path, ORIENTATIONS.path)
    if path in known or path.startswith("/rendez-vous/"):
        return path
    return ORIENTATIONS.path if not account.schedules else AVAILABILITY.path
