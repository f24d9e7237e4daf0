"""Says whether the world came right after a death, and its client too."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec

from slots.document import SlotDocument, decode_slot
from slots.settings import Settings
from slots.store.slot import live_slots
from slots.transaction import entered
from tests.crash.ground import Remains, owning
from tests.crash.process import Answer, Deed, Process, Request, started
from tests.crash.stage import Stage
from tests.crash.state import State, followed, state_of
from tests.world import HAUTS

MESSAGE_ID = re.compile(rb"^Message-ID: <([0-9a-f-]+)@", re.MULTILINE)
COPIES_MAX = 2  # of a mail: one more where we died between the server's word and our row


@dataclass(frozen=True)
class End:
    """What it came to: what the client heard, and the world at rest *before* and *after* that."""

    answers: list[Answer]
    before: State | None
    after: State


class Wrong(AssertionError):
    """The world did not come right."""


async def left_behind(stage: Stage, settings: Settings) -> State:
    """What is there now, at rest or not."""
    async with owning(settings) as owner:
        _, told = await followed(stage.ground.redis, stage.territory, stage.screen)
        return await state_of(stage.words, owner, stage.ground.redis, told)


async def undisturbed(stage: Stage, *deeds: Deed) -> End:
    """What it comes to when *deeds* are done and nobody dies."""
    async with (
        stage.again(stage.start) as settings,
        owning(settings) as owner,
        started(settings) as process,
    ):
        answers = [await process.do(deed) for deed in deeds]
        return End(answers, None, await _at_rest(stage, process, owner))


async def survived(stage: Stage, remains: Remains, *, at_once: bool) -> End:
    """What it comes to after a death, when the client comes back *at_once*, or finds the workers
    done. Of a duty: when another worker does it in its turn.
    """
    deed, later = stage.moment.deed, stage.moment.later
    async with (
        stage.again(remains) as settings,
        owning(settings) as owner,
        started(settings) as process,
    ):
        before = None if at_once else await _at_rest(stage, process, owner)
        if isinstance(deed, Request):
            answers = [await process.do(deed), await process.do(deed)]
        else:
            process.live_later(later)
            await process.duty(deed.name, datetime.now(UTC) + later)
            answers = []
        return End(answers, before, await _at_rest(stage, process, owner))


async def _at_rest(stage: Stage, process: Process, owner: asyncpg.Connection) -> State:
    """The workers have done all that they find, and everything agrees with everything."""
    later = stage.moment.later
    await process.rest(later)
    now = datetime.now(UTC) + later
    if await owner.fetchval("SELECT count(*) FROM outbox"):
        raise Wrong("something waits in the outbox for ever")
    await _check_mails(stage, owner)
    if await process.duty("mend", now):
        raise Wrong("the broker differed from the ledger, and only mending found it")
    snapshot = await process.desk.broker.snapshot(process.territory)
    feed, told = await followed(stage.ground.redis, stage.territory, stage.screen)
    if feed is not None:
        shown = [slot.raw for slot in feed.in_order()]
        if (feed.at, sorted(shown)) != (snapshot.at, sorted(snapshot.slots)):
            raise Wrong("last snapshot + events is not the fresh snapshot")
    await _check_board(process, [decode_slot(raw) for raw in snapshot.slots], now)
    return await state_of(stage.words, owner, stage.ground.redis, told)


async def _check_board(process: Process, board: list[SlotDocument], now: datetime) -> None:
    """What is shown is what the ledger says, and the holds that only Redis knows."""
    async with entered(process.desk.pool, None, [HAUTS]) as conn:
        slots = await live_slots(conn, HAUTS, now, process.desk.horizon)
    ledger = {slot.id: slot.document() for slot in slots}
    for shown in board:
        free = max(0, shown.capacity - shown.booked - shown.held)
        true = ledger.pop(shown.id, None)
        if true is None or shown.free != free:
            raise Wrong(f"the board shows {shown}, the ledger says {true}")
        plain = msgspec.structs.replace(
            shown, held=0, held_until=None, free=true.free, status=true.status
        )
        if plain != true:
            raise Wrong(f"the board shows {shown}, the ledger says {true}")
    if ledger:
        raise Wrong(f"the board does not show {ledger}")


async def _check_mails(stage: Stage, owner: asyncpg.Connection) -> None:
    """Every mail has arrived, none oftener than must be."""
    received = b"".join(data for _, data in stage.ground.post.received)
    copies = Counter(UUID(found.decode()) for found in MESSAGE_ID.findall(received))
    written = {row["id"] for row in await owner.fetch("SELECT id FROM mail")}
    if copies.keys() != written or max(copies.values(), default=0) > COPIES_MAX:
        raise Wrong(f"of the mails {written} arrived {copies}")
