"""Every endpoint of the JSON API, in one table. `web.openapi` describes it from here."""

from typing import Any, Final

from slots import errors
from slots.document import SlotDocument
from slots.scope import Scope
from web.api import (
    answers,
    appointments,
    bodies,
    contacts,
    directory,
    finding,
    health,
    holds,
    lock,
    session,
    slots,
)
from web.api.description import show_description
from web.api.endpoint import Endpoint, Handler, routes
from web.metrics import MEDIA_TYPE as METRICS_MEDIA_TYPE
from web.refusals import (
    FactorRefused,
    NotFound,
    NotSignedIn,
    PinRefused,
    SignInRefused,
    TicketEnded,
    TooManyTries,
)

V1: Final = "/api/v1"
SLOT: Final = V1 + "/slots/{slot_id:uuid}"
HOLD: Final = V1 + "/holds/{hold_id:uuid}"
APPOINTMENT: Final = V1 + "/appointments/{appointment_id:uuid}"

# A board or a list asked for by territory: 422 for one that is unknown, 403 for one out of reach.
OUT_OF_REACH: Final = (errors.NotAllowed, errors.LedgerUnavailable)
OFFERING: Final = (errors.Invalid, errors.NotAllowed, errors.ScheduleUnknown, errors.SlotOverlap)
NEEDS_BROKER: Final = (errors.BrokerUnavailable, errors.Rebuilding)
HOLD_ENDED: Final = (
    errors.HoldNotYours,
    errors.HoldExpired,
    errors.SlotTaken,
    errors.SlotChanged,
    errors.SlotWithdrawn,
)
CONFIRMING: Final = (
    errors.Invalid,
    errors.NotAllowed,
    errors.OriginNotYours,
    errors.DailyCap,
    errors.SlotNotLive,
    errors.SlotUnknown,
)


def _appointment_command(
    verb: str, handle: Handler, summary: str, *more: type[errors.SlotError]
) -> Endpoint:
    return Endpoint(
        scope=Scope.APPOINTMENTS,
        method="POST",
        path=f"{APPOINTMENT}/{verb}",
        handle=handle,
        summary=summary,
        body=bodies.Nothing,
        keyed=True,
        answer=answers.AppointmentAnswer,
        refuses=(errors.NotAllowed, errors.AppointmentUnknown, errors.AppointmentEnded, *more),
    )


def _listing(path: str, handle: Handler, summary: str, query: Any, answer: Any) -> Endpoint:
    return Endpoint(
        scope=Scope.READ,
        method="GET",
        path=V1 + path,
        handle=handle,
        summary=summary,
        query=query,
        answer=answer,
        refuses=OUT_OF_REACH,
    )


