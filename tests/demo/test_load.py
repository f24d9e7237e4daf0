"""The demo goes into an empty installation, whole, or not at all."""

import json
import stat
from argparse import Namespace
from collections import defaultdict
from dataclasses import replace

import argon2
import asyncpg
import pytest

from workers.demo import accounts, load

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


async def test_both_territories_are_loaded_whole(settings, owner):
    loaded = await load.load(settings, CHEAP)

    assert loaded.territories == 2
    assert loaded.practitioners == await owner.fetchval("SELECT count(*) FROM practitioner") == 237
    assert await owner.fetchval("SELECT count(*) FROM commune") == 341
    assert await owner.fetchval("SELECT count(*) FROM territory_neighbour") == 2


async def test_imaging_is_offered_at_bedarieux_and_at_sete_by_services_with_a_secretary(
    settings, owner
):
    await load.load(settings, CHEAP)

    rows = await owner.fetch(
        "SELECT commune.name AS commune, h.rooms, s.default_acts, account.name AS secretary"
        " FROM healthcare_service h JOIN location l ON l.id = h.location_id"
        " JOIN commune USING (insee) JOIN schedule s ON s.healthcare_service_id = h.id"
        " JOIN delegation d ON d.schedule_id = s.id JOIN account ON account.id = d.account_id"
    )

    assert {(r["commune"], *r["default_acts"], r["rooms"]) for r in rows} == {
        (commune, act, 2)
        for commune in ("Bédarieux", "Sète")
        for act in ("radiography", "ultrasound")
    }


async def test_every_default_act_is_in_the_catalogue_of_its_territory(settings, owner):
    await load.load(settings, CHEAP)

    strangers = await owner.fetch(
        "SELECT code FROM schedule, unnest(default_acts) AS code"
        " WHERE (schedule.territory_id, code) NOT IN (SELECT territory_id, act.code FROM act)"
    )

    assert strangers == []


async def test_everybody_is_in_the_directory_with_how_to_refer_and_how_one_gets_in(settings, owner):
    await load.load(settings, CHEAP)

    entries = await owner.fetchval("SELECT count(*) FROM directory_entry")
    assert entries == await owner.fetchval(
        "SELECT (SELECT count(*) FROM practitioner_role) + (SELECT count(*) FROM healthcare_service)"
    )
    for table, column in (
        ("location", "step_free"),
        ("location", "parking"),
        ("practitioner_role", "new_patients"),
    ):
        answers = await owner.fetch(f"SELECT DISTINCT {column} FROM {table}")
        assert {row[column] for row in answers} == {True, False, None}, column
    referrals = await owner.fetchrow(
        "SELECT count(*) FILTER (WHERE referral = '') AS unsaid, count(*) AS all"
        " FROM practitioner_role"
    )
    assert 0 < referrals["unsaid"] < referrals["all"] / 2 + 20
    assert await owner.fetchval("SELECT bool_and(referral <> '') FROM healthcare_service")
    assert await owner.fetchval("SELECT count(*) FROM find_in_directory('')") == 0  # walls


async def test_there_is_an_account_for_every_role_in_every_territory(settings):
    await load.load(settings, CHEAP)

    path = settings.data_dir / accounts.FILE_NAME
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(line.keys() == {"email", "password", "role", "territory"} for line in lines)
    assert {(line["role"], line["territory"]) for line in lines} == {
        (role, slug)
        for role in accounts.ROLES
        for slug in ("hauts-cantons-et-vignobles", "bassin-de-thau")
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_regulator_appears_once_with_the_first_territory_it_covers(settings):
    await load.load(settings, CHEAP)

    path = settings.data_dir / accounts.FILE_NAME
    of_regulator = defaultdict(list)
    for line in map(json.loads, path.read_text().splitlines()):
        if line["role"] == "regulator":
            of_regulator[line["email"]].append(line["territory"])
    assert len(of_regulator) == 4
    assert all(len(slugs) == 1 for slugs in of_regulator.values())


async def test_a_written_password_opens_its_account(settings, owner):
    await load.load(settings, CHEAP)

    line = json.loads((settings.data_dir / accounts.FILE_NAME).read_text().splitlines()[0])
    kept = await owner.fetchval("SELECT password_hash FROM account WHERE email = $1", line["email"])
    assert argon2.PasswordHasher().verify(kept, line["password"])
    assert kept.startswith("$argon2id$")


async def test_the_demo_does_not_go_into_what_is_filled(settings, capsys):
    await load.load(settings, CHEAP)
    before = (settings.data_dir / accounts.FILE_NAME).read_text()

    status = await load.run(Namespace(), settings)

    assert status == 1
    assert "has territories already" in capsys.readouterr().err
    assert (settings.data_dir / accounts.FILE_NAME).read_text() == before


async def test_when_the_accounts_cannot_be_written_nothing_is_loaded(settings, owner, tmp_path):
    occupied = tmp_path / "file"
    occupied.touch()

    with pytest.raises(NotADirectoryError):
        await load.load(replace(settings, data_dir=occupied / "below"), CHEAP)

    assert await owner.fetchval("SELECT count(*) FROM territory") == 0


async def test_off_loopback_there_are_no_demo_accounts(settings, owner):
    with pytest.raises(accounts.NotOnLoopback):
        await load.load(replace(settings, host="0.0.0.0"))

    assert await owner.fetchval("SELECT count(*) FROM account") == 0


async def test_the_application_s_role_cannot_load(settings):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await load.load(replace(settings, owner_database_url=settings.database_url), CHEAP)

    assert not (settings.data_dir / accounts.FILE_NAME).exists()


async def test_accounts_are_printed_as_they_are_written(settings, capsys):
    await load.load(settings, CHEAP)

    status = await accounts.run(Namespace(), settings)

    assert status == 0
    assert capsys.readouterr().out == (settings.data_dir / accounts.FILE_NAME).read_text()


async def test_without_a_demo_there_are_no_accounts_to_print(settings, capsys):
    status = await accounts.run(Namespace(), settings)

    assert status == 1
    assert "demo load" in capsys.readouterr().err
