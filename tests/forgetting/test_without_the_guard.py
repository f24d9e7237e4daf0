"""A control: without the comparison of replication ids, a promotion leaves a board that is wrong."""

import hashlib
from dataclasses import replace

import pytest

from slots import scripts
from tests.forgetting.cluster import leads
from tests.forgetting.service import HEALS_WITHIN_S
from tests.forgetting.test_promotion import part
from tests.forgetting.waiting import until
from tests.world import HAUTS, PARTITIONS

pytestmark = [pytest.mark.prove, pytest.mark.timeout(180)]

GUARD = "return is_same_server and state or nil"


@pytest.fixture
def unguarded(monkeypatch):
    """Every script takes any server for the one that it was built on."""
    guarded = scripts.load

    def load(name: str) -> scripts.Script:
        script = guarded(name)
        assert GUARD in script.text
        text = script.text.replace(GUARD, "return state or nil")
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return replace(script, text=text, sha=sha)

    monkeypatch.setattr(scripts, "load", load)


async def test_without_it_the_board_goes_on_without_what_was_forgotten(
    unguarded, redis_servers, service
):
    primary, replica = redis_servers.keeps(PARTITIONS[HAUTS])
    slot = await service.offer("ann", hours=5)
    await service.is_busy()
    await part(primary, replica)
    await service.load.books(service.world.accounts["rolf"], slot)
    await service.load.ends()
    await until(lambda: service.is_relayed(slot))
    primary.kill()
    replica.thaw()
    await until(lambda: leads(replica))

    with pytest.raises(pytest.fail.Exception, match="booked on the board"):
        await service.agrees(HEALS_WITHIN_S)