SESSION: Final = (
    Endpoint(
        method="POST",
        path=V1 + "/session",
        handle=session.open_session,
        summary="Sign in; the answer sets the session cookie, or says which second factor is due.",
        body=bodies.SignInBody,
        answer=answers.SessionAnswer,
        also_answers=((202, answers.FactorsAnswer),),
        open=True,
        refuses=(
            SignInRefused,
            TooManyTries,
            NotSignedIn,
            errors.Unavailable,
            errors.LedgerUnavailable,
            errors.OutcomeUnknown,
        ),
    ),
    Endpoint(
        method="POST",
        path=V1 + "/session/factor",
        handle=session.complete_session,
        summary="The second step of signing in; the answer sets the session cookie.",
        body=bodies.FactorBody,
        answer=answers.SessionAnswer,
        open=True,
        refuses=(
            FactorRefused,
            TicketEnded,
            TooManyTries,
            errors.LedgerUnavailable,
            errors.OutcomeUnknown,
            NotSignedIn,
        ),
    ),
    Endpoint(
        method="POST",
        path=V1 + "/session/passkey",
        handle=session.question_passkey,
        summary="What to ask a passkey for, which goes alone or beside a password.",
        body=bodies.PasskeyBody,
        answer=answers.PasskeyAnswer,
        open=True,
        refuses=(FactorRefused, TicketEnded, errors.LedgerUnavailable),
    ),
    Endpoint(
        method="GET",
        path=V1 + "/session",
        scope=Scope.READ,
        handle=session.show_session,
        summary="Who is signed in, as what, and which territories can be read.",
        answer=answers.SessionAnswer,
    ),
    Endpoint(
        method="DELETE",
        path=V1 + "/session",
        handle=session.end_session,
        summary="Sign out; safe to repeat.",
        status=204,
        open=True,
        refuses=(errors.LedgerUnavailable,),
    ),
)
SLOTS: Final = (
    Endpoint(
        scope=Scope.READ,
        method="GET",
        path=V1 + "/slots",
        handle=finding.find_slots,
        summary="Live slots that the account may see, with the position of each territory's log.",
        query=bodies.SlotsQuery,
        answer=answers.FoundAnswer,
        refuses=OUT_OF_REACH,
    ),
    Endpoint(
        scope=Scope.PUBLISH,
        method="POST",
        path=V1 + "/slots",
        handle=slots.offer,
        summary="Offer one or several slots, all or nothing.",
        body=bodies.OfferBody,
        keyed=True,
        answer=answers.SlotsAnswer,
        status=201,
        refuses=OFFERING,
    ),
    Endpoint(
        scope=Scope.READ,
        method="GET",
        path=SLOT,
        handle=finding.show_slot,
        summary="One slot, live or not yet.",
        answer=SlotDocument,
        refuses=(errors.SlotUnknown,),
    ),
    Endpoint(
        scope=Scope.PUBLISH,
        method="PATCH",
        path=SLOT,
        handle=slots.amend,
        summary="Change a slot; time, place, modality and acts only while nobody has a seat.",
        body=bodies.AmendBody,
        keyed=True,
        answer=SlotDocument,
        refuses=(
            *OFFERING,
            errors.SlotUnknown,
            errors.SlotWithdrawn,
            errors.SlotInUse,
            errors.SlotNotLive,
            errors.CapacityBelowTaken,
            *NEEDS_BROKER,
        ),
    ),
    Endpoint(
        scope=Scope.PUBLISH,
        method="DELETE",
        path=SLOT,
        handle=slots.withdraw,
        summary="Withdraw a slot. Where patients are expected, cancel_booked must say so.",
        query=bodies.WithdrawQuery,
        body=bodies.Nothing,
        keyed=True,
        answer=SlotDocument,
        refuses=(
            errors.NotAllowed,
            errors.SlotUnknown,
            errors.SlotWithdrawn,
            errors.SlotNotLive,
            errors.SeatsBooked,
        ),
    ),
)
HOLDS: Final = (
    Endpoint(
        scope=Scope.BOOK,
        method="POST",
        path=SLOT + "/holds",
        handle=holds.hold,
        summary="Hold a seat for three minutes; the first to ask has it.",
        body=bodies.Nothing,
        keyed=True,
        answer=answers.HoldAnswer,
        status=201,
        refuses=(
            errors.NotAllowed,
            errors.SlotUnknown,
            errors.SlotTaken,
            errors.SlotWithdrawn,
            errors.SlotNotLive,
            errors.TooManyHolds,
            errors.DailyCap,
            *NEEDS_BROKER,
        ),
    ),
    Endpoint(
        scope=Scope.BOOK,
        method="POST",
        path=HOLD + "/renew",
        handle=holds.renew,
        summary="Hold the same seat for three minutes more, once.",
        body=bodies.Nothing,
        keyed=True,
        answer=answers.HoldAnswer,
        refuses=(*HOLD_ENDED, errors.HoldRenewed, *NEEDS_BROKER),
    ),
    Endpoint(
        scope=Scope.BOOK,
        method="DELETE",
        path=HOLD,
        handle=holds.release,
        summary="Give the seat back; safe to repeat.",
        body=bodies.Nothing,
        keyed=True,
        status=204,
        refuses=(*HOLD_ENDED, *NEEDS_BROKER),
    ),
    Endpoint(
        scope=Scope.BOOK,
        method="POST",
        path=HOLD + "/confirm",
        handle=holds.confirm,
        summary="Make the held seat an appointment. The answer is durable.",
        body=bodies.ChoiceBody,
        keyed=True,
        answer=answers.AppointmentAnswer,
        status=201,
        refuses=(*HOLD_ENDED, *CONFIRMING, *NEEDS_BROKER),
    ),
    Endpoint(
        scope=Scope.BOOK,
        method="POST",
        path=V1 + "/schedules/{schedule_id:uuid}/overflow",
        handle=holds.overflow,
        summary="Book a surnuméraire: no slot, only with somebody who accepts that.",
        body=bodies.OverflowBody,
        keyed=True,
        answer=answers.AppointmentAnswer,
        status=201,
        refuses=(*CONFIRMING, errors.ScheduleUnknown, errors.OverflowRefused),
    ),
)
APPOINTMENTS: Final = (
    Endpoint(
        scope=Scope.APPOINTMENTS,
        method="GET",
        path=V1 + "/appointments",
        handle=appointments.list_appointments,
        summary="The account's bookings, received and sent.",
        query=bodies.AppointmentsQuery,
        answer=answers.AppointmentsAnswer,
    ),
    _appointment_command("cancel", appointments.cancel, "Cancel."),
    Endpoint(
        scope=Scope.BOOK,
        method="POST",
        path=APPOINTMENT + "/move",
        handle=appointments.move,
        summary="Book the held seat and cancel this appointment, in one step.",
        body=bodies.MoveBody,
        keyed=True,
        answer=answers.AppointmentAnswer,
        refuses=(
            *HOLD_ENDED,
            *CONFIRMING,
            errors.AppointmentUnknown,
            errors.AppointmentEnded,
            *NEEDS_BROKER,
        ),
    ),
    _appointment_command("seen", appointments.seen, "The professional knows of it."),
    _appointment_command("fulfil", appointments.fulfil, "The patient came.", errors.TooEarly),
    _appointment_command(
        "noshow", appointments.noshow, "The patient did not come.", errors.TooEarly
    ),
    _appointment_command(
        "patient-told", appointments.patient_told, "The patient knows that it was cancelled."
    ),
)
CONTACT: Final = APPOINTMENT + "/contact"
CONTACTS: Final = (
    Endpoint(
        scope=Scope.CONTACTS,
        method="GET",
        path=CONTACT,
        handle=contacts.show_contact,
        summary="The patient's contact, for the two sides of the booking. Each reading is audited.",
        answer=answers.ContactAnswer,
        refuses=(
            errors.AppointmentUnknown,
            errors.AppointmentEnded,
            errors.ContactUnknown,
            errors.OutcomeUnknown,
        ),
    ),
    Endpoint(
        scope=Scope.CONTACTS,
        method="PUT",
        path=CONTACT,
        handle=contacts.put_contact,
        summary="Leave a contact of the patient instead of what was there, where the territory keeps one.",
        body=bodies.ContactBody,
        answer=answers.ContactAnswer,
        refuses=(
            errors.AppointmentUnknown,
            errors.AppointmentEnded,
            errors.ContactsOff,
            errors.OutcomeUnknown,
        ),
    ),
    Endpoint(
        scope=Scope.CONTACTS,
        method="DELETE",
        path=CONTACT,
        handle=contacts.erase_contact,
        summary="Take the patient's contact away; safe to repeat.",
        status=204,
        refuses=(errors.AppointmentUnknown, errors.OutcomeUnknown),
    ),
)
DIRECTORY: Final = (
    _listing(
        "/practitioners",
        directory.list_practitioners,
        "Practitioners with skills, places and how to refer; by name, the likest or the nearest first.",
        bodies.DirectoryQuery,
        answers.PractitionersAnswer,
    ),
    _listing(
        "/services",
        directory.list_services,
        "Healthcare services; by name, the likest or the nearest first.",
        bodies.DirectoryQuery,
        answers.ServicesAnswer,
    ),
    _listing(
        "/catalogue",
        directory.show_catalogue,
        "The territories' acts, reasons and urgencies, with their French labels.",
        bodies.CatalogueQuery,
        answers.CatalogueAnswer,
    ),
    Endpoint(
        scope=Scope.READ,
        method="GET",
        path=V1 + "/communes",
        handle=directory.list_communes,
        summary="Communes whose name or postcode begins so.",
        query=bodies.CommunesQuery,
        answer=answers.CommunesAnswer,
    ),
)
WATCHING: Final = (
    Endpoint(
        method="GET",
        path=V1 + "/openapi.json",
        handle=show_description,
        summary="This document.",
        answer=dict,
        open=True,
    ),
    Endpoint(
        method="GET",
        path="/healthz",
        handle=health.healthz,
        summary="Whether this process is alive.",
        answer=answers.HealthAnswer,
        open=True,
        any_host=True,
    ),
    Endpoint(
        method="GET",
        path="/readyz",
        handle=health.readyz,
        summary="Whether it can serve; degraded without Redis.",
        answer=answers.HealthAnswer,
        also_answers=((503, answers.HealthAnswer),),
        open=True,
        any_host=True,
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        handle=health.show_metrics,
        summary="Numbers for Prometheus, told to private addresses only.",
        answer=str,
        media_type=METRICS_MEDIA_TYPE,
        refuses=(NotFound,),
        open=True,
        any_host=True,
    ),
)

