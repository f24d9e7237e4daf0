"""The service as an operator runs it: any number of web processes and workers, here of one test."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx

from slots.settings import Settings
from tests.api.conftest import offered
from tests.faults.processes import Process
from tests.waiting import until
from tests.world import PASSWORD, World
from workers.embedded.choices import LOOPBACK, Choices
from workers.embedded.supervisor import Program

PROJECT = Path(__file__).parents[2]
READY_WITHIN_S = 40.0
ANSWER_WITHIN_S = 8.0  # of the client; the service promises 5
CHOICE = {"reason": "pain", "urgency": "within-24h"}


class Fleet:
    """Web processes by their own addresses, and workers. All on this test's servers."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.settings = settings
        self.directory = directory
        self.webs: list[Process] = []
        self.urls: list[str] = []
        self.url = ""  # before all of them, where something stands there
        self.workers: list[Process] = []

    def start_web(self, *, base_url: str = "") -> str:
        """One more web process. Its own address; people may type *base_url*."""
        port = Choices.make().with_free_ports().postgres_port
        url = f"http://{LOOPBACK}:{port}"
        settings = replace(self.settings, port=port, base_url=base_url or url)
        self.webs.append(self._start("web", len(self.webs), settings))
        self.urls.append(url)
        return url

    def start_worker(self, **changes: str) -> Process:
        self.workers.append(
            self._start("workers", len(self.workers), replace(self.settings, **changes))
        )
        return self.workers[-1]

    async def ready(self) -> None:
        """Until each web process serves, with boards that a worker has built."""

        async def is_ready() -> bool:
            answers = await asyncio.gather(*(self._status(url) for url in self.urls))
            return set(answers) == {"ok"}

        await until(is_ready, READY_WITHIN_S)

    def log_of(self, process: Process) -> str:
        assert process.program.log_path is not None
        return process.program.log_path.read_text()

    def stop(self) -> None:
        for process in (*self.workers, *self.webs):
            process.stop()

    def _start(self, module: str, number: int, settings: Settings) -> Process:
        environ = replace(settings, owner_database_url="", log_format="json").to_environ()
        program = Program(
            name=f"{module}-{number}",
            command=[sys.executable, "-m", module],
            environ={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environ},
            cwd=PROJECT,
            log_path=self.directory / f"{module}-{number}.log",
        )
        return Process(program).start()

    @staticmethod
    async def _status(url: str) -> str:
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_WITHIN_S) as client:
            try:
                return (await client.get(f"{url}/readyz")).json()["status"]
            except httpx.HTTPError:
                return "away"


class Person(httpx.AsyncClient):
    """Somebody with a session, who may reach any of the processes."""

    def __init__(self, url: str, world: World, name: str) -> None:
        super().__init__(base_url=url, trust_env=False, timeout=ANSWER_WITHIN_S)
        self.world, self.name = world, name

    async def signs_in(self) -> "Person":
        body = {"email": self.world.email(self.name), "password": PASSWORD}
        answer = await self.post("/api/v1/session", json=body)
        assert answer.status_code == 200, answer.text
        return self

    async def command(
        self, method: str, path: str, json: dict | None = None, *, key: str = ""
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key or str(uuid4())}
        return await self.request(method, path, json=json or {}, headers=headers)

    async def offers(self, **fields) -> dict:
        body = {"slots": [offered(self.world.schedules[self.name], **fields)]}
        answer = await self.command("POST", "/api/v1/slots", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["slots"][0]

    async def holds(self, slot: dict) -> dict:
        answer = await self.command("POST", f"/api/v1/slots/{slot['id']}/holds")
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def confirms(self, held: dict, key: str) -> httpx.Response:
        return await self.command("POST", f"/api/v1/holds/{held['id']}/confirm", CHOICE, key=key)
