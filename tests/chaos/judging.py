"""After the run: what PostgreSQL, the history and the boards say to what clients were told."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from slots.slot import STARTED_GRACE
from tests.chaos.asking import Way, passes
from tests.chaos.boards import Board, open_socket, subscribe
from tests.chaos.ground import HORIZON, Person
from tests.proof import linearizability
from tests.proof.history import DONE, History, Operation

SETTLED_WITHIN_S = 30.0
JUDGED_WITHIN_S = 60.0  # seconds are enough for a good history; what is wrong takes long to find
EDGE = timedelta(seconds=3)  # slots that go live or end just now may be on a board, or not

APPOINTMENTS = "SELECT id::text, slot_id::text, seat, hold_id::text, status FROM appointment"
SLOTS = """
SELECT slot.id::text, slot.capacity, slot.audience, slot.version, slot.starts_at, slot.ends_at,
       slot.withdrawn_at IS NOT NULL AS withdrawn,
       count(appointment.id) FILTER (WHERE appointment.status <> 'cancelled') AS booked
FROM slot LEFT JOIN appointment ON appointment.slot_id = slot.id
GROUP BY slot.id
"""


def double_bookings(
    appointments: Sequence[Mapping[str, Any]], history: History, capacities: Mapping[str, int]
) -> list[str]:
    """One seat given twice: in PostgreSQL, or in what clients were told."""
    standing = Counter(
        (row["slot_id"], row["seat"]) for row in appointments if row["status"] != "cancelled"
    )
    found = [
        f"PostgreSQL: {count} appointments on seat {seat} of {slot}"
        for (slot, seat), count in standing.items()
        if count > 1
    ]
    taken = Counter(row["slot_id"] for row in appointments if row["status"] != "cancelled")
    found += [
        f"PostgreSQL: {count} appointments on {capacities[slot]} seats of {slot}"
        for slot, count in taken.items()
        if count > capacities[slot]
    ]
    given: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for slot, operations in history.slots.items():
        given_up = asked_to_end(operations)
        for one in operations:
            if one.verb == "confirm" and one.word == DONE and not given_up(one.answer):
                given[slot, one.answer["seat"]].add(one.answer["appointment"])
    return found + [
        f"told: {len(told)} confirmations of seat {seat} of {slot}, and no cancellation"
        for (slot, seat), told in given.items()
        if len(told) > 1
    ]


def lost(
    appointments: Sequence[Mapping[str, Any]],
    slots: Iterable[str],
    confirmed: Iterable[Mapping[str, Any]],
    history: History,
) -> list[str]:
    """Confirmed to somebody, and not there; or cancelled, and nobody had asked for it.

    The same for what was offered. *slots*: all that PostgreSQL has.
    """
    by_id = {row["id"]: row for row in appointments}
    found = [f"slot {slot}: offered, not there" for slot in history.slots.keys() - {*slots}]
    for told in confirmed:
        row = by_id.get(told["appointment"])
        if row is None:
            found.append(f"{told}: not there")
        elif (row["slot_id"], row["seat"]) != (told["slot"], told["seat"]):
            found.append(f"{told}: elsewhere, {dict(row)}")
        elif row["status"] == "cancelled" and not asked_to_end(history.slots[told["slot"]])(told):
            found.append(f"{told}: cancelled, and nobody asked for it")
    return found


def asked_to_end(operations: Iterable[Operation]):
    """Whether somebody asked to cancel an appointment, or to withdraw it with its slot."""
    cancelled = {one.arguments["appointment"] for one in operations if one.verb == "cancel"}
    withdrawn = any(one.verb == "withdraw" and one.arguments["cancel_booked"] for one in operations)
    return lambda told: withdrawn or told["appointment"] in cancelled


def violations(history: History, slots: Sequence[Mapping[str, Any]]) -> list[str]:
    """Slots whose history has no explanation. What nobody was seen to offer, somebody offered."""
    by_id = {row["id"]: row for row in slots}
    found, ends_at = [], time.monotonic() + JUDGED_WITHIN_S
    for slot, operations in history.slots.items():
        if slot not in by_id:
            continue  # lost with its offer, which `lost` says
        if time.monotonic() > ends_at:
            return [*found, "not all slots were judged in time"]
        whole = [one for one in operations if not _is_over(one, by_id[slot])]
        if not any(one.verb == "offer" for one in operations):
            told = {name: by_id[slot][name] for name in ("capacity", "audience")}
            whole.insert(0, Operation("ground", "offer", told, 0.0, 0.0, {"word": DONE}))
        try:
            violation = linearizability.violation(slot, whole, history.losses)
        except linearizability.Undecided as error:
            found.append(f"slot {slot}: undecided, {error}")
            continue
        if violation is not None:
            found.append(str(violation))
    return found


def _is_over(one: Operation, slot: Mapping[str, Any]) -> bool:
    """Whether it was refused when the slot's time was over, of which the checker knows nothing."""
    left_s = (over_at(slot) - datetime.now(UTC)).total_seconds()
    ended_at = time.monotonic() + left_s - EDGE.total_seconds()
    return one.word in ("slot-unknown", "hold-expired") and one.returned_at >= ended_at