# Not below /session, whose addresses are counted as guesses: pages ask here by themselves.
LOCK: Final = (
    Endpoint(
        method="POST",
        path=V1 + "/attention",
        handle=lock.attend,
        summary="Somebody is there: a PC without such a sign for half an hour locks.",
        body=bodies.Nothing,
        status=204,
    ),
    Endpoint(
        method="GET",
        path=V1 + "/lock",
        handle=lock.show_lock,
        summary="Whether the session is locked, and what opens it; of a PC's only.",
        answer=answers.LockAnswer,
    ),
    Endpoint(
        method="POST",
        path=V1 + "/lock",
        handle=lock.lock_session,
        summary="Lock the session at once; its sockets close. Safe to repeat.",
        body=bodies.Nothing,
        status=204,
    ),
    Endpoint(
        method="POST",
        path=V1 + "/lock/open",
        handle=lock.unlock_session,
        summary="Open it again; after five wrong PINs the session ends.",
        body=bodies.UnlockBody,
        status=204,
        refuses=(
            PinRefused,
            FactorRefused,
            TicketEnded,
            errors.Unavailable,
            errors.OutcomeUnknown,
        ),
    ),
)

ENDPOINTS: Final = (
    *SESSION,
    *LOCK,
    *SLOTS,
    *HOLDS,
    *APPOINTMENTS,
    *CONTACTS,
    *DIRECTORY,
    *WATCHING,
)
API_ROUTES: Final = routes(ENDPOINTS)
