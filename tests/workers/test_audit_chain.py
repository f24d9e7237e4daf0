"""The worker chains the audit; `chrono48 audit verify` names the first row that does not hold."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from slots.audit_signing import public_half, signing_keys
from slots.reconcile.chain import chain
from slots.sealing import Sealer
from slots.store.audit import record
from slots.transaction import entered
from tests.world import HAUTS, SLUGS
from workers.audit import Head, _export, read_heads, retire, verify, words
from workers.audit_export import check
from workers.heads import keep_heads

ROWS = 6
NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)


@pytest.fixture
async def territory(desk):
    return next(iter(desk.territories.by_id.values()))


@pytest.fixture
async def chained(desk, territory, world) -> None:
    """ROWS audited slots, in a chain."""
    ids = list(world.schedules.values())
    async with entered(desk.pool, None, [territory.id]) as conn:
        for number in range(ROWS):
            await record(conn, territory.id, None, "offer", "slot", [ids[number % len(ids)]])
    assert await chain(desk, territory.id) >= ROWS


async def tampers(owner: asyncpg.Connection, statement: str) -> None:
    """As whoever owns the tables and takes the trigger away."""
    await owner.execute("ALTER TABLE audit DISABLE TRIGGER audit_is_append_only")
    await owner.execute(statement)
    await owner.execute("ALTER TABLE audit ENABLE TRIGGER audit_is_append_only")


async def test_every_row_gets_one_link_however_many_workers_there_are(desk, territory, world):
    ids = list(world.schedules.values()) * 10
    async with entered(desk.pool, None, [territory.id]) as conn:
        await record(conn, territory.id, None, "offer", "slot", ids)

    counts = await asyncio.gather(*(chain(desk, territory.id) for _ in range(4)))

    verdict = await verify(desk, territory.id)
    assert sum(counts) == verdict.head.position >= len(ids)
    assert (verdict.found, verdict.waiting) == (None, 0)
    assert await chain(desk, territory.id) == 0


async def test_a_row_that_commits_late_is_chained_later_and_nothing_is_lost(
    desk, territory, world, chained
):
    [one, *_] = world.schedules.values()
    async with entered(desk.pool, None, [territory.id]) as slow:
        await record(slow, territory.id, None, "offer", "slot", [one])
        async with entered(desk.pool, None, [territory.id]) as quick:
            await record(quick, territory.id, None, "withdraw", "slot", [one])
        assert await chain(desk, territory.id) == 1
    assert await chain(desk, territory.id) == 1

    assert (await verify(desk, territory.id)).found is None


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE audit SET verb = 'withdraw' WHERE id = {id}", "the row or the link was changed"),
        ("DELETE FROM audit WHERE id = {id}", "its row is missing"),
    ],
)
async def test_a_changed_or_deleted_row_is_named(desk, territory, chained, owner, statement, why):
    victim = await owner.fetchval(
        "SELECT audit_id FROM audit_link WHERE territory_id = $1 AND position = 3", territory.id
    )

    await tampers(owner, statement.format(id=victim))

    verdict = await verify(desk, territory.id)
    assert (verdict.found.position, verdict.found.audit_id) == (3, victim)
    assert words(verdict) == f"BROKEN at position 3, audit row {victim}: {why}"


async def test_a_chain_that_was_written_anew_is_another_than_the_head_that_was_kept(
    desk, territory, chained, owner, tmp_path
):
    before = await verify(desk, territory.id)
    line = Head(NOW, territory.slug, before.head.position, before.head.hash.hex())
    file = tmp_path / "heads.jsonl"
    file.write_bytes(msgspec.json.encode(line) + b"\n")
    kept = read_heads(file)[territory.slug]
    assert (await verify(desk, territory.id, kept)).found is None

    await owner.execute("ALTER TABLE audit_link DISABLE TRIGGER audit_link_is_append_only")
    await owner.execute("DELETE FROM audit_link")
    await owner.execute("ALTER TABLE audit_link ENABLE TRIGGER audit_link_is_append_only")
    shorter = await verify(desk, territory.id, kept)
    assert shorter.found.why == "the chain ends before a head that was kept"
    await tampers(owner, "UPDATE audit SET verb = 'withdraw'")
    await chain(desk, territory.id)

    assert (await verify(desk, territory.id)).found is None  # by itself the new chain holds
    found = (await verify(desk, territory.id, kept)).found
    assert (found.position, found.why) == (line.position, "it is not the head that was kept")


@pytest.mark.parametrize("table", ["audit", "audit_link"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET territory_id = 1", "DELETE FROM {}"])
async def test_the_service_itself_can_change_neither_rows_nor_links(
    desk, territory, chained, table, verb
):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with entered(desk.pool, None, [territory.id]) as conn:
            await conn.execute(verb.format(table))


async def test_links_of_another_territory_are_behind_the_wall(desk, territory, chained):
    [other] = [one for one in desk.territories.by_id.values() if one.id != territory.id]
    async with entered(desk.pool, None, [other.id]) as conn:
        seen = await conn.fetchval(
            "SELECT count(*) FROM audit_link WHERE territory_id = $1", territory.id
        )
    assert seen == 0


KEY = signing_keys(Sealer.of("2026:" + 42 * "n" + "A"))[0]
OTHER = signing_keys(Sealer.of("2027:" + 42 * "o" + "A"))[0]
PUBLIC = public_half(KEY)


async def exported(desk, tmp_path):
    out = tmp_path / "audit.jsonl"
    assert await _export(desk, SLUGS[HAUTS], out, KEY) == 0
    return out.read_bytes()


async def test_an_export_is_trusted_without_the_ledger(desk, territory, chained, tmp_path):
    content = await exported(desk, tmp_path)

    assert check(content, PUBLIC) is None
    assert content.count(b"\n") == ROWS + 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda lines: [*lines[:2], *lines[3:]], "missing"),
        (lambda lines: [*lines[:-2], lines[-1]], "missing at the end"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "changed"),
        (lambda lines: [line.replace(b'"offer"', b'"confirm"') for line in lines], "changed"),
        (lambda lines: [*lines[:1], lines[1].replace(b"}", b',"more":1}'), *lines[2:]], "added"),
        (lambda lines: lines[:-1], "last line is missing"),
        (lambda lines: [lines[0].replace(b'"position":0', b'"position":1'), *lines[1:]], "changed"),
        (lambda lines: [b"{}"], "not an export"),
        (lambda lines: [], "empty"),
    ],
)
async def test_an_export_that_was_touched_is_found_out(
    desk, territory, chained, tmp_path, change, why
):
    lines = (await exported(desk, tmp_path)).splitlines()

    fault = check(b"\n".join(change(lines)), PUBLIC)

    assert fault is not None
    assert why in fault.why


async def test_an_export_that_somebody_else_signed_is_not_ours(desk, territory, chained, tmp_path):
    fault = check(await exported(desk, tmp_path), public_half(OTHER))

    assert fault is not None
    assert "signature" in fault.why


async def test_what_is_old_goes_behind_a_signed_anchor_and_the_rest_still_holds(
    desk, territory, chained, owner, world, tmp_path
):
    between = await owner.fetchval("SELECT clock_timestamp()")
    async with entered(desk.pool, None, [territory.id]) as conn:
        await record(conn, territory.id, None, "offer", "slot", [*world.schedules.values()][:2])
    await chain(desk, territory.id)
    now = desk.clock.now()

    assert await retire(owner, territory.id, between - timedelta(days=1), KEY, now) == 0
    assert await retire(owner, territory.id, between, KEY, now) == ROWS
    assert await retire(owner, territory.id, between, KEY, now) == 0

    assert await owner.fetchval("SELECT count(*) FROM audit WHERE territory_id = 1") == 2
    verdict = await verify(desk, territory.id, None, [PUBLIC])
    assert (verdict.found, verdict.waiting) == (None, 0)
    assert verdict.head.position == ROWS + 2
    assert check(await exported(desk, tmp_path), PUBLIC) is None
    async with entered(desk.pool, None, [territory.id]) as conn:
        await record(conn, territory.id, None, "offer", "slot", [*world.schedules.values()][:1])
    assert await chain(desk, territory.id) == 1
    assert (await verify(desk, territory.id, None, [PUBLIC])).head.position == ROWS + 3


async def test_the_newest_link_stays_for_the_next_to_follow(desk, territory, chained, owner, world):
    now = desk.clock.now()

    assert await retire(owner, territory.id, now + timedelta(days=1), KEY, now) == ROWS - 1

    async with entered(desk.pool, None, [territory.id]) as conn:
        await record(conn, territory.id, None, "offer", "slot", [*world.schedules.values()][:1])
    assert await chain(desk, territory.id) == 1
    assert (await verify(desk, territory.id, None, [PUBLIC])).head.position == ROWS + 1
    await tampers(owner, "UPDATE audit SET verb = 'forged'")
    assert (await verify(desk, territory.id, None, [PUBLIC])).found is not None


async def test_a_head_that_was_kept_must_be_the_anchor_that_stands_there(
    desk, territory, chained, owner
):
    now = desk.clock.now()
    await retire(owner, territory.id, now + timedelta(days=1), KEY, now)

    verdict = await verify(desk, territory.id, {ROWS - 1: "00" * 32}, [PUBLIC])

    assert verdict.found is not None


async def test_what_an_older_key_has_signed_still_holds(desk, territory, chained, owner):
    now = desk.clock.now()
    await retire(owner, territory.id, now + timedelta(days=1), OTHER, now)

    keys = [PUBLIC, public_half(OTHER)]

    assert (await verify(desk, territory.id, None, keys)).found is None


async def test_control_an_anchor_that_somebody_else_signed_is_found_out(
    desk, territory, chained, owner
):
    now = desk.clock.now()
    await retire(owner, territory.id, now + timedelta(days=1), OTHER, now)

    verdict = await verify(desk, territory.id, None, [PUBLIC])

    assert verdict.found is not None
    assert "anchor" in verdict.found.why


async def deletes(owner, statement, retires):
    async with owner.transaction():
        await owner.execute(f"SET LOCAL app.retires = '{retires}'")
        await owner.execute("INSERT INTO audit_anchor VALUES (1, 0, sha256(''), now(), '')")
        await owner.execute(statement)


@pytest.mark.parametrize("retires", ["", "yes"])
@pytest.mark.parametrize("table", ["audit", "audit_link", "audit_anchor"])
async def test_nobody_takes_rows_away_but_behind_an_anchor(owner, chained, table, retires):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await deletes(owner, f"DELETE FROM {table}", retires)


async def test_the_heads_are_kept_once_a_day(desk, territory, chained, tmp_path):
    now = datetime(2026, 11, 28, 9, tzinfo=UTC)

    assert await keep_heads(desk, tmp_path / "heads", now) == 1
    assert await keep_heads(desk, tmp_path / "heads", now + timedelta(hours=5)) == 0
    assert await keep_heads(desk, tmp_path / "heads", now + timedelta(days=1)) == 1

    kept = read_heads(tmp_path / "heads" / "2026-11-28.jsonl")
    assert (await verify(desk, territory.id, kept[territory.slug])).found is None
