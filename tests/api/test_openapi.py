"""The document is true to the code, and closed."""

import re

import pytest
from openapi_schema_validator import OAS31Validator
from starlette.routing import Mount, Route, WebSocketRoute

from tests.api.contract import DOCUMENT
from web.api.routes import API_ROUTES, ENDPOINTS
from web.app import ROUTES
from web.errors import STATUS_OF

OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


async def test_the_document_is_served_to_anybody(stranger):
    answer = await stranger.get("/api/v1/openapi.json")

    assert answer.json() == DOCUMENT
    assert answer.json()["openapi"] == "3.1.0"


def test_every_route_of_the_api_is_declared():
    declared = {
        (method, re.sub(r"\{(\w+)\}", r"{\1:uuid}", path)) for method, path, _ in OPERATIONS
    }
    served = {
        (method, route.path) for route in API_ROUTES for method in route.methods if method != "HEAD"
    }

    assert declared == served


def test_nothing_under_api_is_served_beside_the_table():
    paths = {route.path for route in ROUTES if isinstance(route, Route | WebSocketRoute | Mount)}

    assert {path for path in paths if path.startswith("/api")} == {
        endpoint.path for endpoint in ENDPOINTS if endpoint.path.startswith("/api")
    }


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_object_is_closed_and_valid(name):
    schema = DOCUMENT["components"]["schemas"][name]

    OAS31Validator.check_schema(schema)
    if schema.get("type") == "object":
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) <= set(schema["properties"])


def test_every_reference_leads_somewhere():
    names = set(re.findall(r"#/components/schemas/(\w+)", str(DOCUMENT)))

    assert names == set(DOCUMENT["components"]["schemas"]) & names
    assert set(DOCUMENT["components"]["schemas"]) - names == set()


def test_operations_have_names_of_their_own():
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "method, path, operation", OPERATIONS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_operation_says_all_that_it_may_answer(method, path, operation):
    answers = operation["responses"]
    keyed = "Idempotency-Key" in [one["name"] for one in operation["parameters"]]

    assert "500" in answers
    assert ("401" in answers) >= (operation["security"] != [])
    assert ("400" in answers) >= keyed
    assert ("403" in answers) >= (method != "GET")
    in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", path))
    for status, answer in answers.items():
        if status == "503" and "application/problem+json" in answer["content"]:
            assert answer["headers"]["Retry-After"]["required"]


def test_every_command_of_the_api_is_keyed_but_signing_in_and_out_and_the_lock():
    unkeyed = {
        (method, path)
        for method, path, operation in OPERATIONS
        if method != "GET"
        and "Idempotency-Key" not in [one["name"] for one in operation["parameters"]]
    }

    assert unkeyed == {
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/session/factor"),
        ("POST", "/api/v1/session/passkey"),
        ("DELETE", "/api/v1/session"),
        # A key would leave a hash of what is said of a patient, and repeating these changes nothing.
        ("PUT", "/api/v1/appointments/{appointment_id}/contact"),
        ("DELETE", "/api/v1/appointments/{appointment_id}/contact"),
        ("POST", "/api/v1/attention"),
        ("POST", "/api/v1/lock"),
        ("POST", "/api/v1/lock/open"),
    }


def test_what_endpoints_refuse_has_a_status():
    assert all(refusal in STATUS_OF for endpoint in ENDPOINTS for refusal in endpoint.refusals)
