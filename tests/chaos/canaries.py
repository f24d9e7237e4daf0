"""Canaries: what a careless client might say of a patient, wherever it can type.

Each carries MARK, which must then be nowhere: not in Redis nor in its file, no log, no mail, no
frame. For proof that the search can find one, one is put into each of these places by hand.
"""

import email
import email.policy
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import redis.asyncio
from websockets.exceptions import WebSocketException

from tests.chaos.asking import BLUNDER, Asker, Way, passes
from tests.chaos.boards import open_socket
from tests.chaos.ground import Ground
from tests.chaos.people import CHOICE

MARK = "Kanarienvogel"  # no word of ours has it
PLANTED = "Gefunden"  # what the control put there carries this as well
EVERY_S = 0.15
SCANNED_AT_ONCE = 1_000


def names() -> Iterator[str]:
    """One patient after the other; nobody of that name was ever born."""
    return (f"{MARK}-{number}" for number in itertools.count())


class Careless:
    """A client that names patients wherever it should not."""

    def __init__(self, ground: Ground, asker: Asker) -> None:
        self.ground, self.asker, self.random = ground, asker, asker.random
        self.names = names()
        self.sent = 0

    async def live(self) -> None:
        while not self.asker.over.is_set():
            await self.blunder()
            await passes(EVERY_S, self.asker.over)

    async def blunder(self) -> None:
        name, way = next(self.names), self.random.choice(self.asker.ways)
        ask = self.random.choice(
            list(requests(name, self.random.choice(self.ground.for_the_careless).id))
        )
        method, path, headers, body = ask
        await self.asker.once(BLUNDER, way, method, path, headers, body)
        self.sent += 1
        if self.random.random() < 0.2:
            await self.blurt(name, way)

    async def blurt(self, name: str, way: Way) -> None:
        """The same over a socket, which must end."""
        frame = self.random.choice(
            (
                name,
                json.dumps({"t": "pong", "patient": name}),
                json.dumps({"t": name}),
                json.dumps({"t": "subscribe", "territories": [{"id": name}]}),
                json.dumps({"t": "subscribe", "territories": [{"id": "chaos-01", "after": name}]}),
            )
        )
        try:
            socket = await open_socket(self.asker.person, way)
            await socket.send(frame)
            await socket.close()
        except (OSError, WebSocketException):
            return
        self.sent += 1


Request = tuple[str, str, list[str], bytes]


def requests(name: str, slot: str) -> Iterator[Request]:
    """Every place of a request where a name can stand."""

    def command(
        method: str, path: str, body: Any, key: str = "", headers: Iterable[str] = ()
    ) -> Request:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = key or str(uuid4())
        return (
            *(method, path),
            [f"Idempotency-Key: {key}", "Content-Type: application/json", *headers],
            text,
        )

    hold, somewhere = f"/api/v1/slots/{slot}/holds", str(uuid4())
    confirm = f"/api/v1/holds/{somewhere}/confirm"
    yield command("POST", hold, {"patient": name})
    yield command("POST", f"{hold}?patient={name}", {"patient": name})
    yield command("POST", hold, {}, key=name)  # and this one is done
    yield command("POST", confirm, CHOICE, key=name)
    yield command("POST", confirm, CHOICE | {"patient": {"name": name}})
    yield command("POST", confirm, CHOICE | {"reason": name})
    yield command("POST", confirm, CHOICE | {"origin": name})
    yield command("POST", confirm, f'{{"reason": "{name}'.encode())
    yield command("POST", f"/api/v1/holds/{name}/confirm", CHOICE)
    yield command("POST", "/api/v1/slots", {"slots": [{"schedule_id": name, "note": name}]})
    yield command("PATCH", f"/api/v1/slots/{slot}", {"note": name * 20})
    yield command("POST", f"/api/v1/appointments/{somewhere}/cancel", {"why": name})
    yield command("POST", "/api/v1/session", {"email": f"{name}@example.test", "password": name})
    yield command("DELETE", f"/api/v1/slots/{slot}?cancel_booked={name}", {})
    yield command(
        "POST", hold, {"patient": 1}, headers=[f"X-Patient: {name}", f"User-Agent: {name}"]
    )
    for path in (
        f"/api/v1/slots?patient={name}",
        f"/api/v1/slots?territory={name}",
        f"/api/v1/communes?q={name}",
        f"/api/v1/patients/{name}",
        f"/orienter?nom={name}",
        f"/{name}",
        f"/live/snapshot?territory={name}",
    ):
        yield "GET", path, [f"Referer: http://127.0.0.1/?patient={name}"], b""
    yield f"{name.upper()}", "/api/v1/slots", [f"Cookie: chrono48={name}"], b""


async def found_in_redis(client: redis.asyncio.Redis) -> list[str]:
    """Keys that carry MARK, in their name or in their value."""
    found = []
    async for key in client.scan_iter(count=SCANNED_AT_ONCE):
        found += [
            f"redis: {key.decode(errors='replace')}: {_near(value)}"
            for value in (key, await _everything(client, key))
            if has_mark(value)
        ]
    return found


async def _everything(client: redis.asyncio.Redis, key: bytes) -> bytes:
    match await client.type(key):
        case b"string":
            return await client.get(key) or b""
        case b"hash":
            return repr(await client.hgetall(key)).encode()
        case b"set":
            return repr(await client.smembers(key)).encode()
        case b"zset":
            return repr(await client.zrange(key, 0, -1)).encode()
        case b"list":
            return repr(await client.lrange(key, 0, -1)).encode()
        case b"stream":
            return repr(await client.xrange(key)).encode()
        case other:  # gone meanwhile, or nothing that we know how to read
            assert other == b"none", other
            return b""


def found_in_files(kind: str, paths: Iterable[Path]) -> list[str]:
    """Lines of these files that carry MARK."""
    return [
        f"{kind}: {path.name}: {_near(line)}"
        for path in paths
        for line in path.read_bytes().splitlines()
        if has_mark(line)
    ]


def found_in_mails(paths: Iterable[Path]) -> list[str]:
    """Mails that carry MARK, in whatever encoding they travel."""
    found = []
    for path in paths:
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        text = f"{mail.items()} {mail.get_content()}".encode()
        if has_mark(text):
            found.append(f"mail: {path.name}: {_near(text)}")
    return found


def has_mark(text: bytes) -> bool:
    return MARK.lower().encode() in text.lower()


def _near(text: bytes) -> str:
    at = text.lower().find(MARK.lower().encode())
    return text[max(0, at - 60) : at + 60].decode(errors="replace")