async def settled(owner: asyncpg.Connection) -> None:
    """Wait until the outbox is empty: what was committed has reached the broker."""
    async with asyncio.timeout(SETTLED_WITHIN_S):
        while await owner.fetchval("SELECT count(*) FROM outbox"):
            await passes(0.1)


async def differing_from_fresh(board: Board, ways: Sequence[Way]) -> list[str]:
    """Where `last snapshot + events` is not what somebody sees who comes now, at either process."""
    found = []
    for way in ways:
        left = set(board.screens)
        try:
            async with asyncio.timeout(SETTLED_WITHIN_S):
                while left:
                    fresh = await look(board.person, way, sorted(left))
                    left -= {slug for slug in left if fresh[slug][0] == board.screens[slug].at}
                    found += [
                        f"{board.name} {slug} at {way.name}: {_difference(screen.slots, slots)}"
                        for slug, (at, slots) in fresh.items()
                        if at == (screen := board.screens[slug]).at and slots != screen.slots
                    ]
        except TimeoutError:
            found += [
                f"{board.name} {slug} at {way.name}: never stands as a fresh one" for slug in left
            ]
    return found


def differing_from_ledger(
    rows: Sequence[Mapping[str, Any]], shown: Mapping[str, Any], now: datetime
) -> list[str]:
    """Slots that a board which sees everything shows otherwise than PostgreSQL has them."""
    found = []
    for row in rows:
        slot = shown.get(row["id"])
        if is_live(row, now - EDGE) and is_live(row, now + EDGE):
            facts = {name: row[name] for name in ("capacity", "version", "booked")}
            if slot is None or any(slot[name] != fact for name, fact in facts.items()):
                found.append(f"slot {row['id']}: {facts}, and the board shows {slot}")
        elif slot is not None and not (is_live(row, now - EDGE) or is_live(row, now + EDGE)):
            found.append(f"slot {row['id']}: not live, and the board shows {slot}")
    unknown = shown.keys() - {row["id"] for row in rows}
    return found + [f"slot {slot}: unknown to PostgreSQL" for slot in sorted(unknown)]


def is_live(row: Mapping[str, Any], now: datetime) -> bool:
    return not row["withdrawn"] and row["starts_at"] - HORIZON <= now < over_at(row)


def over_at(slot: Mapping[str, Any]) -> datetime:
    """When it leaves every board."""
    if slot["capacity"] > 1:
        return slot["ends_at"]
    return min(slot["ends_at"], slot["starts_at"] + STARTED_GRACE)


async def look(person: Person, way: Way, slugs: Sequence[str]) -> dict[str, tuple[str, dict]]:
    """What somebody sees who comes now: position and slots of each territory."""
    socket = await open_socket(person, way)
    await subscribe(socket, dict.fromkeys(slugs))
    seen: dict[str, tuple[str, dict]] = {}
    while len(seen) < len(slugs):
        frame = msgspec.json.decode(await socket.recv())
        if frame["t"] == "snapshot":
            slots = {slot["id"]: slot for slot in frame["slots"]}
            seen.setdefault(frame["territory"], (frame["at"], slots))
    await socket.close()
    return seen


def _difference(shown: Mapping[str, Any], fresh: Mapping[str, Any]) -> str:
    wrong = sorted(
        slot for slot in shown.keys() | fresh.keys() if shown.get(slot) != fresh.get(slot)
    )
    return f"{len(wrong)} slots, first {shown.get(wrong[0])}, fresh {fresh.get(wrong[0])}"
