"""Nonsense to every endpoint: each answer is a declared one, and none is a 500."""

import json
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest

from slots.ids import TerritoryId, new_id
from tests.api.conftest import Person, offered
from tests.world import World
from web.api.routes import ENDPOINTS

# Names, one byte and many, left to right and not, and what breaks parsers.
TEXTS = [
    "",
    "a",
    "é" * 300,
    "' OR 1=1 --",
    "../../etc",
    "\u202e",
    "{{7*7}}",
    "\x7f",
    "\ufdd0",
    "💊",
]
NUMBERS = [0, -1, 1, 51, 2**31, 2**63, 10**40, 0.5, -0.0, 1e308]
INSTANTS = ["2026-11-22T10:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "now", "24:00"]
QUERIES = ["", "-1", "1e9", "nan", "34028", "43.6,3.1", "999,999", "true", "2026-11-22T10:00:00Z"]
ROUNDS = 300  # requests


def a_value(dice: Random, depth: int = 0) -> Any:
    """Some JSON."""
    kind = dice.randrange(7 if depth < 3 else 5)
    if kind == 0:
        return dice.choice(TEXTS)
    if kind == 1:
        return dice.choice(NUMBERS)
    if kind == 2:
        return dice.choice([None, True, False])
    if kind == 3:
        return dice.choice(INSTANTS)
    if kind == 4:
        return str(new_id(TerritoryId(dice.choice([1, 2, 3, 16_383]))))
    if kind == 5:
        return [a_value(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(TEXTS): a_value(dice, depth + 1) for _ in range(dice.randrange(4))}


def spoilt(dice: Random, value: Any, chance: float) -> Any:
    """A right body with something wrong in it, or not."""
    if dice.random() < chance:
        return a_value(dice)
    if isinstance(value, dict):
        changed = {name: spoilt(dice, inner, chance) for name, inner in value.items()}
        if changed and dice.random() < chance:
            changed.pop(dice.choice(list(changed)))
        if dice.random() < chance:
            changed[dice.choice(TEXTS)] = a_value(dice)
        return changed
    if isinstance(value, list):
        return [spoilt(dice, inner, chance) for inner in value]
    return value


def a_right_body(kind: str, world: World, dice: Random) -> Any:
    """What each kind of body looks like when it is right."""
    slot, home = (
        offered(world.schedules["ann"], hours=dice.randrange(4_000) / 12, **fields)
        for fields in (
            {"capacity": 2, "modality": "AMB", "acts": ["suture"], "audience": ["PRO", "CPTS"]},
            {"modality": "HH", "area": {"insee": ["34028"]}, "note": "Sonner deux fois"},
        )
    )
    choice = {"reason": "pain", "urgency": "today"}
    return {
        "OfferBody": {"slots": [slot, home]},
        "AmendBody": {name: value for name, value in home.items() if name != "schedule_id"},
        "ChoiceBody": {**choice, "origin": "self"},
        "OverflowBody": {**choice, "starts_at": slot["starts_at"]},
        "MoveBody": {"hold_id": str(uuid4())},
        "ContactBody": {"name": "J. D.", "birth_year": 1951, "phone": "06 12 34 56 78"},
        "Nothing": {},
        "PasskeyBody": {"ticket": "nobody’s"},
        "FactorBody": {"ticket": "nobody’s", "factor": "totp", "code": "123456"},
        "UnlockBody": {"pin": "408162"},
    }[kind]


def made_ids(answer: httpx.Response) -> list[str]:
    """What was made may be spoken of from now on."""
    if answer.status_code != 201:
        return []
    made = answer.json()
    return [one["id"] for one in made.get("slots", [made])]


async def test_nonsense_never_breaks_the_service(sign_in, world):
    await speak_nonsense(await sign_in("ann"), world, seed=48, rounds=ROUNDS)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(10))
async def test_much_nonsense_never_breaks_the_service(sign_in, world, seed):
    await speak_nonsense(await sign_in("ann"), world, seed=seed, rounds=10 * ROUNDS)


async def speak_nonsense(person: Person, world: World, *, seed: int, rounds: int) -> None:
    dice = Random(seed)
    slot = await person.offer(world.schedules["ann"], hours=20, capacity=5)
    booked = await person.book(slot)
    ids = [slot["id"], booked["id"], str(world.schedules["bob"]), str(uuid4())]
    endpoints = [one for one in ENDPOINTS if not one.path.endswith(("/session", "/lock"))]

    for number in range(rounds):
        endpoint = dice.choice(endpoints)
        path = endpoint.path
        while "{" in path:
            head, _, rest = path.partition("{")
            path = head + dice.choice(ids) + rest.partition("}")[2]
        names = [*endpoint.query.__struct_fields__, "x"] if endpoint.query else []
        query = {name: dice.choice(QUERIES) for name in names if dice.random() < 0.2}
        body = None
        if endpoint.body:
            right = a_right_body(endpoint.body.__name__, world, dice)
            body = spoilt(dice, right, dice.choice([0, 0.02, 0.15]))
        headers = {"Idempotency-Key": dice.choice([str(uuid4()), "same"])}

        answer = await person.request(
            endpoint.method,
            path,
            params=query,
            headers={**headers, "Content-Type": "application/json"},
            content=b"" if body is None else json.dumps(body).encode(),
        )

        assert answer.status_code < 500, (seed, number, endpoint.path, query, body, answer.text)
        ids += made_ids(answer)
