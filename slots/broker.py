"""The broker: who holds which seat now, and the log of what changed. The only writer of Redis.

Each method is one script, atomic in Redis. A server that is dead or frozen is `BrokerUnavailable`
within `redis_url.WITHIN_S`; one that may have lost its log's tail is `Rebuilding`.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from slots import keys, redis_url, scripts
from slots.account import Account
from slots.clock import MACHINES_CLOCK, Clock
from slots.deadline import Deadline
from slots.document import encode_card
from slots.errors import (
    BrokerUnavailable,
    HoldExpired,
    HoldNotYours,
    HoldRenewed,
    IdempotencyMismatch,
    NotAllowed,
    Rebuilding,
    SlotChanged,
    SlotError,
    SlotNotLive,
    SlotTaken,
    SlotUnknown,
    SlotWithdrawn,
    TooManyHolds,
)
from slots.events import Position, position
from slots.ids import AccountId, HoldId, SlotId, TerritoryId
from slots.lane import lane_to
from slots.slot import Hold, Slot
from slots.territory import Territory
from slots.times import from_ms, to_ms

OTHER_GENERATION: Final = "other-generation"  # what `put` says to an older ledger
ANSWER_KEPT_MS: Final = 3_600_000  # how long a hold's idempotency key is remembered: 1 h
DUE_BATCH_MAX: Final = 1_000  # slots settled by one snapshot or one sweep

# What became of a hold that has ended, said to its holder.
ENDED: Final[dict[str, type[SlotError]]] = {
    "expired": HoldExpired,
    "released": HoldExpired,
    "revoked": HoldExpired,
    "confirmed": HoldExpired,
    "taken": SlotTaken,
    "withdrawn": SlotWithdrawn,
    "changed": SlotChanged,
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every live slot of a territory (JSON of SlotDocuments, by start) and where that stands."""

    at: Position
    slots: list[bytes]


@dataclass(frozen=True, slots=True)
class Seal:
    """A hold that only the ledger can end now. *terms*: what its holder agreed to.

    *slot* is the JSON of its SlotDocument, as the broker has it; *live_from*: since when it is on
    the boards there.
    """

    slot_id: SlotId
    seat: int
    terms: int
    slot: bytes
    live_from: datetime


class Kept(msgspec.Struct, array_like=True):
    """The head of a slot's state, as lua/_common.lua keeps it."""

    version: int
    generation: str
    held: Any  # {hold id: {expires, sealed, …}}, or an empty list


_KEPT: Final = msgspec.msgpack.Decoder(Kept)


class HoldEnded(Exception):
    """A hold is no more: *error* says why, *slot_id* of which slot where that is still known."""

    def __init__(self, error: type[SlotError], slot_id: SlotId | None) -> None:
        """Keep why and where, for the answer and its alternatives."""
        super().__init__(error.code)
        self.error = error
        self.slot_id = slot_id


