"""Holds every request and answer of the tests against the OpenAPI document.

An undeclared route, parameter or status, and a body of another shape than declared, fail the test
that caused it.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from web.api.routes import ENDPOINTS
from web.openapi import describe

DOCUMENT = describe(ENDPOINTS)
# Pages, the socket's polling, and what lies at no address at all are not the API's.
OF_THE_API = re.compile(r"^/(api/|healthz$|readyz$|metrics$)")
RFC3339_UTC = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$")

formats = FormatChecker()
formats.checks("date-time")(lambda value: bool(RFC3339_UTC.match(value)))


class Broken(AssertionError):
    """The traffic and the document differ."""


class ContractTransport(httpx.AsyncBaseTransport):
    """Passes requests on, and looks at what comes and goes."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        body = await response.aread()
        if OF_THE_API.match(request.url.path):
            check(request, response, body)
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


def check(request: httpx.Request, response: httpx.Response, body: bytes) -> None:
    asked = f"{request.method} {request.url.path}: {response.status_code}"
    operation = find_operation(request.method, request.url.path)
    if operation is None:
        # Nothing is declared there: the only right answers are these.
        if response.status_code not in (404, 405):
            raise Broken(f"{asked}, but it is not declared")
        return
    answers = operation["responses"]
    if str(response.status_code) not in answers:
        raise Broken(f"{asked} is not among {sorted(answers)}: {body[:300]!r}")
    if response.is_success:
        check_query(asked, operation, request)
    answer = answers[str(response.status_code)]
    for name in answer.get("headers", {}):
        if name not in response.headers:
            raise Broken(f"{asked} lacks the header {name}")
    check_body(asked, answer.get("content", {}), response, body)


def check_query(asked: str, operation: dict[str, Any], request: httpx.Request) -> None:
    declared = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
    if strangers := set(request.url.params.keys()) - declared:
        raise Broken(f"{asked} took undeclared parameters {strangers}")


def check_body(asked: str, content: dict[str, Any], response: httpx.Response, body: bytes) -> None:
    if not content:
        if body:
            raise Broken(f"{asked} should have no body")
        return
    media_type = response.headers["content-type"]
    if media_type not in content:
        raise Broken(f"{asked} is {media_type}, not {list(content)}")
    if "json" not in media_type:
        return
    validator = validator_of(json.dumps(content[media_type]["schema"]))
    faults = sorted(validator.iter_errors(json.loads(body)), key=str)
    if faults:
        raise Broken(f"{asked}: {faults[0].json_path}: {faults[0].message}")


@cache
def validator_of(schema: str) -> Draft202012Validator:
    return Draft202012Validator(
        json.loads(schema) | {"components": DOCUMENT["components"]}, format_checker=formats
    )


@dataclass(frozen=True)
class Path:
    pattern: re.Pattern[str]
    operations: dict[str, Any]


PATHS = [
    Path(re.compile("^" + re.sub(r"\{\w+\}", "[0-9a-fA-F-]{32,36}", path) + "$"), operations)
    for path, operations in DOCUMENT["paths"].items()
]


def find_operation(method: str, path: str) -> dict[str, Any] | None:
    method = "get" if method == "HEAD" else method.lower()
    for candidate in PATHS:
        if candidate.pattern.match(path):
            return candidate.operations.get(method)
    return None
