"""`python -m workers`: one process that keeps Redis true to PostgreSQL and sends the mails.

It starts while the servers are still away, outlives their restarts, and stops within 2 s.
"""

import asyncio
import contextlib
import signal
import sys
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog
import uvloop

from slots import logs, redis_url
from slots.audit_signing import public_half, signing_keys
from slots.database import TooMuchRight, refuse_too_much_right
from slots.desk import Desk, close_desk, open_desk
from slots.errors import LedgerUnavailable
from slots.reconcile.forget import forget
from slots.sealing import Sealer
from slots.settings import Settings, SettingsError
from slots.transaction import looking
from workers.courier import courier_of
from workers.duties import duties
from workers.loops import Loop
from workers.mails import send_mails
from workers.post import Post, post_of
from workers.pulse import BEAT_EVERY_S, beat
from workers.queue import queue_of
from workers.workshop import Workshop

OPEN_AGAIN_IN_S: Final = 0.5
SAY_AGAIN_S: Final = 30.0  # that the ledger is still awaited
FINISH_WITHIN_S: Final = 0.8  # rounds that have begun, at the end
CUT_WITHIN_S: Final = 0.4  # then what is cancelled
CLOSE_WITHIN_S: Final = 0.4  # then the connections
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

log = structlog.get_logger()


def main() -> None:
    """Run until a signal says otherwise, and leave with the status."""
    try:
        settings = Settings.from_environ()
        post = post_of(settings)
    except (SettingsError, ValueError) as error:
        print(f"chrono48 worker: {error}. See .env.example.", file=sys.stderr)
        sys.exit(1)
    logs.configure(settings.log_format)
    sys.exit(uvloop.run(_main(settings, post)))


async def _main(settings: Settings, post: Post) -> int:
    stopping = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return await run(settings, post, stopping)


async def run(settings: Settings, post: Post, stopping: asyncio.Event) -> int:
    """Work until *stopping*; the exit status."""
    opening = asyncio.create_task(_open(settings))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({opening, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
        return 0
    stopped.cancel()
    try:
        desk = opening.result()
    except TooMuchRight as error:
        print(f"chrono48 worker: {error}", file=sys.stderr)
        return 1
    try:
        queue, courier = queue_of(settings.queue_redis_url), courier_of(settings)
        await _work(
            settings,
            Workshop(
                desk,
                post,
                queue,
                courier=courier,
                heads=settings.data_dir / "audit-heads",
                public_keys=tuple(map(public_half, signing_keys(Sealer.of(settings.secret_keys)))),
            ),
            stopping,
        )
    finally:
        await _close(desk)
    return 0


async def _work(settings: Settings, workshop: Workshop, stopping: asyncio.Event) -> None:
    loops = duties(workshop)
    pulse_redis = redis_url.connect(settings.queue_redis_url)

    async def beat_once() -> int:
        now_s = asyncio.get_running_loop().time()
        return await beat(pulse_redis, workshop.name, settings.horizon_hours, loops, now_s)

    async def mails() -> int:
        return await send_mails(workshop.desk, workshop.post, datetime.now(UTC))

    async def forget_old() -> int:
        return await forget(workshop.desk, datetime.now(UTC))

    tasks = [
        asyncio.create_task(loop.run(stopping), name=loop.name)
        for loop in [*loops, Loop("pulse", BEAT_EVERY_S, beat_once)]
    ]
    if workshop.queue is not None:
        working = workshop.queue.keep_working(
            send_mails=mails, forget=forget_old, stopping=stopping
        )
        tasks.append(asyncio.create_task(working, name="queue"))
    log.info("worker.ready", worker=workshop.name)
    await stopping.wait()
    log.info("worker.stopping")
    _, late = await asyncio.wait(tasks, timeout=FINISH_WITHIN_S)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=CUT_WITHIN_S)
    with contextlib.suppress(Exception):
        await asyncio.wait_for(pulse_redis.aclose(), CLOSE_WITHIN_S / 4)
        if workshop.queue is not None:
            await asyncio.wait_for(workshop.queue.close(), CLOSE_WITHIN_S / 4)
        if workshop.courier is not None:
            await asyncio.wait_for(workshop.courier.close(), CLOSE_WITHIN_S / 4)


async def _open(settings: Settings) -> Desk:
    """The desk, as soon as the ledger is there with its schema.

    Raises:
        TooMuchRight: Row level security would not bind this role.
    """
    loop = asyncio.get_running_loop()
    speaks_at = loop.time()
    while True:
        try:
            desk = await open_desk(settings)
            async with looking(desk.pool) as conn:
                await refuse_too_much_right(conn)
        # Any answer of PostgreSQL: still starting, not migrated yet, a password not set yet.
        except (LedgerUnavailable, asyncpg.PostgresError) as error:
            if loop.time() >= speaks_at:
                cause = error.__cause__ or error
                log.warning("worker.waits", ledger=type(cause).__name__)
                speaks_at = loop.time() + SAY_AGAIN_S
        else:
            return desk
        await asyncio.sleep(OPEN_AGAIN_IN_S)


async def _close(desk: Desk) -> None:
    try:
        await asyncio.wait_for(close_desk(desk), CLOSE_WITHIN_S)
    except Exception:  # noqa: BLE001 - a server that is away cannot keep us
        desk.pool.terminate()


if __name__ == "__main__":
    main()