class Broker:
    """Decides who holds. One per process; safe to share between tasks."""

    def __init__(self, redis: Any, clock: Clock = MACHINES_CLOCK, *, lane: Any = None) -> None:
        """Speak to *redis*, and run scripts on *lane*; tests bring one that listens."""
        self.redis = redis
        self.clock_ms = ""  # where it is set, time stands still: for tests of scripts
        self._clock = clock
        self._generations: dict[TerritoryId, str] = {}
        self._deadline = Deadline(redis_url.WITHIN_S)
        self._lane = lane or lane_to(redis)

    @classmethod
    def connect(cls, url: str, clock: Clock = MACHINES_CLOCK) -> "Broker":
        """A broker for a Redis URL; connects on first use."""
        return cls(redis_url.connect(url), clock)

    @property
    def _at_ms(self) -> str:
        return self.clock_ms or self._clock.script_ms

    async def close(self) -> None:
        """End the connections."""
        await self.redis.aclose()

    async def hold(
        self, territory: Territory, account: Account, slot_id: SlotId, hold_id: HoldId, key: str
    ) -> Hold:
        """Hold a free seat for as long as the territory lets one; the first to ask has it.

        Safe to repeat: the same key gets the same hold, with the same deadline.

        Raises:
            SlotTaken, SlotUnknown, SlotWithdrawn, SlotNotLive, NotAllowed, TooManyHolds.
            IdempotencyMismatch: The key held another slot.
        """
        own_id = str(hold_id).encode()
        answer = await self._run(
            "hold",
            territory,
            keys.answer(territory, account.id, "hold", key),
            slot_id=str(slot_id),
            hold_id=own_id,
            account_id=str(account.id),
            audiences=" ".join(account.hears(territory.id)),
            holds_max=territory.holds_max,
            ttl_ms=_ms(territory.hold_for),
            answer_ttl_ms=ANSWER_KEPT_MS,
            now_ms=self._at_ms,
        )
        match answer:
            case [b"held", held_id, seat, expires_at_ms]:
                # Another than the caller's where the key was answered before.
                if held_id != own_id:
                    hold_id = HoldId(UUID(held_id.decode()))
                return Hold(hold_id, slot_id, seat, from_ms(int(expires_at_ms)))
            case [b"taken"]:
                raise SlotTaken
            case [b"unknown"]:
                raise SlotUnknown
            case [b"withdrawn"]:
                raise SlotWithdrawn
            case [b"not-live"]:
                raise SlotNotLive
            case [b"not-yours"]:
                raise NotAllowed
            case [b"too-many"]:
                raise TooManyHolds
            case other:
                raise _unexpected(other)

    async def renew(
        self, territory: Territory, account_id: AccountId, hold_id: HoldId, key: str
    ) -> Hold:
        """Hold the same seat as long once more, from now; once only. Safe to repeat under the same key.

        Raises:
            HoldRenewed: It was renewed before, or is being confirmed.
            HoldEnded, HoldNotYours.
        """
        answer = await self._run(
            "renew",
            territory,
            keys.answer(territory, account_id, "renew", key),
            hold_id=str(hold_id),
            account_id=str(account_id),
            ttl_ms=_ms(territory.hold_for),
            answer_ttl_ms=ANSWER_KEPT_MS,
            now_ms=self._at_ms,
        )
        match answer:
            case [b"held", slot_id, seat, expires_at_ms]:
                return Hold(hold_id, _slot_id(slot_id), seat, from_ms(int(expires_at_ms)))
            case [b"renewed"] | [b"sealed"]:
                raise HoldRenewed
            case other:
                raise _ended(other)

    async def release(self, territory: Territory, account_id: AccountId, hold_id: HoldId) -> None:
        """Give the seat back. Safe to repeat.

        Raises:
            HoldEnded: It had ended in another way, or is unknown.
            HoldNotYours: Somebody else's.
            SlotTaken: It is being confirmed: only its confirmation or a revocation ends it now.
        """
        answer = await self._run(
            "release",
            territory,
            hold_id=str(hold_id),
            account_id=str(account_id),
            now_ms=self._at_ms,
        )
        match answer:
            case [b"released"] | [b"ended", b"released", _]:
                return
            case [b"sealed"]:
                raise SlotTaken("This hold is being confirmed.")
            case other:
                raise _ended(other)

    async def seal(self, territory: Territory, account_id: AccountId, hold_id: HoldId) -> Seal:
        """Keep the seat until the ledger has decided. Safe to repeat.

        Raises:
            HoldEnded, HoldNotYours.
        """
        answer = await self._run(
            "seal",
            territory,
            hold_id=str(hold_id),
            account_id=str(account_id),
            now_ms=self._at_ms,
        )
        match answer:
            case [b"sealed", slot_id, seat, terms, slot, live_from_ms]:
                live_from = from_ms(int(live_from_ms))
                return Seal(_slot_id(slot_id), seat, int(terms), slot, live_from)
            case other:
                raise _ended(other)

    async def unseal(
        self, territory: Territory, slot_id: SlotId, hold_id: HoldId, event: str
    ) -> None:
        """Free the seat of a hold that `hold_end` has ended without an appointment."""
        await self._run(
            "unseal",
            territory,
            slot_id=str(slot_id),
            hold_id=str(hold_id),
            event=event,
            now_ms=self._at_ms,
        )

    async def put(
        self, territory: Territory, slot: Slot, event: str, *, generation: str, horizon: timedelta
    ) -> str:
        """Bring the ledger's slot; the newest version wins, so this may come twice, late or never.

        *horizon*: where the slot's territory has set none.

        Returns the script's word: put, same, stale, over, or OTHER_GENERATION: then the ledger
        must be read again under the new one (`generation`).
        """
        answer = await self._run(
            "put",
            territory,
            slot_id=str(slot.id),
            card=encode_card(slot.card),
            capacity=slot.capacity,
            version=slot.version,
            terms=slot.terms,
            audience=" ".join(sorted(slot.audience)),
            starts_ms=to_ms(slot.starts_at),
            live_from_ms=to_ms(slot.live_from(horizon)),
            over_ms=to_ms(slot.over_at),
            withdrawn=int(slot.withdrawn),
            booked=" ".join(f"{seat}:{hold_id or ''}" for seat, hold_id in slot.seats.items()),
            read_under=generation,
            event=event,
            now_ms=self._at_ms,
        )
        word = str(answer[0].decode())
        if word == OTHER_GENERATION:
            self._generations[territory.id] = answer[1].decode()
        return word

    async def generation(self, territory: Territory) -> str:
        """The generation to read the ledger under, as last heard; `put` corrects it.

        Raises:
            Rebuilding: The territory has none yet.
        """
        known = self._generations.get(territory.id)
        if known is None:
            async with self._answering():
                found = await self.redis.hget(keys.named(territory, "meta"), "generation")
            if found is None:
                raise Rebuilding
            known = self._generations[territory.id] = found.decode()
        return known

    def known_generations(self, territory_ids: Iterable[TerritoryId]) -> dict[TerritoryId, str]:
        """The generations last heard of, without asking; those never heard of are left out."""
        return {
            territory_id: self._generations[territory_id]
            for territory_id in territory_ids
            if territory_id in self._generations
        }

    async def versions(self, territory: Territory, slot_ids: Sequence[SlotId]) -> dict[SlotId, int]:
        """The versions that the broker has of these slots; those of another generation, or
        unknown to it, are left out. One look, however many.
        """
        if not slot_ids:
            return {}
        async with self._answering():
            generation = await self.redis.hget(keys.named(territory, "meta"), "generation")
            packed = await self.redis.hmget(
                keys.named(territory, "states"), [str(slot_id) for slot_id in slot_ids]
            )
        states = {
            slot_id: _kept(state)
            for slot_id, state in zip(slot_ids, packed, strict=True)
            if state is not None
        }
        return {
            slot_id: state.version
            for slot_id, state in states.items()
            if state.generation.encode() == generation
        }

    async def is_held(self, territory: Territory, slot_id: SlotId) -> bool:
        """Whether anybody holds a seat of the slot, sealed or not yet overdue."""
        async with self._answering():
            packed = await self.redis.hget(keys.named(territory, "states"), str(slot_id))
            now_ms = int(self._at_ms) if self._at_ms else await self._now_ms()
        if packed is None:
            return False
        held = dict(_kept(packed).held)
        return any(hold["sealed"] or hold["expires"] > now_ms for hold in held.values())

    async def due(self, territory: Territory, limit: int = DUE_BATCH_MAX) -> int:
        """Emit what time has changed. Returns how many slots had something due."""
        answer = await self._run("due", territory, limit=limit, now_ms=self._at_ms)
        return int(answer[1])

    async def snapshot(self, territory: Territory) -> Snapshot:
        """Every live slot and the position it stands at; what was due has been emitted."""
        while True:
            answer = await self._run("snapshot", territory, limit=DUE_BATCH_MAX, now_ms=self._at_ms)
            if answer[0] == b"snapshot":
                _, generation, entry_id, *slots = answer
                return Snapshot(position(int(generation), entry_id.decode()), slots)

    async def position(self, territory: Territory) -> Position | None:
        """Where the log stands; None while the scripts would answer that it is being rebuilt.

        A cheap probe: a sweep of nothing. A lost last event shows here: readers that stand
        elsewhere, and hear nothing, resync.
        """
        try:
            answer = await self._run("due", territory, limit=0, now_ms=self._at_ms)
        except Rebuilding:
            return None
        return position(int(answer[2]), answer[3].decode())

    async def begin(
        self,
        territory: Territory,
        generation: int,
        owner: str,
        lease: timedelta,
        *,
        only_if_lost: bool = False,
    ) -> tuple[str, int]:
        """Start a rebuild. Returns begun, busy, or stale with the broker's own generation."""
        answer = await self._run(
            "begin",
            territory,
            new_generation=generation,
            owner=owner,
            lease_ms=_ms(lease),
            only_if_lost=int(only_if_lost),
            now_ms=self._at_ms,
        )
        word = answer[0].decode()
        return word, int(answer[1]) if word == "stale" else generation

    async def ready(self, territory: Territory, generation: int, owner: str) -> int | None:
        """End a rebuild. Returns how many slots the ledger lacked; None where it was lost."""
        answer = await self._run("ready", territory, begun_generation=generation, owner=owner)
        return int(answer[2]) if answer[0] == b"ready" else None

    async def old_seals(
        self, territory: Territory, older_than: timedelta, limit: int
    ) -> list[tuple[SlotId, HoldId]]:
        """Holds sealed longer ago than *older_than*, by the server's own clock."""
        async with self._answering():
            now_ms = int(self._at_ms) if self._at_ms else await self._now_ms()
            members = await self.redis.zrangebyscore(
                keys.named(territory, "seals"), "-inf", now_ms - _ms(older_than), 0, limit
            )
        pairs = (member.decode().split("|") for member in members)
        return [(SlotId(UUID(slot)), HoldId(UUID(hold))) for slot, hold in pairs]

    async def is_trusted(self, territory: Territory) -> bool:
        """Whether the scripts would answer."""
        return await self.position(territory) is not None

    async def slot_of_hold(self, territory: Territory, hold_id: HoldId) -> SlotId | None:
        """The slot of a hold that lives or lived here; None where Redis has forgotten it."""
        async with self._answering():
            found = await self.redis.hget(keys.named(territory, "holds"), str(hold_id))
        return _slot_id(found) if found else None

    async def slot_ids(self, territory: Territory) -> set[SlotId]:
        """Every slot that the broker keeps, tombstones and those beyond the horizon included."""
        async with self._answering():
            found: Iterable[bytes] = await self.redis.hkeys(keys.named(territory, "states"))
        return {_slot_id(slot_id) for slot_id in found}

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Say in our words that the server is dead, frozen or unreachable, and say it in time."""
        try:
            # The client's own time-outs add up: of a cluster it asks one frozen node after another.
            async with self._deadline():
                yield
        except redis_url.UNAVAILABLE as error:
            raise BrokerUnavailable from error

    async def _now_ms(self) -> int:
        seconds, microseconds = await self.redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    async def _run(
        self, name: str, territory: Territory, *own_keys: str, **arguments: str | bytes | int
    ) -> list[Any]:
        # As `_answering`, without its generator: this is the way of every hold.
        try:
            async with self._deadline():
                answer = await scripts.load(name)(
                    self._lane, (*keys.of(territory), *own_keys), **arguments
                )
        except redis_url.UNAVAILABLE as error:
            raise BrokerUnavailable from error
        if answer[0] == b"rebuilding":
            raise Rebuilding
        if answer[0] == b"mismatch":
            raise IdempotencyMismatch
        return answer


def _kept(packed: bytes) -> Kept:
    try:
        return _KEPT.decode(packed)
    except msgspec.ValidationError as error:
        raise Rebuilding from error  # another layout: what `begin` takes away


def _ended(answer: list[Any]) -> Exception:
    match answer:
        case [b"unknown"]:
            return HoldEnded(HoldExpired, None)
        case [b"ended", why, slot_id]:
            return HoldEnded(ENDED[why.decode()], _slot_id(slot_id))
        case [b"not-yours"]:
            return HoldNotYours()
        case other:
            return _unexpected(other)


def _unexpected(answer: list[Any]) -> AssertionError:
    """A new word in Lua needs a new case here."""
    return AssertionError(answer)


def _slot_id(raw: bytes) -> SlotId:
    return SlotId(UUID(raw.decode()))


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
