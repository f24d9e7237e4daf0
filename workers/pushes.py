"""Tells phones what is booked, cancelled, or not seen yet. As with mails, rows are the truth.

What there is to tell follows from the appointments themselves, which their own transactions wrote:
a confirmation is no slower for it, and whatever dies, the next round finds what is still to be told.
"""

import asyncio
from datetime import UTC, datetime
from typing import Final

import httpx
import structlog

from slots.desk import Desk
from slots.push import (
    REMIND_AFTER,
    REMIND_AHEAD,
    Drop,
    Notice,
    Push,
    Subscription,
    Wait,
    step,
)
from slots.store import push as store
from slots.transaction import entered
from workers.courier import Courier
from workers.mails import delay

PUSHES_BATCH_MAX: Final = 100
SEND_FOR_S: Final = 45.0  # a batch, in all: shorter than the first delay, or two would send it
SENT_AT_ONCE: Final = 4  # each takes one of the pool's connections for a moment
GONE: Final = (404, 410)  # the push service knows this browser no more

log = structlog.get_logger()


async def send_pushes(desk: Desk, courier: Courier, now: datetime) -> int:
    """Write what is to be told, and send what is due. Every few seconds; in several processes at once.

    Each push is claimed before it is sent, as mails are (see there), and tried ATTEMPTS_MAX times,
    later and later, never past the appointment. Returns how many were sent.

    Raises:
        LedgerUnavailable: What was not marked is tried again.
    """
    gate = asyncio.Semaphore(SENT_AT_ONCE)

    async def send(push: Push, to: Subscription, notice: Notice) -> bool:
        async with gate:
            return await _send(desk, courier, push, to, notice, now)

    sending = [asyncio.create_task(send(*one)) for one in await _claim(desk, now)]
    if not sending:
        return 0
    try:
        done, late = await asyncio.wait(sending, timeout=SEND_FOR_S)
    finally:
        for task in sending:
            task.cancel()
    if late:
        log.warning("push.slow", sent=len(done), left=len(late))
        await asyncio.wait(late)
    return sum(task.result() for task in done)


async def _claim(desk: Desk, now: datetime) -> list[tuple[Push, Subscription, Notice]]:
    """What is to be sent now; what is not to be is settled."""
    claimed = []
    async with entered(desk.pool, None, desk.territories.by_id) as conn:
        await store.write_pushes(
            conn, now, remind_until=now + REMIND_AHEAD, booked_until=now - REMIND_AFTER
        )
        for push in await store.pushes_to_send(conn, now, PUSHES_BATCH_MAX):
            match step(push, now):
                case Drop():
                    await store.push_was_dropped(conn, push.id, now)
                case Wait(until=until):
                    await store.push_try_later(conn, push.id, until, push.attempts)
                case Notice() as notice:
                    next_try_at = now + delay(push.attempts)
                    await store.push_try_later(conn, push.id, next_try_at, push.attempts + 1)
                    assert push.subscription is not None, "without one it is dropped"
                    claimed.append((push, push.subscription, notice))
    return claimed


async def _send(
    desk: Desk, courier: Courier, push: Push, to: Subscription, notice: Notice, now: datetime
) -> bool:
    try:
        status = await courier.carry(push, to, notice, now)
    except ValueError as error:
        # Its push service is allowed no more, or its keys are none: it can never be told anything.
        log.warning("push.impossible", push_id=str(push.id), error=type(error).__name__)
        await _end(desk, to)
        return False
    except httpx.HTTPError as error:
        # Not its words: they may name the endpoint.
        _say_failed(push, error=type(error).__name__)
        return False
    if status in GONE:
        log.info("push.gone", push_id=str(push.id))
        await _end(desk, to)
        return False
    if not httpx.codes.is_success(status):
        _say_failed(push, status=status)
        return False
    async with entered(desk.pool, None, desk.territories.by_id) as conn:
        await store.push_was_sent(conn, push.id, datetime.now(UTC))
    return True


async def _end(desk: Desk, subscription: Subscription) -> None:
    async with entered(desk.pool, None, ()) as conn:
        await store.end_subscription(conn, subscription.endpoint)


def _say_failed(push: Push, **why: object) -> None:
    log.warning("push.failed", push_id=str(push.id), attempts=push.attempts + 1, **why)
