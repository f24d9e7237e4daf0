"""The model is strict: take one line out of a script, and the machine finds it."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.guards import without
from tests.proof.machine import BrokerMachine

PATIENCE_S = 300  # where a guard is not missed at all; else it is found in seconds
PATIENT = settings(
    max_examples=1_000,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

# Guard: the file, a line of it, and what stands there without the guard.
GUARDS = {
    "time passes before a hold": (
        "hold",
        "if settle(slot_id, state, now) then save(slot_id, state) end",
        "",
    ),
    "time passes before a hold is looked for": (
        "_common",
        "if settle(slot_id, state, now) then save(slot_id, state) end",
        "",
    ),
    "time passes before a snapshot": (
        "snapshot",
        "if settle_all(limit, now) >= tonumber(limit) then return { 'settling' } end",
        "",
    ),
    "the audience": ("hold", "if not hears then return { 'not-yours' } end", ""),
    "the limit of holds": (
        "hold",
        "if holding >= tonumber(holds_max) then return { 'too-many' } end",
        "",
    ),
    "the horizon": ("hold", "if not state.live then return { 'not-live' } end", ""),
    "a free seat": ("hold", "if booked + held >= state.capacity then return { 'taken' } end", ""),
    "another seat for each": ("hold", "while taken[seat] or", "while"),
    "the same key, the same hold": (
        "hold",
        "return { 'held', its_hold, tonumber(seat), expires_ms }",
        "",
    ),
    "the version": (
        "put",
        "if is_known and version < state.version then return { 'stale' } end",
        "",
    ),
    "the generation": (
        "put",
        "if read_under ~= generation then return { 'other-generation', generation } end",
        "",
    ),
    "the ledger ends what it contradicts": (
        "put",
        "or seats[tostring(hold.seat)] and 'taken')",
        "or nil)",
    ),
    "a withdrawal beats a hold": ("put", "or withdrawn and 'withdrawn' or", "or"),
    "other terms end a hold": ("put", "hold.terms ~= state.terms and 'changed'", "false"),
    "less capacity ends the latest holds": (
        "put",
        "if count_booked + count_held <= capacity then break end",
        "break",
    ),
    "a seal outlives time": (
        "_common",
        "if not hold.sealed and (sooner or tie) then",
        "if sooner or tie then",
    ),
    "a seal outlives a release": ("release", "if hold.sealed then return { 'sealed' } end", ""),
    "a renewal comes once": ("renew", "if hold.renewed then return { 'renewed' } end", ""),
    "only one's own hold": (
        "_common",
        "if hold.account ~= account_id then return nil, nil, nil, { 'not-yours' } end",
        "",
    ),
    "a log that may have lost its tail": (
        "_common",
        "return is_same_server and state or nil",
        "return state",
    ),
    "one rebuilder at a time": (
        "begin",
        "if is_leased and other ~= owner then return { 'busy' } end",
        "",
    ),
    "what the ledger lacks goes": (
        "ready",
        "if state.generation ~= generation then",
        "if false then",
    ),
    "holders are known after a rebuild": (
        "put",
        "remember_holder(hold.account, hold_id, hold.sealed and SEALED or math.min(hold.expires, state.over))",
        "",
    ),
    "state and event are one": (
        "release",
        "tell_of_hold('slot.released', slot_id, state, hold_id, account_id)",
        "",
    ),
    "each event names the one before": ("_common", "'prev', last", "'prev', ''"),
}


@pytest.mark.prove
@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize("guard", GUARDS)
def test_the_machine_finds_out_that_a_guard_is_missing(servers, monkeypatch, guard):
    file, line, instead = GUARDS[guard]
    without(monkeypatch, file, (line, instead))

    with pytest.raises(AssertionError):
        run_state_machine_as_test(lambda: BrokerMachine(servers.valkey.url), settings=PATIENT)
