"""`chrono48 privacy report` lists what is stored about whom and until when, and nothing of it."""

import pytest

from slots.booking import contacts
from slots.times import rfc3339
from tests.contacts.conftest import WHOM
from workers.privacy.command import UNKNOWN, report
from workers.privacy.holdings import HOLDINGS, WITHOUT_PERSONS

pytestmark = pytest.mark.usefixtures("on")


async def test_every_table_is_in_the_register_or_has_nothing_of_anybody(owner):
    rows = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")

    assert {row["tablename"] for row in rows} == HOLDINGS.keys() | WITHOUT_PERSONS
    assert HOLDINGS.keys().isdisjoint(WITHOUT_PERSONS)


async def test_each_kept_contact_stands_with_its_reference_territory_and_end(
    desk, world, owner, booked, now
):
    one = await booked()
    kept = await contacts.write(desk, world.accounts["rolf"], one.id, WHOM, now)

    lines = await report(owner)

    [line] = [line for line in lines if one.reference in line]
    assert "hauts-cantons-et-vignobles" in line
    assert f"purged at {rfc3339(kept.purge_at)}" in line
    assert "  hauts-cantons-et-vignobles: kept 48 h after the slot" in lines
    assert "  bassin-de-thau: none are kept" in lines
    assert not any(UNKNOWN in line for line in lines)


async def test_it_counts_every_table_and_tells_no_content(desk, world, owner, booked, now):
    one = await booked()
    await contacts.write(desk, world.accounts["rolf"], one.id, WHOM, now)

    told = "\n".join(await report(owner))

    for name in HOLDINGS:
        count = await owner.fetchval(f"SELECT count(*) FROM {name}")
        assert f"  {name}: {count}" in told, name
    for said in (WHOM.name, WHOM.phone, world.email("rolf"), "Martin"):
        assert said not in told


async def test_a_table_that_nobody_has_thought_of_is_said(owner):
    await owner.execute("CREATE TABLE diary (page text)")

    assert f"diary: {UNKNOWN}" in await report(owner)
