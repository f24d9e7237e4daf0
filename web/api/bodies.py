"""What callers send: JSON bodies and query strings, as closed, typed shapes."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from slots.appointment import Origin

OFFERS_MAX: Final = 50  # slots in one request
CODES_MAX: Final = 50  # acts or communes in one list
FOUND_MAX: Final = 1_000  # slots in one answer, where a limit is given
RADIUS_KM_MAX: Final = 500

Instant = Annotated[datetime, Meta(tz=True)]
Code = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=200)]
Insee = Annotated[str, Meta(pattern=r"^[0-9][0-9AB][0-9]{3}$")]
Modality = Literal["AMB", "HH", "VR"]
Audience = Literal["CPTS", "SNP", "PRO", "PUBLIC"]
Radius = Annotated[float, Meta(ge=0, le=RADIUS_KM_MAX)]
Degrees = Annotated[
    str,
    Meta(
        pattern=r"^-?[0-9]{1,3}(\.[0-9]{1,10})?,-?[0-9]{1,3}(\.[0-9]{1,10})?$",
        description="lat,lon in degrees (WGS 84); rounded to 0.01° before use.",
    ),
]
Codes = Annotated[list[Code], Meta(min_length=1, max_length=CODES_MAX)]
Audiences = Annotated[list[Audience], Meta(min_length=1, max_length=4)]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """A closed object: an unknown field is a mistake that must not pass in silence."""


class Nothing(Body, frozen=True):
    """An empty object; an empty body says the same."""


class SignInBody(Body, frozen=True):
    """Address and password, the latter of any composition."""

    email: Annotated[str, Meta(min_length=1, max_length=254)]
    password: Annotated[str, Meta(min_length=1, max_length=1_000)]


Secret = Annotated[str, Meta(min_length=1, max_length=100)]


class FactorBody(Body, frozen=True):
    """The second step: a code, or what `navigator.credentials.get` has answered."""

    ticket: Secret
    factor: Literal["totp", "recovery", "passkey"]
    code: Secret | None = None
    credential: dict[str, Any] | None = None


class PasskeyBody(Body, frozen=True):
    """ticket: of a sign-in whose password was right; without it the passkey says who it is."""

    ticket: Secret | None = None


class UnlockBody(Body, frozen=True):
    """The PIN; or a passkey's answer, with the ticket of its question."""

    pin: Annotated[str, Meta(pattern=r"^[0-9]{6}$")] | None = None
    ticket: Secret | None = None
    credential: dict[str, Any] | None = None


class AreaBody(Body, frozen=True, omit_defaults=True):
    """Where a professional travels to: communes, or a radius around the place of practice."""

    insee: Annotated[list[Insee], Meta(min_length=1, max_length=CODES_MAX)] | UnsetType = UNSET
    radius_km: Annotated[float, Meta(gt=0, le=RADIUS_KM_MAX)] | UnsetType = UNSET


class OfferedSlotBody(Body, frozen=True):
    """One place, or a span with several. What is left out is the schedule's default."""

    schedule_id: UUID
    starts_at: Instant
    ends_at: Instant
    capacity: int = 1
    modality: Modality = "AMB"
    acts: Codes | None = None
    audience: Audiences | None = None
    area: AreaBody | None = None
    note: Text | None = None


class OfferBody(Body, frozen=True):
    """All of them, or none."""

    slots: Annotated[list[OfferedSlotBody], Meta(min_length=1, max_length=OFFERS_MAX)]


class AmendBody(Body, frozen=True):
    """What is to change; what is left out stays."""

    starts_at: Instant | UnsetType = UNSET
    ends_at: Instant | UnsetType = UNSET
    capacity: int | UnsetType = UNSET
    modality: Modality | UnsetType = UNSET
    acts: Codes | UnsetType = UNSET
    audience: Audiences | UnsetType = UNSET
    area: AreaBody | UnsetType | None = UNSET
    note: Text | UnsetType | None = UNSET


class ChoiceBody(Body, frozen=True):
    """Why, and how soon. An origin, where one is given, must be the caller's own."""

    reason: Code
    urgency: Code
    origin: Origin | None = None


class OverflowBody(ChoiceBody, frozen=True, kw_only=True):
    """A surnuméraire: when, why, and how soon."""

    starts_at: Instant


class MoveBody(Body, frozen=True):
    """The seat that is held for the patient who moves.

    reason, urgency: others than before; without them they stay, or become the nearest that the
    other territory has.
    """

    hold_id: UUID
    reason: Code | None = None
    urgency: Code | None = None


class ContactBody(Body, frozen=True):
    """A patient's contact; each part may be left out, not all of them.

    name: or initials. address: of a visit at home only.
    """

    name: Text = ""
    birth_year: int | None = None
    phone: Text = ""
    address: Text = ""


class SlotsQuery(Body, frozen=True):
    """What to look for. Without a place the earliest first, with one the nearest."""

    territory: list[Code] = []
    profession: Code | None = None
    specialty: Code | None = None
    act: Code | None = None
    modality: Modality | None = None
    status: Literal["free", "busy-tentative", "busy"] | None = None
    commune: Insee | None = None
    near: Degrees | None = None
    radius_km: Radius | None = None
    starts_before: Instant | None = None
    order: Literal["earliest", "nearest"] | None = None
    limit: Annotated[int, Meta(ge=1, le=FOUND_MAX)] | None = None


class WithdrawQuery(Body, frozen=True):
    """cancel_booked: withdraw even where patients are expected; their bookings are cancelled."""

    cancel_booked: bool = False


class AppointmentsQuery(Body, frozen=True):
    """Which of one's appointments: those received, those sent, or those whose patient waits."""

    side: Literal["professional", "referrer"] | None = None
    since: Instant | None = None
    until: Instant | None = None
    patient_to_tell: bool | None = None


class DirectoryQuery(Body, frozen=True):
    """Who works where. q: words as people type them; accents and typing errors are forgiven."""

    q: Annotated[str, Meta(max_length=100)] | None = None
    territory: list[Code] = []
    profession: Code | None = None
    specialty: Code | None = None
    skill: Code | None = None
    commune: Insee | None = None
    near: Degrees | None = None
    radius_km: Radius | None = None


class CatalogueQuery(Body, frozen=True):
    """Of which territories."""

    territory: list[Code] = []


class CommunesQuery(Body, frozen=True):
    """The beginning of a name or of a postcode."""

    q: Annotated[str, Meta(min_length=1, max_length=100)]
