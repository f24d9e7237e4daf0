"""Bad input gets a clear answer: a status, a code, a field, a French sentence; never a 500."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import offered, problem

SLOTS = "/api/v1/slots"


def now():
    return datetime.now(UTC)


def span(hours, minutes=20):
    starts_at = now() + timedelta(hours=hours)
    return {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=minutes)).isoformat(),
    }


WRONG = [
    (lambda: span(2, minutes=-20), "ends_at"),
    (lambda: span(2, minutes=0), "ends_at"),
    (lambda: {**span(2, minutes=24 * 60 + 1), "capacity": 5}, "ends_at"),
    (lambda: span(-0.1), "starts_at"),
    (lambda: {**span(-2, minutes=60), "capacity": 5}, "starts_at"),
    (lambda: span(14 * 24 + 1), "starts_at"),
    (lambda: {"capacity": 0}, "capacity"),
    (lambda: {"capacity": 51}, "capacity"),
    (lambda: {"capacity": 10**30}, "capacity"),
    (lambda: {"acts": ["levitation"]}, "acts"),
    (lambda: {"modality": "HH"}, "area"),
    (lambda: {"modality": "HH", "area": {"insee": ["99999"]}}, "area"),
    (lambda: {"modality": "HH", "area": {}}, "area"),
    (lambda: {"area": {"radius_km": 5}}, "area"),
    (lambda: {"note": "x" * 81}, "note"),
    # Refused before it reaches the domain.
    (lambda: {"capacity": "1"}, "capacity"),
    (lambda: {"capacity": 1.5}, "capacity"),
    (lambda: {"capacity": None}, "capacity"),
    (lambda: {"modality": "TELEPATHY"}, "modality"),
    (lambda: {"acts": []}, "acts"),
    (lambda: {"acts": "consultation"}, "acts"),
    (lambda: {"audience": ["ALL"]}, "audience[0]"),
    (lambda: {"area": {"insee": ["34"]}, "modality": "HH"}, "area.insee[0]"),
    (lambda: {"schedule_id": "ann"}, "schedule_id"),
    (lambda: {"starts_at": "2026-03-29T02:30:00"}, "starts_at"),
    (lambda: {"starts_at": "2026-02-30T10:00:00Z"}, "starts_at"),
    (lambda: {"starts_at": "0001-01-01T00:00:00+23:00"}, "starts_at"),
    (lambda: {"starts_at": "9999-12-31T23:59:59-23:00"}, "starts_at"),
    (lambda: {"starts_at": 1_800_000_000}, "starts_at"),
    (lambda: {"colour": "blue"}, "colour"),
]


async def test_each_field_of_an_offer_that_is_wrong_is_named(sign_in, world):
    ann = await sign_in("ann")

    for change, field in WRONG:
        slot = {**offered(world.schedules["ann"]), **change()}
        answer = await ann.command("POST", SLOTS, {"slots": [slot]})

        assert problem(answer) == (422, "invalid"), slot
        errors = answer.json()["errors"]
        assert f"slots[0].{field}" in [error["field"] for error in errors], slot
        assert all(error["message"].endswith(".") for error in errors), errors


async def test_an_offer_of_another_shape_is_refused(sign_in):
    ann = await sign_in("ann")

    for body in ({}, {"slots": []}, {"slots": {}}, {"slots": [{}]}, [], 3, None):
        answer = await ann.post(SLOTS, json=body, headers={"Idempotency-Key": "k"})
        assert problem(answer) == (422, "invalid"), body


async def test_no_more_than_fifty_slots_at_a_time(sign_in, world):
    ann = await sign_in("ann")
    slots = [offered(world.schedules["ann"], hours=hours) for hours in range(1, 52)]

    answer = await ann.command("POST", SLOTS, {"slots": slots})

    assert problem(answer) == (422, "invalid")
    assert answer.json()["errors"][0] == {"field": "slots", "message": "50 au plus."}


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"not json",
        b'{"slots": [}',
        b"\xff\xfe",
        b'{"email": "\xff", "password": "x"}',
        b'{"email": "\\ud800", "password": "x"}',
        b'{"email": "a\\u0000b", "password": "x"}',
        b'{"email": "a\x00b", "password": "x"}',
        b"\x00",
    ],
)
async def test_what_is_not_json_is_malformed(stranger, raw):
    answer = await stranger.post(
        "/api/v1/session", content=raw, headers={"Content-Type": "application/json"}
    )

    assert problem(answer) == (400, "malformed")


async def test_deep_nesting_breaks_nothing(stranger):
    raw = b'{"email": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"

    answer = await stranger.post(
        "/api/v1/session", content=raw, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_only_json_is_read(stranger, media_type):
    headers = {"Content-Type": media_type} if media_type else {}

    answer = await stranger.post("/api/v1/session", content=b"{}", headers=headers)

    assert problem(answer) == (415, "media-type-unsupported")


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_beyond_64_kib_is_too_large(stranger, announced):
    body = json.dumps({"email": "x" * 65_536, "password": "x"}).encode()

    async def in_pieces():
        yield body[:40_000]
        yield body[40_000:]

    answer = await stranger.post(
        "/api/v1/session",
        content=body if announced else in_pieces(),
        headers={"Content-Type": "application/json"},
    )

    assert problem(answer) == (413, "body-too-large")


@pytest.mark.parametrize("key", [None, "", "x" * 101, "a\tb"])
async def test_a_command_without_a_usable_key_is_refused(sign_in, key):
    ann = await sign_in("ann")
    headers = [] if key is None else [("Idempotency-Key", key)]
    hold, appointment = f"/api/v1/holds/{uuid4()}", f"/api/v1/appointments/{uuid4()}"

    for method, path in (
        ("POST", SLOTS),
        ("PATCH", f"{SLOTS}/{uuid4()}"),
        ("DELETE", f"{SLOTS}/{uuid4()}"),
        ("POST", f"{SLOTS}/{uuid4()}/holds"),
        ("POST", f"{hold}/renew"),
        ("POST", f"{hold}/confirm"),
        ("DELETE", hold),
        ("POST", f"/api/v1/schedules/{uuid4()}/overflow"),
        *(
            ("POST", f"{appointment}/{verb}")
            for verb in ("cancel", "move", "seen", "fulfil", "noshow", "patient-told")
        ),
    ):
        answer = await ann.request(method, path, headers=headers)
        assert problem(answer) == (400, "idempotency-key-required"), (method, path)


async def test_two_keys_are_no_key(sign_in):
    ann = await sign_in("ann")

    answer = await ann.post(SLOTS, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])

    assert problem(answer) == (400, "idempotency-key-required")


async def test_a_command_takes_no_unknown_field(sign_in):
    ann = await sign_in("ann")

    answer = await ann.command("POST", f"{SLOTS}/{uuid4()}/holds", {"seat": 1})

    assert problem(answer) == (422, "invalid")
    assert answer.json()["errors"] == [{"field": "seat", "message": "Ce champ n’existe pas."}]


async def test_everything_but_signing_in_needs_a_session(stranger):
    for method, path in (
        ("GET", SLOTS),
        ("POST", SLOTS),
        ("GET", f"{SLOTS}/{uuid4()}"),
        ("POST", f"{SLOTS}/{uuid4()}/holds"),
        ("GET", "/api/v1/appointments"),
        ("GET", "/api/v1/session"),
    ):
        answer = await stranger.request(method, path, headers={"Idempotency-Key": "k"})
        assert problem(answer) == (401, "not-signed-in"), (method, path)


@pytest.mark.parametrize(
    "method, path, expected",
    [
        ("GET", "/api/v1/nothing", (404, "not-found")),
        ("GET", "/api/v1/slots/1", (404, "not-found")),
        ("GET", f"/api/v1/slots/{UUID(int=48)}/holds", (405, "method-not-allowed")),
        ("PUT", SLOTS, (405, "method-not-allowed")),
        ("BREW", SLOTS, (405, "method-not-allowed")),
    ],
)
async def test_what_is_not_there_says_so(sign_in, method, path, expected):
    ann = await sign_in("ann")

    assert problem(await ann.request(method, path)) == expected


async def test_a_problem_speaks_french_to_people_and_code_to_machines(stranger):
    answer = await stranger.get(SLOTS)

    assert answer.json() == {
        "type": "urn:chrono48:problem:not-signed-in",
        "title": "Non connecté",
        "status": 401,
        "code": "not-signed-in",
        "detail": "Connectez-vous pour continuer.",
    }
