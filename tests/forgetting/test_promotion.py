"""A replica is promoted that never got what its primary acknowledged: nobody is harmed."""

import pytest

from slots.errors import HoldExpired
from tests.forgetting.cluster import Cluster, leads
from tests.forgetting.sentinel import Sentinels
from tests.forgetting.service import HEALS_WITHIN_S
from tests.forgetting.waiting import until
from tests.world import HAUTS, PARTITIONS, SLUGS

pytestmark = [pytest.mark.prove, pytest.mark.timeout(180)]


@pytest.mark.parametrize("shape", [Cluster, Sentinels])
@pytest.mark.parametrize("end", ["killed", "frozen"])
async def test_what_was_acknowledged_and_forgotten_is_no_lost_or_double_booking(
    redis_servers, service, tell, end
):
    primary, replica = redis_servers.keeps(PARTITIONS[HAUTS])
    rosa, rolf = service.world.accounts["rosa"], service.world.accounts["rolf"]
    slot = await service.offer("ann", hours=5)
    await service.is_busy()
    await part(primary, replica)

    held = await service.load.holds(rosa, slot)
    await service.load.books(rolf, slot)
    await until(lambda: service.is_relayed(slot))  # nobody will bring it again by itself
    generation = service.screen.generation(SLUGS[HAUTS])
    primary.kill() if end == "killed" else primary.freeze()
    replica.thaw()
    promoted_s = await until(lambda: leads(replica))
    healed = await service.heals(slot, generation)
    tell(f"primary {end}", promoted=promoted_s, **healed)

    assert max(healed.values()) < HEALS_WITHIN_S
    with pytest.raises(HoldExpired):
        await service.load.confirms(rosa, held)
    primary.thaw()  # where it was frozen, it still believes that it leads
    await service.is_busy()
    await service.all_agree()


async def part(primary, replica) -> None:
    """From now on the primary acknowledges what the replica will never get."""
    replica.freeze()
    # What waits in a socket would be read after the thaw.
    await primary.ask("CLIENT", "KILL", "TYPE", "replica")
