"""Somebody at a screen: signed in over HTTP, with a live socket of their own."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from tests.live.waiting import WITHIN_S, soon
from tests.world import PASSWORD, SLUGS, World
from web.live.frames import SUBPROTOCOL

HAUTS, THAU = SLUGS.values()


class Viewer:
    """Uses the API, and reads a socket frame by frame. Heartbeats are kept apart."""

    def __init__(self, url: str, world: World, name: str) -> None:
        self.url, self.world, self.name = url, world, name
        self.http = httpx.AsyncClient(base_url=url, headers={"Origin": url})
        self.socket: ClientConnection | None = None
        self.heartbeats = []

    async def signs_in(self):
        body = {"email": self.world.email(self.name), "password": PASSWORD}
        answer = await self.http.post("/api/v1/session", json=body)
        assert answer.status_code == 200, answer.text
        return self

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    async def opens(
        self,
        *,
        origin: str | None = None,
        cookie: str | None = None,
        protocol=SUBPROTOCOL,
        **options,
    ):
        self.socket = await connect(
            self.url.replace("http", "ws") + "/live",
            origin=origin or self.url,
            additional_headers={"Cookie": self.cookie if cookie is None else cookie},
            subprotocols=[protocol],
            compression=None,
            max_size=None,
            **options,
        )
        return self

    async def says(self, **frame) -> None:
        await self.socket.send(msgspec.json.encode(frame).decode())

    async def subscribes(self, *slugs: str, after: dict[str, str] | None = None, as_="json"):
        territories = [
            {"id": slug} | ({"after": after[slug]} if after and slug in after else {})
            for slug in slugs or [HAUTS]
        ]
        await self.says(t="subscribe", territories=territories, **{"as": as_})
        return self

    async def follows(self, *slugs: str):
        """Open, subscribe, and take the snapshots. Returns them."""
        await self.opens()
        assert (await self.next())["t"] == "hello"
        await self.subscribes(*slugs)
        return [await self.next() for _ in slugs or [HAUTS]]

    async def next(self) -> dict:
        """The next frame that is not a heartbeat."""
        while (frame := await self.next_of_any())["t"] == "heartbeat":
            self.heartbeats.append(frame)
        return frame

    async def next_of_any(self) -> dict:
        return msgspec.json.decode(await soon(self.socket.recv()))

    async def next_heartbeat(self) -> dict:
        while (frame := await self.next_of_any())["t"] != "heartbeat":
            pass
        return frame

    async def is_closed_with(self, within_s: float = WITHIN_S) -> int:
        """Wait for the end. Returns the close code."""
        await asyncio.wait_for(self.socket.wait_closed(), within_s)
        return self.socket.close_code

    async def frames_to_the_end(self) -> list[dict]:
        frames = []
        with suppress(ConnectionClosedError):
            while True:
                frames.append(msgspec.json.decode(await self.socket.recv()))
        return frames

    async def command(self, method: str, path: str, json=None) -> dict:
        headers = {"Idempotency-Key": str(uuid4())}
        answer = await self.http.request(method, path, json=json or {}, headers=headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    async def offers(self, **fields) -> dict:
        """Publish one slot, in two hours unless said otherwise."""
        hours = fields.pop("hours", 2)
        starts_at = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=hours)
        slot = {
            "schedule_id": str(self.world.schedules[self.name]),
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(minutes=20)).isoformat(),
        }
        made = await self.command("POST", "/api/v1/slots", {"slots": [slot | fields]})
        return made["slots"][0]

    async def leaves(self) -> None:
        if self.socket is not None:
            await self.socket.close()
        await self.http.aclose()


async def together(*awaitables):
    return await asyncio.gather(*awaitables)
