"""Who plays in the demo's day: signed-in accounts, and what each of them may do."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from workers.demo.client import Client, Session


@dataclass(slots=True)
class Player:
    """One account in the day. *idle_holds* are holds that it left to run out, by territory."""

    client: Client
    session: Session
    idle_holds: dict[str, int] = field(default_factory=dict)

    @property
    def is_professional(self) -> bool:
        return "professional" in self.session.roles

    @property
    def diaries(self) -> list[str]:
        """The schedules to offer for."""
        return [id_ for ids in self.session.schedule_ids.values() for id_ in ids]

    @property
    def books_in(self) -> list[str]:
        """The territories to find a place in for somebody."""
        slugs = (*self.session.roles.get("referrer", ()), *self.session.roles.get("regulator", ()))
        return list(dict.fromkeys(slugs))


@dataclass(frozen=True, slots=True)
class Diary:
    """A schedule and who offers for it."""

    player: Player
    schedule_id: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody of a day."""

    players: Sequence[Player]
    chance: random.Random

    @property
    def diaries(self) -> list[Diary]:
        """All that can be offered for."""
        return list(self._diaries())

    @property
    def bookers(self) -> list[Player]:
        """Those who look for places."""
        return [player for player in self.players if player.books_in]

    def _diaries(self) -> Iterator[Diary]:
        for player in self.players:
            for schedule_id in player.diaries:
                yield Diary(player, schedule_id)
