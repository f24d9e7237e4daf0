"""schemathesis over the whole document, as each role: no 5xx, no answer outside the document, no leak.

Against a real process. Every text field of both territories holds a canary: who has nothing to do
with a territory is never shown one of its, and the log has none at all.
"""

import asyncio
import os
import sys
from dataclasses import replace

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as with_settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from slots.settings import Settings
from tests.api.conftest import offered
from tests.api.contract import DOCUMENT
from tests.world import PASSWORD
from workers.embedded.choices import LOOPBACK, Choices

pytestmark = pytest.mark.prove

READY_WITHIN_S = 20.0
EXAMPLES = 12  # of each operation, for each role
# What would end the session that walks, or lock it.
ENDS_THE_WALK = {("delete", "/api/v1/session"), ("post", "/api/v1/lock")}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Who may be shown which territory's canaries. Cora coordinates Hauts and is nobody's neighbour.
SHOWN = {
    "stranger": set(),
    "fay": set(),
    "cora": {"HAUTS"},
    "ann": {"HAUTS", "THAU"},
    "olga": {"HAUTS", "THAU"},
    "rolf": {"HAUTS", "THAU"},
    "carl": {"HAUTS", "THAU"},
    "rita": {"HAUTS", "THAU"},
}
# The text fields that people fill in, by table, with how to tell whose territory a row is.
TEXTS = {
    "location": (("name", "address", "access"), "territory_id"),
    "practitioner_role": (("referral",), "territory_id"),
    "healthcare_service": (("name", "referral"), "territory_id"),
    "act": (("label", "preparation"), "territory_id"),
    "reason": (("label",), "territory_id"),
    "urgency": (("label",), "territory_id"),
}


@pytest.fixture
async def canaries(owner, world):
    """CANARY-HAUTS-… and CANARY-THAU-… in all of them; and somebody of a third territory."""
    await owner.execute(
        "INSERT INTO territory (id, slug, name, department) VALUES (3, 'far-away', 'CPTS du Bout', '34')"
    )
    await owner.execute("DELETE FROM membership WHERE account_id = $1", world.accounts["dora"].id)
    await owner.execute("DELETE FROM delegation WHERE account_id = $1", world.accounts["dora"].id)
    await owner.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, 3, 'referrer')",
        world.accounts["dora"].id,
    )
    for table, (columns, territory) in TEXTS.items():
        for column in columns:
            await owner.execute(
                f"UPDATE {table} SET {column} ="
                f" CASE {territory} WHEN 1 THEN 'CANARY-HAUTS-{table}' ELSE 'CANARY-THAU-{table}' END"
                f" WHERE {territory} IN (1, 2)"
            )
    await owner.execute(
        "UPDATE practitioner SET family_name = 'CANARY-' ||"
        " CASE WHEN given_name = 'Carl' THEN 'THAU' ELSE 'HAUTS' END || '-name'"
    )


@pytest.fixture
async def process(world, canaries, settings: Settings, tmp_path):
    """A web process on a free port, its log in a file."""
    port = Choices.make().with_free_ports().postgres_port
    own = replace(settings, port=port, base_url=f"http://{LOOPBACK}:{port}")
    log = tmp_path / "web.log"
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "web"),
            env={**os.environ, **own.to_environ(), "LOG_FORMAT": "json"},
            stderr=output,
        )
        async with httpx.AsyncClient(base_url=own.base_url, trust_env=False) as client:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await is_up(client):
                    pass
        yield own.base_url, log
        running.terminate()
        await running.wait()


async def is_up(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
async def boards(process, settings):
    """Ready, with a slot of each territory that has a note."""
    from slots.desk import close_desk, open_desk
    from tests.api.conftest import make_boards_ready

    desk = await open_desk(settings)
    await make_boards_ready(desk)
    yield desk
    await close_desk(desk)


async def signed_in(url: str, world, name: str) -> dict[str, str]:
    """The cookies of a session."""
    if name == "stranger":
        return {}
    email = world.email("dora" if name == "fay" else name)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.post("/api/v1/session", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return dict(answer.cookies)


async def offers(url: str, world, name: str, note: str) -> None:
    cookies = await signed_in(url, world, name)
    async with httpx.AsyncClient(base_url=url, cookies=cookies, trust_env=False) as client:
        answer = await client.post(
            "/api/v1/slots",
            json={
                "slots": [
                    offered(world.schedules[name], note=note, audience=["CPTS", "SNP", "PRO"])
                ]
            },
            headers={"Idempotency-Key": note},
        )
        assert answer.status_code == 201, answer.text


def walk(url: str, cookies: dict[str, str]) -> list[str]:
    """Every operation with many right and wrong requests. All that was answered."""
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.config.update(base_url=url)
    told: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @with_settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        def asks(case):
            if (case.operation.method, case.operation.path) in ENDS_THE_WALK:
                return  # it would end the session that walks, or lock it
            answer = case.call(cookies=cookies, timeout=10)
            told.append(answer.text)
            case.validate_response(answer, checks=CHECKS)

        asks()
    return told


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SHOWN)
async def test_the_document_holds_for_each_role_and_nobody_sees_what_is_not_theirs(
    process, boards, world, name
):
    url, log = process
    await offers(url, world, "ann", "CANARY-HAUTS-note")
    await offers(url, world, "carl", "CANARY-THAU-note")
    cookies = await signed_in(url, world, name)

    told = await asyncio.to_thread(walk, url, cookies)

    assert len(told) > 100
    said = "\n".join(told)
    shown = {where for where in ("HAUTS", "THAU") if f"CANARY-{where}" in said}
    assert shown <= SHOWN[name]
    if SHOWN[name]:
        assert shown  # the canaries are where one would see them
    written = log.read_text()
    assert "CANARY" not in written
    assert PASSWORD not in written
    assert '"level": "error"' not in written
