"""One process of the service, as it runs in production but for its rhythm: it does one deed.

A use case goes through the whole web application (guards, session, endpoint, answer) without a
socket: nothing between the socket and the application asks PostgreSQL or Redis anything, and so
every statement of a request is in the walk. A worker's duty is its function. Whatever either does
by the clock (looking again at sessions, at words, at territories) stands still meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from slots.database import borrow
from slots.desk import Desk
from slots.errors import Rebuilding
from slots.reconcile.mend import mend
from slots.reconcile.rebuild import rebuild_if_lost
from slots.reconcile.relay import RELAY_AFTER, relay
from slots.reconcile.revoke import revoke
from slots.reconcile.sweep import sweep
from slots.settings import Settings
from slots.territory import Territory
from slots.times import to_ms
from tests.world import HAUTS
from web.app import create_app
from workers.mails import send_mails
from workers.post import Post, post_of
from workers.workshop import make_name

CONNECTIONS: Final = 4  # opened beforehand: what no use case and no duty exceeds
ROUNDS_MAX: Final = 10
MAILS_LATER: Final = timedelta(days=1)  # whatever was claimed is due again
RHYTHMS: Final = ("sessions", "catalogue", "presence")


@dataclass(frozen=True)
class Request:
    """A command, as its client repeats it: the same key, the same body."""

    session: str
    method: str
    path: str
    key: str
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Duty:
    """What a worker does in the first territory, that much *later*."""

    name: str
    later: timedelta = timedelta(0)


Deed = Request | Duty


@dataclass(frozen=True)
class Answer:
    """Of a request: status and body; of a duty: 0 and how much it did."""

    status: int
    body: str


class Process:
    """A started application and what a worker needs; it has heard of the broker's generation."""

    def __init__(self, settings: Settings, app: Starlette, state: dict[str, Any]) -> None:
        self.settings = settings
        self.name = make_name()
        self.post: Post = post_of(settings)
        self._app = app
        self._state = state

    @property
    def desk(self) -> Desk:
        return self._state["desk"]

    @property
    def territory(self) -> Territory:
        return self.desk.territories.by_id[HAUTS]

    async def do(self, deed: Deed) -> Answer:
        if isinstance(deed, Request):
            return await self.request(deed)
        self.live_later(deed.later)
        return Answer(0, str(await self.duty(deed.name, datetime.now(UTC) + deed.later)))

    async def request(self, request: Request) -> Answer:
        cookie = f"chrono48={request.session}"
        headers = {"cookie": cookie, "idempotency-key": request.key}
        transport = httpx.ASGITransport(self._with_state)
        async with httpx.AsyncClient(
            transport=transport, base_url=self.settings.base_url
        ) as client:
            answer = await client.request(
                request.method, request.path, json=request.body, headers=headers
            )
        return Answer(answer.status_code, answer.text)

    async def duty(self, name: str, now: datetime) -> int:
        """Do it once, in the first territory."""
        desk, territory = self.desk, self.territory
        duties: dict[str, Callable[[], Awaitable[int]]] = {
            "rebuild": lambda: rebuild_if_lost(desk, territory, self.name, now),
            "sweep": lambda: sweep(desk, territory),
            "relay": lambda: relay(desk, territory, now),
            "revoke": lambda: revoke(desk, territory),
            "mend": lambda: mend(desk, territory, self.name, now),
            "mails": lambda: send_mails(desk, self.post, now),
        }
        return await duties[name]()

    async def rest(self, later: timedelta = timedelta(0)) -> None:
        """Do every duty, that much *later*, until nothing is left to do. Mending is left out: it
        would hide what the others forget.
        """
        self.live_later(later)
        now = datetime.now(UTC) + later + RELAY_AFTER
        for _ in range(ROUNDS_MAX):
            done = [await self.duty(name, now) for name in ("rebuild", "sweep", "relay", "revoke")]
            if not any([*done, await self.duty("mails", now + MAILS_LATER)]):
                return
        raise AssertionError("the workers find no rest")

    def live_later(self, later: timedelta) -> None:
        """From now on the broker's scripts live that much later."""
        self.desk.broker.clock_ms = str(to_ms(datetime.now(UTC) + later)) if later else ""

    async def _with_state(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "state": dict(self._state)}, receive, send)


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Process]:
    """A process that is ready, with its connections open."""
    app = create_app(settings)
    async with app.router.lifespan_context(app) as state:
        for rhythm in RHYTHMS:
            await state[rhythm].stop()
        process = Process(settings, app, dict(state))
        await _connect(process.desk)
        with suppress(Rebuilding):
            await process.desk.broker.generation(process.territory)
        yield process


async def _connect(desk: Desk) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(CONNECTIONS):
            await stack.enter_async_context(borrow(desk.pool))
    await asyncio.gather(*(desk.broker.redis.ping() for _ in range(CONNECTIONS)))
