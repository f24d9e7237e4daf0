"""How a use case finds the world: people who act through the service until its moment has come."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

from tests.api.conftest import offered
from tests.crash.ground import Ground
from tests.crash.process import Process, Request
from tests.world import World, make_world

SESSION_FOR = timedelta(hours=2)
CHOICE = {"reason": "pain", "urgency": "within-24h"}


@dataclass(frozen=True)
class Scene:
    """The small world with everybody signed in, and a process to act through."""

    ground: Ground
    world: World
    owner: asyncpg.Connection
    process: Process

    def request(self, who: str, method: str, path: str, body: Any = None) -> Request:
        """A command of *who*, under a key of its own."""
        return Request(who, method, f"/api/v1{path}", str(uuid4()), body or {})

    async def does(self, request: Request) -> Any:
        """Let it happen. Returns what was answered."""
        answer = await self.process.request(request)
        assert answer.status < 300, answer
        return msgspec.json.decode(answer.body)

    def offer(self, who: str, *, hours: float = 2, **fields: Any) -> Request:
        slot = offered(self.world.schedules[who], hours=hours, **fields)
        return self.request(who, "POST", "/slots", {"slots": [slot]})

    async def slot(self, who: str = "ann", *, hours: float = 2, **fields: Any) -> str:
        """A published slot's id."""
        return (await self.does(self.offer(who, hours=hours, **fields)))["slots"][0]["id"]

    async def held(self, slot_id: str, who: str = "rolf") -> str:
        """A hold's id."""
        return (await self.does(self.request(who, "POST", f"/slots/{slot_id}/holds")))["id"]

    def confirm(self, hold_id: str, who: str = "rolf") -> Request:
        return self.request(who, "POST", f"/holds/{hold_id}/confirm", CHOICE)

    async def booked(self, slot_id: str, who: str = "rolf") -> str:
        """An appointment's id."""
        return (await self.does(self.confirm(await self.held(slot_id, who), who)))["id"]

    @asynccontextmanager
    async def unheard(self) -> AsyncIterator[None]:
        """The broker hears nothing of what is done meanwhile, as of a request that died."""
        keys = await self.ground.keys()
        yield
        await self.ground.put_back(keys)


async def make_people(owner: asyncpg.Connection) -> World:
    """The small world, with a session for each: its id is the first name."""
    world = await make_world(owner)
    now = datetime.now(UTC)
    await owner.executemany(
        "INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at)"
        " VALUES ($1, $2, $3, $3, $4)",
        [
            (hashlib.sha256(name.encode()).digest(), account.id, now, now + SESSION_FOR)
            for name, account in world.accounts.items()
        ],
    )
    return world
