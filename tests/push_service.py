"""A push service on this machine, and browsers that have subscribed to it: real HTTP, real keys."""

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from slots.account import Account
from slots.desk import Desk
from slots.push import SUBSCRIPTIONS_MAX, Subscription, base64url
from slots.store.push import subscribe
from slots.transaction import entered
from slots.vapid import make_private_key

PRIVATE_KEY = make_private_key()


@dataclass(frozen=True)
class Received:
    """One push as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushService:
    """Keeps what it is sent. *status*: what it answers; *more*: headers of its answer."""

    origin: str = ""
    status: int = 201
    more: dict[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)

    @classmethod
    @contextlib.asynccontextmanager
    async def listening(cls) -> AsyncIterator["PushService"]:
        service = cls()
        server = await asyncio.start_server(service._serve, "127.0.0.1", 0)
        service.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield service

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request, *lines = head.strip().split("\r\n")
            headers = {
                name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            self.received.append(Received(request.split()[1], headers, body))
            answered = {"content-length": "0", "connection": "close", **self.more}
            said = "".join(f"{name}: {value}\r\n" for name, value in answered.items())
            writer.write(f"HTTP/1.1 {self.status} x\r\n{said}\r\n".encode())
            await writer.drain()
        writer.close()


class Browser:
    """What a browser keeps of its subscription, so that it alone reads what is pushed to it."""

    def __init__(self, service: PushService) -> None:
        self.service = service
        self.path = f"/push/{uuid4()}"
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secret = secrets.token_bytes(16)
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.subscription = Subscription(
            service.origin + self.path, base64url(point), base64url(self.secret)
        )

    async def subscribes(self, desk: Desk, account: Account, now: datetime) -> "Browser":
        async with entered(desk.pool, account.id, account.reach) as conn:
            await subscribe(conn, uuid4(), self.subscription, now, SUBSCRIPTIONS_MAX)
        return self

    @property
    def told(self) -> list[dict[str, str]]:
        """What it was told, decrypted."""
        return [
            json.loads(
                http_ece.decrypt(
                    one.body,
                    private_key=self.key,
                    auth_secret=self.secret,
                    version="aes128gcm",
                )
            )
            for one in self.service.received
            if one.path == self.path
        ]

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.told]


def claims_of(received: Received) -> dict:
    """What the signature of a push says, unchecked."""
    token = received.headers["authorization"].split("t=")[1].split(",")[0]
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
