"""The phone of somebody who publishes: few taps, their own habits, and what they accept besides."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from slots.ids import TerritoryId, new_id
from slots.times import PARIS, from_paris
from tests.browser import DESK, PHONE, Joins, Person
from tests.world import HAUTS

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFERED_BEFORE = """
INSERT INTO slot (id, territory_id, schedule_id, location_id, practitioner_id, starts_at, ends_at,
                  capacity, modality, acts, audience, offered_at, offered_by)
SELECT $1, $2, schedule.id, practitioner_role.location_id, practitioner_role.practitioner_id, $4::timestamptz,
       $4::timestamptz + interval '15 minutes', 1, 'AMB', '{consultation}', '{CPTS,SNP}', $4::timestamptz - interval '1 day', $5
  FROM schedule JOIN practitioner_role ON practitioner_role.id = schedule.practitioner_role_id
 WHERE schedule.id = $3
"""
TAPS_MAX = 3
COUNTS_TAPS = """
window.taps = 0
addEventListener("pointerdown", () => (window.taps += 1), true)
"""


@pytest_asyncio.fixture(loop_scope="session")
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(owner_url)
    yield conn
    await conn.close()


async def published_before(owner: asyncpg.Connection, person: Person, at: datetime) -> None:
    """A slot of Ann's that is over, written where it would be by now."""
    world = person.service.world
    territory = TerritoryId(HAUTS)
    await owner.execute(
        OFFERED_BEFORE,
        *(new_id(territory), territory, world.schedules["ann"], at, world.accounts["ann"].id),
    )


def mine(person: Person) -> Locator:
    return person.page.locator(".mine")


async def test_two_evenings_published_become_a_preset_of_one_tap(joins: Joins, owner):
    ann = await joins("ann", PHONE)
    await ann.page.add_init_script(COUNTS_TAPS)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).astimezone(PARIS).date()
    for weeks in (1, 2, 3):
        at = from_paris(tomorrow - timedelta(weeks=weeks), time(19, 10))
        await published_before(owner, ann, at)
    await ann.goes_to("/disponibilites")

    preset = ann.page.get_by_role("button", name="Demain soir")
    await expect(preset).to_contain_text("19 h 10")
    await expect(ann.page.get_by_label("Durée")).to_have_value("15")
    await expect(ann.page.locator(".presets button")).to_have_count(3)
    await preset.click()

    await ann.sees("Publié. Les autres")
    await expect(mine(ann)).to_contain_text("19 h 10")
    assert await ann.page.evaluate("window.taps") <= TAPS_MAX
    await expect(ann.page.locator(".presets")).not_to_contain_text("19 h 10")


async def test_last_week_is_published_again_with_two_taps(joins: Joins, owner):
    ann = await joins("ann", PHONE)
    await ann.page.add_init_script(COUNTS_TAPS)
    today = datetime.now(UTC).astimezone(PARIS).date()
    for days, hour in ((6, 9), (6, 10), (5, 12)):
        at = from_paris(today - timedelta(days=days), time(hour))
        await published_before(owner, ann, at)
    await ann.goes_to("/disponibilites")

    await ann.page.get_by_text("Comme la semaine dernière").click()
    await ann.page.get_by_role("checkbox", name="10 h").uncheck()
    await ann.page.get_by_role("button", name="Publier ce qui est coché").click()

    await ann.sees("Publié. Les autres")
    await expect(mine(ann).locator(".slot-hour")).to_have_text(["9 h", "12 h"])
    assert await ann.page.evaluate("window.taps") <= TAPS_MAX
    await ann.page.get_by_text("Comme la semaine dernière").click()
    await expect(ann.page.get_by_role("checkbox", name="10 h")).to_be_visible()
    await expect(ann.page.get_by_role("checkbox", name="9 h")).to_have_count(0)


async def test_a_switch_says_whether_a_patient_in_addition_is_welcome(joins: Joins):
    ann, rita = await joins("ann", PHONE), await joins("rita", DESK)
    switch = ann.page.get_by_role("switch", name="J’accepte un patient en plus")
    await expect(switch).to_have_attribute("aria-checked", "false")
    await expect(rita.page.get_by_text("1 agenda accepte")).to_have_count(1)  # Bob's

    await switch.click()

    await ann.sees("un patient en plus peut vous être adressé")
    await expect(switch).to_have_attribute("aria-checked", "true")
    await rita.page.reload()
    await rita.page.get_by_text("2 agendas acceptent").click()
    await rita.page.get_by_role("link", name="Adresser en plus à Dr Ann Martin").click()
    await expect(rita.page.get_by_role("alert")).to_have_count(0)

    await switch.click()
    await ann.sees("personne ne vous adresse plus de patient en plus")
    await expect(switch).to_have_attribute("aria-checked", "false")


async def test_nobody_opens_the_door_of_a_colleague(joins: Joins):
    ann = await joins("ann", PHONE)
    world = ann.service.world

    answer = await ann.context.request.post(
        ann.service.url + "/disponibilites/en-plus",
        form={"key": "k", "schedule_id": str(world.schedules["nina"]), "accepts": "1"},
        headers={"Origin": ann.service.url},
    )

    assert answer.status == 403


async def test_taking_back_what_somebody_holds_says_so(joins: Joins):
    ann, bob = await joins("ann", PHONE), await joins("bob", DESK)
    await ann.publishes()
    await bob.goes_to("/orienter")
    await bob.holds("Dr Ann Martin")

    await ann.presses("Annuler la publication")

    await ann.sees("Quelqu’un le retenait : son écran le lui dit.")
