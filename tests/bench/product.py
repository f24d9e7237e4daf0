"""The service as a client meets it."""

import itertools
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from tests.bench import client

IN_A_ROW = 4


class Product:
    """Everything that a request goes through: cookie, guards, key, walls, audit, outbox, log."""

    def __init__(self, port: int, cookies: Iterator[str], slots: list) -> None:
        self.port, self.cookies, self.slots = port, cookies, iter(slots)

    def headers(self, cookie: str) -> list[str]:
        return [
            cookie,
            f"Origin: http://127.0.0.1:{self.port}",
            "Sec-Fetch-Site: same-origin",
            f"Idempotency-Key: {uuid4()}",
        ]

    async def hold(self, connection: client.Connection, job: tuple[str, Any]) -> dict[str, Any]:
        cookie, slot_id = job
        answer = await connection.post(f"/api/v1/slots/{slot_id}/holds", self.headers(cookie))
        assert answer.status == 201, answer
        return answer.json()

    async def book(self, connection: client.Connection, job: tuple[str, Any]) -> None:
        held = await self.hold(connection, job)
        body = b'{"reason":"pain","urgency":"today"}'
        path = f"/api/v1/holds/{held['id']}/confirm"
        answer = await connection.post(path, self.headers(job[0]), body)
        assert answer.status == 201, answer

    def jobs(self, count: int) -> list[tuple[str, Any]]:
        """Each person asks for a few slots in a row, then the next one comes."""
        jobs = []
        for cookie in itertools.islice(self.cookies, -(-count // IN_A_ROW)):
            jobs += [(cookie, next(self.slots)) for _ in range(min(IN_A_ROW, count - len(jobs)))]
        assert len(jobs) == count, "there are not enough people: see ACCOUNTS of tests.bench.ground"
        return jobs

    async def people(self, count: int) -> list[tuple[str, Any]]:
        """Jobs of people who, as everybody does, have looked at a page before they book."""
        jobs = self.jobs(count)

        async def look(connection: client.Connection, cookie: str) -> None:
            answer = await connection.get("/api/v1/session", [cookie])
            assert answer.status == 200, answer

        await client.per_second(self.port, sorted({cookie for cookie, _ in jobs}), look)
        return jobs
