"""How long until all is well again: a hold and a confirmation, everywhere, and every screen fresh."""

import asyncio
from collections.abc import Sequence
from random import Random

from slots.audience import Role
from slots.ids import TerritoryId
from tests.chaos.asking import Asker, Told, Way, passes
from tests.chaos.boards import Board
from tests.chaos.ground import Place
from tests.chaos.people import Somebody, Town

LOOKS_AGAIN_AFTER_S = 0.1
GIVES_UP_AFTER_S = 60.0


class NeverHealed(Exception):
    """The service did not come back within GIVES_UP_AFTER_S."""


class Prober(Somebody):
    """Books through one web process only, in one territory, where nobody else does."""

    def __init__(self, town: Town, asker: Asker, territory: TerritoryId, share: slice) -> None:
        super().__init__(town, asker)
        self.seats = (
            place for place in town.ground.probes[territory][share] for _ in range(place.capacity)
        )

    async def books(self) -> tuple[Place, float]:
        """Hold and confirm, from new to true. Returns where, and when it was asked."""
        loop = asyncio.get_running_loop()
        place = next(self.seats)
        while True:
            asked_at = loop.time()
            held, _ = await self.hold(place)
            if held is not None and await self.confirm(held):
                return place, asked_at
            await passes(LOOKS_AGAIN_AFTER_S)


class Healing:
    """Measures, after each fault."""

    def __init__(
        self, town: Town, ways: Sequence[Way], boards: Sequence[Board], told: Told, random: Random
    ) -> None:
        self.town, self.boards = town, boards
        regulators = town.ground.of(Role.REGULATOR)
        never = asyncio.Event()
        self.probers = [
            Prober(
                town,
                Asker(regulators[-1 - index], [way], told, random, never, LOOKS_AGAIN_AFTER_S),
                territory,
                slice(index, None, len(ways)),
            )
            for index, way in enumerate(ways)
            for territory in town.ground.slugs
        ]

    async def seconds(self) -> float:
        """From now on.

        Raises:
            NeverHealed
        """
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        try:
            async with asyncio.timeout(GIVES_UP_AFTER_S):
                await asyncio.gather(*map(self._heals, self.probers))
        except TimeoutError:
            raise NeverHealed from None
        return loop.time() - began_at

    async def _heals(self, prober: Prober) -> None:
        place, asked_at = await prober.books()
        slug = self.town.ground.slugs[place.territory]
        followers = [board for board in self.boards if slug in board.screens]
        while not all(board.heard_since(slug, place.id, asked_at) for board in followers):
            await passes(LOOKS_AGAIN_AFTER_S)
