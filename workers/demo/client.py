"""One signed-in account, over HTTP only: what any program of a member of a CPTS could be."""

import asyncio
import itertools
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import httpx

API: Final = "/api/v1"
TRIES_MAX: Final = 6  # of one request, with the same key
RETRY_AFTER_MAX_S: Final = 2.0  # seconds; a demo does not wait longer
TIMEOUT_S: Final = 15.0
AGAIN: Final = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)


class Refused(Exception):
    """The service answered with a problem. *code* is its stable word."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code', '')}: {problem.get('detail', '')}")
        self.status = status
        self.code = str(problem.get("code", f"http-{status}"))
        self.problem = problem


class Unreachable(Exception):
    """Nobody answers at this address."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the service says of who signed in: territories and schedules by role."""

    name: str
    roles: Mapping[str, tuple[str, ...]]  # role: slugs
    schedule_ids: Mapping[str, tuple[str, ...]]  # slug: schedules that one may act for


class Client:
    """An account's browser, without the browser. Use it as an async context manager."""

    def __init__(self, base_url: str, email: str, password: str) -> None:
        self.email = email
        self._password = password
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Origin": base_url, "Sec-Fetch-Site": "same-origin"},
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def sign_in(self) -> Session:
        """Start a session, and ask who we are.

        Raises:
            Refused: Wrong password, or nobody like that.
            Unreachable: The service does not answer.
        """
        words = {"email": self.email, "password": self._password}
        await self._send("POST", "/session", words, {}, {}, lost_max=0)
        document = await self.get("/session")
        roles: dict[str, tuple[str, ...]] = {}
        schedules: dict[str, tuple[str, ...]] = {}
        for entry in document["roles"]:
            role, territory = entry["role"], entry["territory"]
            roles[role] = (*roles.get(role, ()), territory)
            both = (*schedules.get(territory, ()), *entry["schedule_ids"])
            schedules[territory] = tuple(dict.fromkeys(both))
        return Session(document["account"]["name"], roles, schedules)

    async def get(self, path: str, **filters: str) -> Any:
        """Read. Filters are sent as they are."""
        return await self._send("GET", path, None, filters, {})

    async def command(self, method: str, path: str, body: Any = None) -> Any:
        """Do, once: repeated under one key when the answer is lost or the service is busy."""
        return await self._send(method, path, body, {}, {"Idempotency-Key": str(uuid.uuid4())})

    async def _send(
        self,
        method: str,
        path: str,
        body: Any,
        filters: Mapping[str, str],
        headers: Mapping[str, str],
        lost_max: int = TRIES_MAX - 1,
    ) -> Any:
        """Ask until there is an answer; *lost_max* answers may be lost on the way."""
        for attempt in itertools.count(1):
            try:
                answer = await self._http.request(
                    method, API + path, json=body, params=filters or None, headers=headers
                )
            except httpx.TransportError as error:
                if attempt > lost_max:
                    raise Unreachable(f"{self._http.base_url}: {error!r}") from error
                await asyncio.sleep(_pause_s(attempt))
                continue
            if answer.status_code in AGAIN and attempt < TRIES_MAX:
                await asyncio.sleep(_pause_s(attempt, answer))
                continue
            if answer.is_success:
                return answer.json() if answer.content else None
            raise Refused(answer.status_code, _problem(answer))
        raise AssertionError  # count() does not end


def _pause_s(attempt: int, answer: httpx.Response | None = None) -> float:
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    return min(float(asked) if asked.isdigit() else 0.1 * 2**attempt, RETRY_AFTER_MAX_S)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {"detail": answer.text[:200]}
    return document if isinstance(document, dict) else {}
