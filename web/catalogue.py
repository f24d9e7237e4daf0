"""What this process knows by heart: its territories, what each calls its acts, and the communes.

Rows of boards are rendered once for all who look, hence without anybody's transaction: their words
come from here, and so do those of every page, so that all say the same.
"""

import asyncio
import itertools
import logging
from collections.abc import Iterable, Mapping
from typing import Final

from slots.desk import LOOK_EVERY_S, Desk, look_for_territories
from slots.errors import LedgerUnavailable
from slots.ids import TerritoryId
from slots.store.directory import acts
from slots.transaction import entered
from web.places import Communes

WORDS_EVERY_ROUNDS: Final = 4

log = logging.getLogger(__name__)


class ActLabels:
    """Codes of acts in the words of each territory, renewed in place. Pure."""

    __slots__ = ("_labels", "edition")

    def __init__(self, labels: Mapping[tuple[str, str], str] | None = None) -> None:
        """*labels*: by the territory's slug and the act's code."""
        self._labels = dict(labels or {})
        self.edition = 0  # another one when a word has changed

    def of(self, territory: str, code: str) -> str:
        """What the territory calls it; a code that it does not know stays as it is."""
        return self._labels.get((territory, code), code)

    def renew(self, labels: Mapping[tuple[str, str], str]) -> None:
        """Say these words from now on."""
        if labels != self._labels:
            self._labels = dict(labels)
            self.edition += 1


class Catalogue:
    """Keeps the territories and their words current. One per process."""

    def __init__(self, desk: Desk) -> None:
        """Know the desk's territories, and no words yet."""
        self._desk = desk
        self._task: asyncio.Task[None] | None = None
        self.act_labels = ActLabels()
        self.communes = Communes()

    async def start(self) -> None:
        """Read everything; then the territories every LOOK_EVERY_S, their words now and then.

        Raises:
            LedgerUnavailable: It cannot be read now.
        """
        await self.refresh()
        self._task = asyncio.create_task(self._refresh_for_ever())

    async def stop(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def know(self, territory_ids: Iterable[TerritoryId]) -> None:
        """Make sure that these territories are known: one may have been added a moment ago.

        Raises:
            LedgerUnavailable: One is not known, and the ledger cannot say.
        """
        if any(number not in self._desk.territories.by_id for number in territory_ids):
            await self.refresh()

    async def refresh(self) -> None:
        """Read the territories and their words.

        Raises:
            LedgerUnavailable: What was known before stays.
        """
        await self._look()
        await self._read_words()

    async def _look(self) -> int:
        new = await look_for_territories(self._desk)
        if new:
            log.info("catalogue.territories.new count=%d", new)
        return new

    async def _read_words(self) -> None:
        known = self._desk.territories.by_id
        async with entered(self._desk.pool, None, known) as conn:
            found = await acts(conn, known)
        self.act_labels.renew(
            {(known[act.territory_id].slug, act.code): act.label for act in found}
        )

    async def _refresh_for_ever(self) -> None:
        for round_number in itertools.count(1):
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                # Of a whole country the words are many, and forms read them for themselves.
                if await self._look() or round_number % WORDS_EVERY_ROUNDS == 0:
                    await self._read_words()
            except LedgerUnavailable:
                continue
            except Exception:
                log.exception("catalogue.refresh.failed")
