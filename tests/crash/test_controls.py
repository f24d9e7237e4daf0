"""Control runs: the same walk, with a guard taken away, must find harm."""

import pytest

from tests.crash import cases, sabotage
from tests.crash.walk import walk

pytestmark = pytest.mark.prove


async def harm(ground, case, **guards) -> str:
    went = await walk(ground, case, wrong_max=1, **guards)
    return "\n".join(went.wrong)


async def test_without_its_outbox_row_a_dead_request_is_never_heard_of(ground):
    async def cancel(scene):
        await sabotage.write_no_outbox(scene.owner)
        return await cases.cancel(scene)

    assert "only mending found it" in await harm(ground, cancel)


async def test_without_its_key_a_repeated_offer_overlaps_itself(ground):
    async def offer(scene):
        await sabotage.keep_no_key(scene.owner)
        return await cases.offer(scene)

    assert "slot-overlap" in await harm(ground, offer)


async def test_a_put_before_the_commit_shows_what_never_happened(ground):
    found = await harm(ground, cases.cancel, sabotage=sabotage.put_before_the_commit)

    assert "the broker differed from the ledger" in found


async def test_a_hold_without_its_answer_is_refused_to_its_own_holder(ground):
    found = await harm(ground, cases.hold, sabotage=sabotage.keep_no_answer_of_a_hold)

    assert "refused" in found
