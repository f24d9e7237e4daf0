"""Every word that a script's header promises can be heard, and no other."""

import re
from contextlib import suppress
from datetime import timedelta

import pytest

from slots import keys, scripts
from slots.broker import HoldEnded
from slots.errors import SlotError
from slots.ids import HoldId, new_id
from slots.slot import HOLD_FOR, HOLDS_PER_ACCOUNT_MAX, Hold
from tests.broker.stage import LEASE, START, Stage, changed, make_account, make_slot

RETURNS = re.compile(r"^Returns\n(?P<lines>.*?)\n\n", re.MULTILINE | re.DOTALL)
RETURNS_TO_THE_END = re.compile(r"^Returns\n(?P<lines>.*?)\n\]\]", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"^  \{'([\w-]+)'", re.MULTILINE)
RETURNED = re.compile(r"\{ '([\w-]+)'")
# These come from what all scripts share.
OF_FIND_HOLD = {"unknown", "not-yours", "ended"}


def promised(name: str) -> set[str]:
    """The words under Returns."""
    body = scripts.load(name).text
    found = RETURNS.search(body) or RETURNS_TO_THE_END.search(body)
    assert found is not None, name
    return set(WORD.findall(found["lines"]))


PROMISED = [(name, word) for name in scripts.SCRIPT_NAMES for word in sorted(promised(name))]


