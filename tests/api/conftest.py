"""The service in process: real PostgreSQL and Valkey, every answer held against its contract."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from slots.settings import Settings
from tests.api.contract import ContractTransport
from tests.world import PASSWORD, World, make_world
from web.app import create_app

LEASE = timedelta(seconds=30)
GENERATION = 1


@pytest.fixture
async def world(owner: asyncpg.Connection) -> World:
    return await make_world(owner)


@dataclass(frozen=True)
class Running:
    """An application that has started, with the state of its lifespan."""

    app: Starlette
    state: dict[str, Any]
    base_url: str

    def client(self, **headers: str) -> "Person":
        """A browser without a session, or a program with these headers."""
        transport = ContractTransport(httpx.ASGITransport(self._with_state))
        return Person(transport=transport, base_url=self.base_url, headers=headers)

    async def _with_state(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, "state": dict(self.state)}, receive, send)


class Person(httpx.AsyncClient):
    """Somebody who uses the API."""

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return await self.post("/api/v1/session", json={"email": email, "password": password})

    async def command(
        self, method: str, path: str, json: Any = None, *, key: str | None = None, **kwargs: Any
    ) -> httpx.Response:
        """A request with an Idempotency-Key, a new one unless given."""
        headers = {"Idempotency-Key": key or str(uuid4())}
        return await self.request(method, path, json=json or {}, headers=headers, **kwargs)

    async def offer(self, schedule_id: Any, **fields: Any) -> dict[str, Any]:
        """Publish one slot, in two hours unless said otherwise."""
        answer = await self.command(
            "POST", "/api/v1/slots", {"slots": [offered(schedule_id, **fields)]}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["slots"][0]

    async def hold(self, slot: dict[str, Any]) -> dict[str, Any]:
        answer = await self.command("POST", f"/api/v1/slots/{slot['id']}/holds")
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def book(self, slot: dict[str, Any]) -> dict[str, Any]:
        """Hold and confirm."""
        held = await self.hold(slot)
        answer = await self.command(
            "POST",
            f"/api/v1/holds/{held['id']}/confirm",
            {"reason": "pain", "urgency": "within-24h"},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()


SignIn = Callable[[str], Awaitable[Person]]


@pytest.fixture
async def service(world: World, settings: Settings) -> AsyncIterator[Running]:
    """The application, started, with empty boards that are ready."""
    app = create_app(settings)
    async with app.router.lifespan_context(app) as state:
        await make_boards_ready(state["desk"])
        yield Running(app, dict(state), settings.base_url)


async def make_boards_ready(desk: Any) -> None:
    for territory in desk.territories.by_id.values():
        assert (await desk.broker.begin(territory, GENERATION, "test", LEASE))[0] == "begun"
        assert await desk.broker.ready(territory, GENERATION, "test") is not None


@pytest.fixture
async def sign_in(service: Running, world: World) -> AsyncIterator[SignIn]:
    """Somebody of the world, signed in, in a browser of their own."""
    people: list[Person] = []

    async def signed_in(name: str) -> Person:
        person = service.client()
        people.append(person)
        answer = await person.sign_in(world.email(name))
        assert answer.status_code == 200, answer.text
        return person

    yield signed_in
    for person in people:
        await person.aclose()


@pytest.fixture
async def stranger(service: Running) -> AsyncIterator[Person]:
    """Somebody without a session."""
    async with service.client() as person:
        yield person


def offered(schedule_id: Any, *, hours: float = 2, minutes: int = 20, **fields: Any) -> dict:
    """The body of one offered slot."""
    starts_at = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=hours)
    return {
        "schedule_id": str(schedule_id),
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=minutes)).isoformat(),
        **fields,
    }


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
