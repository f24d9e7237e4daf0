"""The OpenAPI 3.1 document, made from the table of endpoints and from the types that they use."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from slots.errors import SlotError, Unavailable
from web.api.bodies import AreaBody
from web.errors import PROBLEM_MEDIA_TYPE, STATUS_OF, Problem
from web.refusals import TooManyRequests, TooManyTries
from web.sentences import SENTENCES

if TYPE_CHECKING:
    from web.api.endpoint import Endpoint

VERSION: Final = "1.0.0"  # of the contract; what is added keeps it, what is renamed does not
REF: Final = "#/components/schemas/{name}"
PARAMETER: Final = re.compile(r"\{(?P<name>\w+):uuid\}")
KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "The caller's name for this one intention: repeating it has one effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 100},
}
DESCRIPTION: Final = """\
Find and book unscheduled care within 48 hours. Instants are RFC 3339 in UTC; ids are UUIDs;
territories are named by their slug. Refusals are RFC 9457 problem documents: `code` is stable,
`title` and `detail` are French, for people. Commands carry an Idempotency-Key, but for a contact,
which PUT and DELETE leave as it is however often they come. Software brings an
API key, made on the page /compte, as `Authorization: Bearer`. People sign in with
`POST /api/v1/session` and keep the cookie; where a second factor is due it answers 202, and
`POST /api/v1/session/factor` completes it. Nothing about a patient is sent or stored, but for an
optional contact (`/api/v1/appointments/{appointment_id}/contact`) in territories that keep one: sealed, for the two
sides of the booking only, and purged one to three days after the slot.
"""


def describe(endpoints: Iterable["Endpoint"]) -> dict[str, Any]:
    """The document of these endpoints: all that they take, and every status that they answer."""
    table = list(endpoints)
    schemas = _Schemas(table)
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for endpoint in table:
        path = PARAMETER.sub(r"{\g<name>}", endpoint.path)
        paths[path][endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "48H Chrono", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "chrono48",
                    "description": "Named __Host-chrono48 where the service is reached by https.",
                },
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, made on the page /compte; it needs the scope named.",
                },
            },
        },
    }


class _Schemas:
    """The JSON Schemas of all types that the endpoints use, closed."""

    def __init__(self, endpoints: list["Endpoint"]) -> None:
        types: list[Any] = [Problem, AreaBody]
        for endpoint in endpoints:
            types += [
                kind
                for kind in (
                    endpoint.answer,
                    endpoint.body,
                    endpoint.query,
                    *(also for _, also in endpoint.also_answers),
                )
                if kind is not None
            ]
        self._types = list(dict.fromkeys(types))
        found, components = msgspec.json.schema_components(self._types, ref_template=REF)
        self._by_type = dict(zip(self._types, found, strict=True))
        queries = {endpoint.query.__name__ for endpoint in endpoints if endpoint.query}
        self.queries = {name: components[name] for name in queries}
        self.components = {
            name: _closed(component)
            for name, component in sorted(components.items())
            if name not in queries
        }

    def of(self, kind: Any) -> dict[str, Any]:
        schema: dict[str, Any] = self._by_type[kind]
        return schema


def _closed(component: dict[str, Any]) -> dict[str, Any]:
    """No field but those that are named, and `area` said in full."""
    if component.get("type") != "object":
        return component
    if "area" in component["properties"]:
        component["properties"]["area"] = {
            "anyOf": [{"$ref": REF.format(name=AreaBody.__name__)}, {"type": "null"}]
        }
    return component | {"additionalProperties": False}


def _operation(endpoint: "Endpoint", schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.handle.__name__
        if endpoint.handle.__name__ != "handle"
        else endpoint.path.rpartition("/")[2].replace("-", "_"),
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint, schemas),
        "responses": _responses(endpoint, schemas),
        "security": _security(endpoint),
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": bool(schemas.components[endpoint.body.__name__].get("required")),
            "content": {"application/json": {"schema": schemas.of(endpoint.body)}},
        }
    return operation


def _security(endpoint: "Endpoint") -> list[dict[str, list[str]]]:
    if endpoint.open:
        return []
    keys = [{"key": [endpoint.scope.value]}] if endpoint.scope else []
    return [{"session": []}, *keys]


def _parameters(endpoint: "Endpoint", schemas: _Schemas) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"},
        }
        for name in PARAMETER.findall(endpoint.path)
    ]
    if endpoint.query is not None:
        described = schemas.queries[endpoint.query.__name__]
        parameters += [
            {
                "name": name,
                "in": "query",
                "required": name in described.get("required", []),
                "schema": _without_null(schema),
            }
            for name, schema in described["properties"].items()
        ]
    if endpoint.keyed:
        parameters.append(KEY_HEADER)
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out rather than null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    cleaned = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    if not kinds:
        cleaned.update({"default": schema["default"]} if schema.get("default") is not None else {})
        return (
            {**cleaned, "enum": [word for word in cleaned["enum"] if word]}
            if ("enum" in cleaned)
            else cleaned
        )
    return cleaned | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds})


def _responses(endpoint: "Endpoint", schemas: _Schemas) -> dict[str, Any]:
    answers: dict[int, dict[str, Any]] = {
        endpoint.status: _answer(endpoint.answer, endpoint.media_type, schemas)
    }
    for status, kind in endpoint.also_answers:
        answers[status] = _answer(kind, endpoint.media_type, schemas)
    by_status: defaultdict[int, list[type[SlotError]]] = defaultdict(list)
    for refusal in endpoint.refusals:
        by_status[STATUS_OF[refusal]].append(refusal)
    for status, refusals in by_status.items():
        problem = _problem(refusals, schemas)
        if status in answers:
            answers[status]["content"] |= problem["content"]
        else:
            answers[status] = problem
    return {str(status): answers[status] for status in sorted(answers)}


def _answer(kind: Any, media_type: str, schemas: _Schemas) -> dict[str, Any]:
    if kind is None:
        return {"description": "Done; there is nothing to say."}
    return {
        "description": (kind.__doc__ or "").strip().split("\n")[0]
        if issubclass(kind, msgspec.Struct)
        else "As described.",
        "content": {media_type: {"schema": schemas.of(kind)}},
    }


def _problem(refusals: list[type[SlotError]], schemas: _Schemas) -> dict[str, Any]:
    """One status, with the codes that it may carry."""
    said = "; ".join(f"`{refusal.code}`: {SENTENCES[refusal.code][0]}" for refusal in refusals)
    problem: dict[str, Any] = {
        "description": said,
        "content": {
            PROBLEM_MEDIA_TYPE: {
                "schema": {
                    "allOf": [
                        schemas.of(Problem),
                        {"properties": {"code": {"enum": [one.code for one in refusals]}}},
                    ]
                }
            }
        },
    }
    if all(
        issubclass(refusal, Unavailable | TooManyTries | TooManyRequests) for refusal in refusals
    ):
        problem["headers"] = {
            "Retry-After": {
                "required": True,
                "description": "Seconds to wait before asking again.",
                "schema": {"type": "integer"},
            }
        }
    return problem
