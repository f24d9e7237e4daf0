"""Drives the broker on a real Valkey and the model side by side, and compares after each step."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from slots import redis_url as urls
from slots.audience import Audience, Role
from slots.broker import HoldEnded
from slots.document import decode_slot
from slots.errors import Rebuilding, SlotError
from slots.events import missed
from slots.ids import HoldId, new_id
from slots.slot import HOLD_FOR, Hold
from tests.broker.stage import HAUTS, LEASE, START, Stage, changed, make_account, make_slot, moved
from tests.proof.model import HEARS, HOLDS_MAX, Model

ACCOUNTS = {
    "member": make_account(Role.REFERRER),
    "colleague": make_account(Role.PROFESSIONAL),
    "neighbour": make_account(neighbours=frozenset({HAUTS.id})),
    "regulator": make_account(Role.REGULATOR),
    "coordinator": make_account(Role.COORDINATOR),
}
AUDIENCES = [("CPTS",), ("SNP",), ("CPTS", "SNP"), ("PRO",), ("PUBLIC", "SNP")]
SPANS = [
    timedelta(seconds=seconds) for seconds in (0.001, 1, 20, 60, 90, 179.999, 180, 180, 300, 1200)
]
STARTS = [timedelta(minutes=minutes) for minutes in (30, 30, 60, 300, 2, -4, 2880, 2890)]
LATEST_SLOTS = 3  # which the steps are about
FORBIDDEN_STEPS_MAX = 3  # in a row, while the broker answers that it is being rebuilt

anybody = st.sampled_from(sorted(ACCOUNTS))
stranger = st.sampled_from([None] * 6 + sorted(ACCOUNTS))
pick = st.integers(0, 50)
some_key = st.sampled_from(["", "", "", "one key", "another key"])
is_applied = st.sampled_from([True, True, True, False])
seldom = st.sampled_from([False, False, False, False, True])


def is_usable(machine: "BrokerMachine") -> bool:
    """A few steps while nothing is trusted are enough; then somebody rebuilds."""
    return bool(machine.ledger) and machine.forbidden_steps < FORBIDDEN_STEPS_MAX


def has_holds(machine: "BrokerMachine") -> bool:
    return bool(machine.holds) and is_usable(machine)


class BrokerMachine(RuleBasedStateMachine):
    """*url*: a Valkey that each run empties."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        client = urls.connect(url)
        self.stage = Stage(client)
        self.model = Model(START)
        self.ledger: list[list[Any]] = []  # of each slot every version, oldest first
        self.holds: list[tuple[str, Any, HoldId]] = []
        self.seen: tuple[str, dict[Any, bytes]] | None = None
        self.keys_used = 0
        self.is_unseen = False
        self.forbidden_steps = 0
        self.run(client.flushall())

    def teardown(self) -> None:
        self.run(self.stage.tap.aclose())
        self.runner.close()

    def run(self, awaitable: Any) -> Any:
        async def awaited() -> Any:
            return await awaitable

        return self.runner.run(awaited())

    def heard(self, awaitable: Any) -> Any:
        """What the broker answers, in the model's words."""
        try:
            answer = self.run(awaitable)
        except HoldEnded as ended:
            return ended.error.__name__
        except SlotError as error:
            return type(error).__name__
        return (answer.id, answer.seat, answer.expires_at) if isinstance(answer, Hold) else answer

    def versions(self, number: int) -> list[Any]:
        """Of one of the latest slots."""
        return self.ledger[-1 - number % min(LATEST_SLOTS, len(self.ledger))]

    def some_hold(self, number: int) -> tuple[str, Any, HoldId]:
        """Of those given lately, or one that never was."""
        recent = [("member", None, HoldId(new_id(HAUTS.id))), *self.holds[-6:]]
        return recent[-1 - number % len(recent)]

    def own_key(self, wanted: str) -> str:
        self.keys_used += 1
        return wanted or f"own key {self.keys_used}"

    # The ledger, and what brings it.

    @initialize()
    def open_with_two_slots(self) -> None:
        for capacity in (1, 7):
            self.ledger.append([make_slot(capacity=capacity, audience=("CPTS", "PRO", "SNP"))])
        self.rebuild_to_the_end()

    def bring(self, slot: Any, generation: int | None = None) -> None:
        generation = generation or self.stage.generation
        expected = self.model.put(slot, generation)
        told = self.heard(self.stage.put(slot, generation=generation))
        # While all is being rebuilt nothing settles: what has ended may be there still, until ready.
        is_left_over = expected == "over" and self.model.phase == "rebuilding"
        assert told == expected or is_left_over, (told, expected)

    @precondition(lambda self: len(self.ledger) < 12)
    @rule(
        after=st.sampled_from(STARTS),
        capacity=st.sampled_from([1, 1, 2, 3, 7]),
        audience=st.sampled_from(AUDIENCES),
        applied=is_applied,
    )
    def offer(self, after, capacity, audience, applied) -> None:
        starts_at = self.model.now.replace(microsecond=0) + after
        slot = make_slot(starts_at=starts_at, capacity=capacity, audience=audience)
        self.ledger.append([slot])
        if applied:
            self.bring(slot)

    def write(self, number: int, *, applied: bool, **fields: Any) -> None:
        versions = self.versions(number)
        versions.append(changed(versions[-1], **fields))
        if applied:
            self.bring(versions[-1])

    @precondition(is_usable)
    @rule(number=pick, note=st.sampled_from("abc"), applied=is_applied)
    def amend_note(self, number, note, applied) -> None:
        self.write(number, applied=applied, note=note)

    @precondition(is_usable)
    @rule(number=pick, capacity=st.integers(1, 4), applied=is_applied)
    def amend_capacity(self, number, capacity, applied) -> None:
        slot = self.versions(number)[-1]
        capacity = max(capacity, *slot.seats, 1) if slot.seats else capacity
        if slot.over_at > self.model.now:
            self.write(number, applied=applied, capacity=capacity)

    @precondition(is_usable)
    @rule(number=pick, audience=st.sampled_from(AUDIENCES), applied=is_applied)
    def amend_audience(self, number, audience, applied) -> None:
        words = frozenset(Audience(word) for word in audience)
        self.write(number, applied=applied, audience=words)

    @precondition(is_usable)
    @rule(number=pick, applied=is_applied, really=seldom)
    def amend_time(self, number, applied, really) -> None:
        versions = self.versions(number)
        if really and not versions[-1].seats and versions[-1].over_at > self.model.now:
            versions.append(moved(versions[-1], timedelta(minutes=10)))
            if applied:
                self.bring(versions[-1])

    @precondition(is_usable)
    @rule(number=pick, applied=is_applied, really=seldom)
    def withdraw(self, number, applied, really) -> None:
        if really:
            self.write(number, applied=applied, withdrawn=True, seats={})

    @precondition(is_usable)
    @rule(number=pick, applied=is_applied)
    def book_what_redis_does_not_know(self, number, applied) -> None:
        slot = self.versions(number)[-1]
        if (seat := slot.free_seat()) and not slot.withdrawn:
            self.write(number, applied=applied, seats={**slot.seats, seat: None})

    @precondition(is_usable)
    @rule(number=pick, applied=is_applied)
    def cancel(self, number, applied) -> None:
        seats = dict(self.versions(number)[-1].seats)
        if seats:
            seats.pop(min(seats))
            self.write(number, applied=applied, seats=seats)

    @precondition(is_usable)
    @rule(number=pick, back=st.integers(0, 3), older_generation=st.booleans())
    def apply_late_or_twice(self, number, back, older_generation) -> None:
        versions = self.versions(number)
        generation = self.stage.generation - older_generation
        self.bring(versions[-1 - back % len(versions)], max(1, generation))

    @precondition(is_usable)
    @rule(number=pick, note=st.sampled_from("xyz"))
    def mend_what_differs_at_the_same_version(self, number, note) -> None:
        versions = self.versions(number)
        versions[-1] = changed(versions[-1], note=note, version=versions[-1].version)
        self.bring(versions[-1])

    # Those who hold.

    @precondition(is_usable)
    @rule(number=pick, one=pick, wanted=some_key)
    def hold(self, number, one, wanted) -> None:
        self._hold(self.one_who_hears(number, one), number, wanted)

    @precondition(is_usable)
    @rule(who=anybody, number=pick, wanted=some_key)
    def hold_whoever_asks(self, who, number, wanted) -> None:
        self._hold(who, number, wanted)

    @precondition(is_usable)
    @rule(number=pick, one=pick)
    def hold_many(self, number, one) -> None:
        """Of several slots, by one: the limit is of the account and the territory."""
        for turn in range(HOLDS_MAX + 1):
            self._hold(self.one_who_hears(number, one), number + turn // 3, "")

    def one_who_hears(self, number: int, one: int) -> str:
        audience = self.versions(number)[-1].audience
        hear = [name for name in sorted(ACCOUNTS) if not HEARS[name].isdisjoint(audience)]
        return hear[one % len(hear)]

    def _hold(self, who: str, number: int, wanted: str) -> None:
        slot, hold_id, used = (
            self.versions(number)[-1],
            HoldId(new_id(HAUTS.id)),
            self.own_key(wanted),
        )
        expected = self.model.hold(who, slot.id, hold_id, used)
        told = self.heard(self.stage.hold(slot, ACCOUNTS[who], key=used, hold_id=hold_id))
        assert told == expected
        if isinstance(told, tuple):
            self.holds.append((who, slot, told[0]))

    @rule(number=pick, stranger=stranger, wanted=some_key, again=st.booleans())
    def renew(self, number, stranger, wanted, again) -> None:
        """*again*: under a key of its own, as somebody who wants still more time."""
        holder, slot, hold_id = self.some_hold(number)
        holder = stranger or holder
        hold = Hold(hold_id, slot and slot.id, 1, self.model.now)
        for key in [wanted, ""] if again else [wanted]:
            used = self.own_key(key)
            told = self.heard(self.stage.renew(ACCOUNTS[holder], hold, key=used))
            assert told == self.model.renew(holder, hold_id, used)

    @rule(number=pick, stranger=stranger)
    def release(self, number, stranger) -> None:
        holder, _, hold_id = self.some_hold(number)
        holder = stranger or holder
        broker = self.stage.broker
        told = self.heard(broker.release(HAUTS, ACCOUNTS[holder].id, hold_id))
        assert told == self.model.release(holder, hold_id)

    @rule(number=pick, stranger=stranger)
    def seal(self, number, stranger) -> None:
        holder, _, hold_id = self.some_hold(number)
        self._seal(stranger or holder, hold_id)

    def _seal(self, holder: str, hold_id: HoldId) -> bool:
        told = self.heard(self.stage.broker.seal(HAUTS, ACCOUNTS[holder].id, hold_id))
        sealed = not isinstance(told, str)
        answer = (told.slot_id, told.seat, told.terms) if sealed else told
        assert answer == self.model.seal(holder, hold_id)
        return sealed

    @precondition(has_holds)
    @rule(number=pick, applied=is_applied)
    def confirm(self, number, applied) -> None:
        """Seal, write, put: as slots/booking does, on the seat that the ledger has free."""
        holder, slot, hold_id = self.holds[-1 - number % min(6, len(self.holds))]
        versions = next(one for one in self.ledger if one[0].id == slot.id)
        latest = versions[-1]
        seat = latest.free_seat()
        is_booked = hold_id in latest.seats.values()
        if self._seal(holder, hold_id) and seat and not latest.withdrawn and not is_booked:
            versions.append(changed(latest, seats={**latest.seats, seat: hold_id}))
            if applied:
                self.bring(versions[-1])

    @precondition(has_holds)
    @rule(number=pick)
    def unseal(self, number) -> None:
        _, slot, hold_id = self.some_hold(number)
        if slot is not None:
            told = self.heard(self.stage.broker.unseal(HAUTS, slot.id, hold_id, "slot.revoked"))
            assert told == self.model.unseal(slot.id, hold_id)

    # Time, and what Redis goes through.

    @rule(span=st.sampled_from(SPANS), swept=seldom, unseen=st.booleans())
    def time_passes(self, span, swept, unseen) -> None:
        """*unseen*: nobody takes a snapshot before the next step, which must settle for itself."""
        self.is_unseen = unseen
        self.stage.pass_time(span)
        self.model.pass_until(self.stage.now)
        if swept:
            told = self.heard(self.stage.due())
            assert (told == "Rebuilding") != self.model.answers_now

    @precondition(has_holds)
    @rule(one=pick)
    def hold_what_has_just_run_out(self, one) -> None:
        """Nobody sweeps or looks before: each hold settles its slot itself."""
        self.time_passes(HOLD_FOR, swept=False, unseen=False)
        for number in range(LATEST_SLOTS):
            self._hold(self.one_who_hears(number, one), number, "")

    @rule(owner=st.sampled_from(["the-rebuilder", "another"]), newer=st.booleans(), really=seldom)
    def begin(self, owner, newer, really) -> None:
        if self.model.answers_now and not really:
            return
        generation = self.stage.generation + newer
        told, _ = self.run(self.stage.broker.begin(HAUTS, generation, owner, LEASE))
        assert told == self.model.begin(generation, owner)
        self.stage.generation = self.model.generation or self.stage.generation

    @precondition(lambda self: not self.model.answers_now)
    @rule(owner=st.sampled_from(["the-rebuilder", "another"]), back=st.booleans())
    def ready(self, owner, back) -> None:
        generation = self.stage.generation - back
        told = self.run(self.stage.broker.ready(HAUTS, generation, owner))
        self.dropped(told, self.model.ready(generation, owner))

    @precondition(lambda self: not self.model.answers_now)
    @rule()
    def rebuild_to_the_end(self) -> None:
        """A worker with patience: its lease comes."""
        self.stage.pass_time(timedelta(seconds=16))
        self.model.pass_until(self.stage.now)
        self.run(self.stage.begin())
        assert self.model.begin(self.stage.generation, "the-rebuilder") == "begun"
        for versions in self.ledger:
            self.bring(versions[-1])
        self.dropped(
            self.run(self.stage.ready()), self.model.ready(self.stage.generation, "the-rebuilder")
        )

    @precondition(has_holds)
    @rule(number=pick, really=seldom)
    def rebuild_under_holds(self, number, really) -> None:
        """They survive, and are still counted: whoever held last asks for more."""
        if really:
            self.rebuild_to_the_end()
            for turn in range(HOLDS_MAX + 1):
                self._hold(self.holds[-1][0], number + turn // 3, "")

    def dropped(self, told: int | None, expected: int | None) -> None:
        """What has ended goes here too, where nothing settled meanwhile."""
        assert (told is None) == (expected is None)
        assert told is None or told >= expected

    @precondition(lambda self: self.model.answers_now)
    @rule(really=seldom, forgets=st.booleans())
    def redis_restarts(self, really, forgets) -> None:
        """Only a step that says so loses data."""
        if really and forgets:
            self.run(self.stage.tap.flushdb())
            self.model.lose_everything()
        elif really:
            self.run(self.stage.lose_the_tail())
            self.model.lose_the_tail()

    # After each step.

    @invariant()
    def the_board_is_the_models(self) -> None:
        if self.is_unseen:
            self.is_unseen = False
            return
        self.forbidden_steps = 0 if self.model.answers_now else self.forbidden_steps + 1
        if not self.model.answers_now:
            self.seen = None
            assert self.heard(self.stage.broker.snapshot(HAUTS)) == Rebuilding.__name__
            return
        snapshot = self.run(self.stage.broker.snapshot(HAUTS))
        documents = [decode_slot(raw) for raw in snapshot.slots]
        board = {UUID(str(one.id)): one for one in documents}
        assert board == self.model.board()
        assert [one.starts_at for one in documents] == sorted(one.starts_at for one in documents)
        for one in documents:
            assert min(one.free, one.held, one.booked) >= 0
        self.the_log_leads_here(snapshot.at, dict(zip(board, snapshot.slots, strict=True)))

    def the_log_leads_here(self, at: str, fresh: dict[Any, bytes]) -> None:
        """Positions are contiguous; the last snapshot and the events since make this one."""
        log = self.run(self.stage.events())
        assert log[0].type == "log.started"
        assert log[-1].at == at
        assert all(one.at == other.prev for one, other in pairwise(log))
        assert len({one.at for one in log}) == len(log)
        if self.seen is not None and (since := missed(self.seen[0], log)) is not None:
            slots = dict(self.seen[1])
            for event in since:
                slots.pop(event.slot_id, None)
                if event.live:
                    slots[event.slot_id] = event.slot
            assert slots == fresh
        self.seen = at, fresh

    @invariant()
    def nobody_holds_too_many(self) -> None:
        assert all(self.model.holding(one) <= HOLDS_MAX for one in ACCOUNTS)

    @invariant()
    def everybody_hears_what_the_table_says(self) -> None:
        for name, account in ACCOUNTS.items():
            assert account.hears(HAUTS.id) == HEARS[name]
