"""Stories with real web processes that are killed: two serve, and every socket gets one order."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from slots import redis_url as urls
from tests.faults.processes import Process
from tests.live.resuming import INCIDENTS, StageNow, Theatre, signed_in
from tests.scale.service import Fleet, until

FRAME_WITHIN_S = 15.0  # two probes of a second, on a busy machine
# Mostly lines that break and come back, while the logs go on: what else may break, once a story.
BREAKS = ("trim", "lose_last", "fail_over", "rebuild", "run_ahead", "copy")
STORIES = 3 * len(BREAKS)
OFTEN = INCIDENTS - Counter({verb: INCIDENTS[verb] for verb in BREAKS})
OFTEN += Counter(reads=20, cut=20, resumes=30, goes_back=10, invents=1)


class KilledProcess:
    """A web process that never stops politely."""

    def __init__(self, process: Process, url: str, fleet: Fleet) -> None:
        self.process, self.url, self.fleet = process, url, fleet

    async def restart(self) -> None:
        self.process.kill()
        self.process.start()
        await until(self._serves)

    async def _serves(self) -> bool:
        return await self.fleet._status(self.url) != "away"


@pytest.fixture
async def theatre(settings, world, tmp_path):
    fleet = Fleet(replace(settings, data_dir=tmp_path), tmp_path)
    client = urls.connect(settings.redis_url)
    stage = StageNow(client)
    await stage.rebuild()
    for _ in range(2):
        fleet.start_web()
    processes = [
        KilledProcess(process, url, fleet)
        for process, url in zip(fleet.webs, fleet.urls, strict=True)
    ]
    for process in processes:
        await until(process._serves)
    async with signed_in(fleet.urls[0], world) as people:
        yield Theatre(stage, world, processes, people, FRAME_WITHIN_S)
    fleet.stop()
    await client.aclose()


@pytest.mark.prove
@pytest.mark.timeout(300)
async def test_killed_processes_leave_no_hole_and_two_tell_the_same(theatre):
    random = Random(48)
    for number in range(STORIES):
        before, after = (
            [(verb, random.randrange(999)) for verb in random.choices([*OFTEN.elements()], k=70)]
            for _ in range(2)
        )
        breaks = [("restarts", 6 * number), (BREAKS[number % len(BREAKS)], 0)]

        await theatre.plays([*before, *breaks, *after])

    assert theatre.tally["resumed with what followed"] > STORIES, theatre.tally
    assert theatre.tally["resumed with a snapshot"] > STORIES, theatre.tally