class Scenes:
    """How each word is provoked; `hold_too_many` for `too-many` of hold.lua."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.account = make_account()

    async def held(self, **fields):
        slot = await self.stage.offer(**fields)
        return slot, await self.stage.hold(slot, self.account, key="held")

    async def ended(self):
        slot, hold = await self.held()
        await self.stage.release(self.account, hold)
        return slot, hold

    def never_made(self) -> Hold:
        identifier = HoldId(new_id(self.stage.territory.id))
        return Hold(identifier, make_slot().id, 1, START)

    async def hold_held(self):
        await self.held()

    async def hold_taken(self):
        slot, _ = await self.held()
        await self.stage.hold(slot)

    async def hold_unknown(self):
        await self.stage.hold(make_slot())

    async def hold_withdrawn(self):
        slot = await self.stage.offer()
        await self.stage.put(changed(slot, withdrawn=True))
        await self.stage.hold(slot)

    async def hold_not_live(self):
        await self.stage.hold(await self.stage.offer(starts_at=START + timedelta(days=9)))

    async def hold_not_yours(self):
        await self.stage.hold(await self.stage.offer(audience=("SNP",)))

    async def hold_too_many(self):
        slot = await self.stage.offer(capacity=HOLDS_PER_ACCOUNT_MAX + 1)
        for _ in range(HOLDS_PER_ACCOUNT_MAX + 1):
            await self.stage.hold(slot, self.account)

    async def hold_mismatch(self):
        await self.held()
        await self.stage.hold(await self.stage.offer(), self.account, key="held")

    async def hold_rebuilding(self):
        slot = await self.stage.offer()
        await self.stage.begin()
        await self.stage.hold(slot)

    async def renew_held(self):
        _, hold = await self.held()
        await self.stage.renew(self.account, hold)

    async def renew_renewed(self):
        _, hold = await self.held()
        await self.stage.renew(self.account, hold)
        await self.stage.renew(self.account, hold)

    async def renew_sealed(self):
        _, hold = await self.held()
        await self.stage.seal(self.account, hold)
        await self.stage.renew(self.account, hold)

    async def renew_ended(self):
        _, hold = await self.ended()
        await self.stage.renew(self.account, hold)

    async def renew_not_yours(self):
        _, hold = await self.held()
        await self.stage.renew(make_account(), hold)

    async def renew_unknown(self):
        await self.stage.renew(self.account, self.never_made())

    async def renew_mismatch(self):
        _, hold = await self.held()
        await self.stage.renew(self.account, hold, key="renewed")
        await self.stage.renew(self.account, self.never_made(), key="renewed")

    async def renew_rebuilding(self):
        _, hold = await self.held()
        await self.stage.begin()
        await self.stage.renew(self.account, hold)

    async def release_released(self):
        await self.ended()

    async def release_sealed(self):
        _, hold = await self.held()
        await self.stage.seal(self.account, hold)
        await self.stage.release(self.account, hold)

    async def release_ended(self):
        _, hold = await self.ended()
        await self.stage.release(self.account, hold)

    async def release_not_yours(self):
        _, hold = await self.held()
        await self.stage.release(make_account(), hold)

    async def release_unknown(self):
        await self.stage.release(self.account, self.never_made())

    async def release_rebuilding(self):
        _, hold = await self.held()
        await self.stage.begin()
        await self.stage.release(self.account, hold)

    async def seal_sealed(self):
        _, hold = await self.held()
        await self.stage.seal(self.account, hold)

    async def seal_ended(self):
        _, hold = await self.ended()
        await self.stage.seal(self.account, hold)

    async def seal_not_yours(self):
        _, hold = await self.held()
        await self.stage.seal(make_account(), hold)

    async def seal_unknown(self):
        await self.stage.seal(self.account, self.never_made())

    async def seal_rebuilding(self):
        _, hold = await self.held()
        await self.stage.begin()
        await self.stage.seal(self.account, hold)

    async def unseal_unsealed(self):
        slot, hold = await self.held()
        await self.stage.seal(self.account, hold)
        await self.stage.unseal(slot, hold)

    async def unseal_ended(self):
        slot, hold = await self.ended()
        await self.stage.unseal(slot, hold)

    async def unseal_rebuilding(self):
        slot, hold = await self.held()
        await self.stage.begin()
        await self.stage.unseal(slot, hold)

    async def put_put(self):
        await self.stage.offer()

    async def put_same(self):
        await self.stage.put(await self.stage.offer())

    async def put_stale(self):
        slot = await self.stage.offer()
        await self.stage.put(changed(slot))
        await self.stage.put(slot)

    async def put_over(self):
        await self.stage.put(make_slot(starts_at=START - timedelta(days=1)))

    async def put_other_generation(self):
        await self.stage.put(make_slot(), generation=9)

    async def put_rebuilding(self):
        await self.stage.lose_the_tail()
        await self.stage.put(make_slot())

    async def due_settled(self):
        await self.held()
        self.stage.pass_time(HOLD_FOR)
        await self.stage.due()

    async def due_rebuilding(self):
        await self.stage.begin()
        await self.stage.due()

    async def snapshot_snapshot(self):
        await self.stage.board()

    async def snapshot_settling(self):
        await self.held()
        self.stage.pass_time(HOLD_FOR)
        await scripts.load("snapshot")(
            self.stage.tap,
            keys.of(self.stage.territory),
            limit=1,
            now_ms=self.stage.broker.clock_ms,
        )

    async def snapshot_rebuilding(self):
        await self.stage.begin()
        await self.stage.board()

    async def begin_begun(self):
        await self.stage.begin()

    async def begin_busy(self):
        await self.stage.begin(owner="another")
        await self.stage.begin()

    async def begin_stale(self):
        await self.stage.broker.begin(self.stage.territory, 1, "somebody", LEASE)

    async def ready_ready(self):
        await self.stage.rebuild()

    async def ready_lost(self):
        await self.stage.begin(owner="another")
        await self.stage.ready()


@pytest.mark.parametrize(("name", "word"), PROMISED, ids=lambda part: part)
async def test_a_promised_word_can_be_heard(stage: Stage, name: str, word: str):
    scene = getattr(Scenes(stage), f"{name}_{word}".replace("-", "_"))

    with suppress(SlotError, HoldEnded):
        await scene()

    assert stage.tap.heard[-1] == (name, word)


@pytest.mark.parametrize("name", scripts.SCRIPT_NAMES)
def test_a_script_returns_no_word_that_it_does_not_promise(name: str):
    script = scripts.load(name)
    common = (scripts.LUA_DIRECTORY / "_common.lua").read_text()
    own = script.text.removeprefix(common)
    code = re.sub(r"--\[\[.*?\]\]", "", own, flags=re.DOTALL)
    returned = {
        word
        for line in code.splitlines()
        if "return" in line or "local result" in line
        for word in RETURNED.findall(line)
    }
    if "find_hold" in code:
        returned |= OF_FIND_HOLD
    if name == "unseal":  # chosen by a condition
        returned |= set(re.findall(r"return \{ hold and '(\w+)' or '(\w+)'", code)[0])

    assert returned == promised(name)
