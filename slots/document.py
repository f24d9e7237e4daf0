"""The public documents: what API, socket and log say of a slot (design, §7). The shapes bind."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class PractitionerDocument(msgspec.Struct, frozen=True):
    """Who sees the patient. *profession* is TRE_G15, *specialty* TRE_R38."""

    id: UUID
    name: str
    profession: str
    specialty: str | None


class ServiceDocument(msgspec.Struct, frozen=True):
    """A healthcare service, such as a radiology department."""

    id: UUID
    name: str
    profession: str | None
    specialty: str | None


class LocationDocument(msgspec.Struct, frozen=True):
    """Where; *lat* and *lon* in degrees, WGS 84."""

    id: UUID
    name: str
    commune: str
    insee: str
    lat: float
    lon: float
    phone: str


class ScheduleDocument(msgspec.Struct, frozen=True):
    """Whose time it is: a practitioner at a place, or a service."""

    id: UUID
    practitioner: PractitionerDocument | None
    service: ServiceDocument | None
    location: LocationDocument


class SlotCard(msgspec.Struct, frozen=True):
    """What of a slot only the ledger changes. Redis keeps it as opaque text."""

    id: UUID
    territory: str
    schedule: ScheduleDocument
    starts_at: datetime
    ends_at: datetime
    modality: str
    area: dict[str, Any] | None
    acts: list[str]
    audience: list[str]
    note: str | None


class SlotDocument(SlotCard, frozen=True, kw_only=True):
    """A slot as everybody sees it: its card and its counters. *held_until*: first hold to end."""

    capacity: int
    free: int
    held: int
    booked: int
    held_until: datetime | None
    status: str
    version: int

    @property
    def card(self) -> SlotCard:
        """The slot without its counters."""
        return SlotCard(**{name: getattr(self, name) for name in SlotCard.__struct_fields__})

    @property
    def profession(self) -> str | None:
        """The profession that the schedule's owner exercises."""
        owner = self.schedule.practitioner or self.schedule.service
        return owner.profession if owner else None

    @property
    def specialty(self) -> str | None:
        """The doctor's specialty."""
        owner = self.schedule.practitioner or self.schedule.service
        return owner.specialty if owner else None


def encode_card(card: SlotCard) -> str:
    """The card as an open JSON object, without its closing brace: Lua adds counters and brace."""
    return msgspec.json.encode(card).decode().removesuffix("}")


decode_slot = msgspec.json.Decoder(SlotDocument).decode
