"""Refusals as answers: the only table from classes to statuses, and RFC 9457 problem documents."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from slots import errors as domain
from slots.database import UNAVAILABLE
from slots.document import SlotDocument
from slots.french import day, hour
from web import refusals
from web.sentences import SENTENCES

PROBLEM_TYPE: Final = "urn:chrono48:problem:"
PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

STATUS_OF: Final[Mapping[type[domain.SlotError], int]] = MappingProxyType(
    {
        refusals.Malformed: 400,
        refusals.KeyRequired: 400,
        refusals.NotSignedIn: 401,
        refusals.SignInRefused: 401,
        refusals.FactorRefused: 401,
        refusals.PinRefused: 401,
        refusals.ProofDue: 403,
        refusals.CrossSite: 403,
        domain.NotAllowed: 403,
        domain.OriginNotYours: 403,
        domain.HoldNotYours: 403,
        refusals.NotFound: 404,
        domain.SlotUnknown: 404,
        domain.ScheduleUnknown: 404,
        domain.AppointmentUnknown: 404,
        domain.ContactUnknown: 404,
        refusals.MethodNotAllowed: 405,
        domain.Conflict: 409,
        domain.SlotTaken: 409,
        domain.SlotWithdrawn: 409,
        domain.SlotChanged: 409,
        domain.SlotNotLive: 409,
        domain.DailyCap: 409,
        domain.HoldRenewed: 409,
        domain.TooManyHolds: 409,
        domain.SlotOverlap: 409,
        domain.SlotInUse: 409,
        domain.CapacityBelowTaken: 409,
        domain.SeatsBooked: 409,
        domain.OverflowRefused: 409,
        domain.AppointmentEnded: 409,
        domain.ContactsOff: 409,
        domain.TooEarly: 409,
        domain.HoldExpired: 410,
        refusals.TicketEnded: 410,
        refusals.BodyTooLarge: 413,
        refusals.MediaTypeUnsupported: 415,
        refusals.HostUnknown: 421,
        domain.Invalid: 422,
        domain.IdempotencyMismatch: 422,
        refusals.SessionLocked: 423,
        refusals.TooManyTries: 429,
        refusals.TooManyRequests: 429,
        refusals.Unexpected: 500,
        domain.Unavailable: 503,
        domain.BrokerUnavailable: 503,
        domain.Rebuilding: 503,
        domain.LedgerUnavailable: 503,
        domain.OutcomeUnknown: 503,
    }
)


class FieldProblem(msgspec.Struct, frozen=True):
    """One field to mend: `slots[0].ends_at`, and why."""

    field: str
    message: str


class OtherSlot(msgspec.Struct, frozen=True):
    """The slot that stands in the way, wherever it is: when, and at which place."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    place: str


class Problem(msgspec.Struct, frozen=True):
    """A refusal (RFC 9457). *code* is stable, for machines; *title* and *detail* are French."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem] | msgspec.UnsetType = msgspec.UNSET
    alternatives: list[SlotDocument] | msgspec.UnsetType = msgspec.UNSET
    other: OtherSlot | msgspec.UnsetType = msgspec.UNSET


def refusal_of(error: Exception) -> domain.SlotError:
    """What to answer to *error*, whatever it is. What nobody foresaw is `Unexpected`."""
    match error:
        case domain.SlotError():
            return error
        case HTTPException(status_code=404):
            return refusals.NotFound()
        case HTTPException(status_code=405):
            return refusals.MethodNotAllowed()
        case HTTPException(status_code=413):
            return refusals.BodyTooLarge()
        case HTTPException(status_code=400):
            return refusals.Malformed()
        case ClientDisconnect():  # nobody will read the answer
            return refusals.Malformed()
        case RedisError():
            return domain.BrokerUnavailable()
        # A sign that no text can hold, such as NUL: whoever sent it typed none.
        case asyncpg.CharacterNotInRepertoireError():
            return refusals.Malformed()
        # What retrying would mend: a deadlock or a serialization failure that outlived its retries.
        case asyncpg.TransactionRollbackError():
            return domain.LedgerUnavailable()
        case _ if isinstance(error, UNAVAILABLE):
            return domain.LedgerUnavailable()
        case _:
            return refusals.Unexpected()


def problem_of(refusal: domain.SlotError) -> Problem:
    """The document of one refusal."""
    title, detail = SENTENCES[refusal.code]
    if isinstance(refusal, domain.SlotOverlap) and refusal.other is not None:
        detail = _overlap(refusal.other)
    if isinstance(refusal, refusals.PinRefused):
        detail = f"{detail} {_tries_left(refusal.tries_left)}"
    return Problem(
        type=PROBLEM_TYPE + refusal.code,
        title=title,
        status=STATUS_OF[type(refusal)],
        code=refusal.code,
        detail=detail,
        errors=_field_problems(refusal),
        alternatives=_alternatives(refusal),
        other=_other(refusal),
    )


def headers_of(refusal: domain.SlotError) -> dict[str, str]:
    """What a refusal says in headers: when to come back, how to sign in."""
    headers = {}
    retry_after_s = getattr(refusal, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return headers


def _tries_left(tries: int) -> str:
    if tries == 1:
        return "Il reste un essai\xa0: ensuite, il faudra se reconnecter."
    return f"Il reste {tries} essais."


def _overlap(other: domain.OtherSlot) -> str:
    return (
        f"Le professionnel a déjà un créneau {day(other.starts_at)}, "
        f"de {hour(other.starts_at)} à {hour(other.ends_at)}, à {other.place}."
    )


def _other(refusal: domain.SlotError) -> OtherSlot | msgspec.UnsetType:
    if not isinstance(refusal, domain.SlotOverlap) or refusal.other is None:
        return msgspec.UNSET
    other = refusal.other
    return OtherSlot(other.id, other.starts_at, other.ends_at, other.place)


def _field_problems(refusal: domain.SlotError) -> list[FieldProblem] | msgspec.UnsetType:
    if not isinstance(refusal, domain.Invalid):
        return msgspec.UNSET
    return [FieldProblem(error.field, error.message) for error in refusal.errors]


def _alternatives(refusal: domain.SlotError) -> list[SlotDocument] | msgspec.UnsetType:
    if not isinstance(refusal, domain.Conflict):
        return msgspec.UNSET
    # A lost race always says what else there is, be it nothing.
    if isinstance(refusal, domain.SlotTaken | domain.HoldExpired) or refusal.alternatives:
        return list(refusal.alternatives)
    return msgspec.UNSET
